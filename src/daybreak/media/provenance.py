"""What made a clip, written into the file itself and read back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TITLE_LENGTH = 200  # characters; players show the title, the whole prompt is in the record


class NoProvenance(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """A file does not say what made it: Daybreak did not write it, or another tool removed the record."""


def container_tags(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The mp4 tags for a clip's metadata: all of it as JSON in `comment`, and what players show."""
    if not metadata:
        return {}
    tags = {"comment": json.dumps(metadata, ensure_ascii=False, sort_keys=True)}
    shots = metadata.get("timeline", {}).get("shots", [])
    if shots:
        tags["title"] = str(shots[0]["prompt"])[:_TITLE_LENGTH]
    if "model" in metadata:
        kind = "procedurally rendered" if metadata.get("procedural") else "generated"
        tags["description"] = f"{kind} by Daybreak {metadata.get('daybreak', '')} with {metadata['model']}"
    return tags


def read_settings(path: Path) -> dict[str, Any]:
    """The metadata that a clip's file carries. Raises NoProvenance when it carries none."""
    import av  # here, for a server seldom reads files

    try:
        with av.open(str(path)) as container:
            comment = container.metadata.get("comment", "")
    except (av.error.FFmpegError, OSError) as error:
        raise NoProvenance(f"{path} cannot be read as a video: {error.strerror}") from error
    try:
        metadata = json.loads(comment)
    except ValueError:
        metadata = None
    if not isinstance(metadata, dict) or "timeline" not in metadata:
        raise NoProvenance(f"{path} does not say what made it: only files written by Daybreak do")
    return metadata
