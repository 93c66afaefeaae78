"""Jobs for tests of the queue and of what is around it."""

from __future__ import annotations

from typing import Any

from daybreak.database.assets import NewAsset
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.jobs.job import NewJob


def new_job(project_id: str = DEFAULT_PROJECT, **changes: Any) -> NewJob:
    """A small request; `changes` are fields of NewJob."""
    fields: dict[str, Any] = {
        "kind": "create",
        "model": "sora-2",
        "engine_model": "dawn",
        "prompt": "a dog runs",
        "size": "448x256",
        "seconds": "2",
        "timeline": {"shots": [{"prompt": "a dog runs"}], "pins": []},
        "settings": {"seed": 1},
        "fingerprint": "f" * 64,
    }
    return NewJob(project_id=project_id, **{**fields, **changes})


def new_video(key: str = "videos/a/1/video.mp4", **changes: Any) -> NewAsset:
    """The finished clip of a job; `changes` are fields of NewAsset."""
    fields: dict[str, Any] = {
        "project_id": DEFAULT_PROJECT,
        "variant": "video",
        "content_type": "video/mp4",
        "bytes": 3,
        "sha256": "a" * 64,
    }
    return NewAsset(key=key, **{**fields, **changes})
