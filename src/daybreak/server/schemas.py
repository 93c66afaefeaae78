"""The objects on the wire. The pydantic models describe them in the OpenAPI document; the functions write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from daybreak.jobs.job import Job

VIDEO_ID = r"^video_[0-9a-f]{32}$"


class Wire(BaseModel):
    """Common to what the server sends: nothing that isn't named."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class ErrorFields(Wire):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorEnvelope(Wire):
    """Every answer of 400 and above."""

    error: ErrorFields


class VideoError(Wire):
    """Why a video failed."""

    code: str
    message: str


class VideoDetails(Wire):
    """What Daybreak says beyond OpenAI's object."""

    kind: str = Field(description="The operation: create, remix, edit or extend.")
    model: str = Field(description="The installed model that a name such as sora-2 stood for.")
    source_video_id: str | None = Field(description="The video that this one was made from, by whatever operation.")
    stage: str = Field(description="loading, generating, encoding or storing, while in progress; else empty.")
    step: int = Field(description="Steps of the generation that are done.")
    steps: int = Field(description="Steps that it has; 0 before it has begun.")
    started_at: int | None
    revised_prompt: str | None = Field(description="What the model was told, where it was not the prompt itself.")
    not_followed: list[str] = Field(description="Words of the prompt that the model has no picture for, in words.")
    metadata: dict[str, Any]


class VideoResource(Wire):
    """A video: one requested generation."""

    id: str = Field(pattern=VIDEO_ID)
    object: Literal["video"]
    model: str
    status: Literal["queued", "in_progress", "completed", "failed"]
    progress: int = Field(ge=0, le=100)
    created_at: int
    completed_at: int | None
    expires_at: int | None
    prompt: str | None
    size: str
    seconds: str
    remixed_from_video_id: str | None
    error: VideoError | None
    daybreak: VideoDetails


class VideoList(Wire):
    """A page of videos."""

    object: Literal["list"]
    data: list[VideoResource]
    first_id: str | None
    last_id: str | None
    has_more: bool


class VideoDeleted(Wire):
    """What deleting a video answers."""

    id: str
    object: Literal["video.deleted"]
    deleted: bool


class LoraDetails(Wire):
    """A LoRA that is installed for a model."""

    name: str
    description: str
    trigger_words: list[str] = Field(description="What a prompt says to call for it.")


class ModelDetails(Wire):
    """What Daybreak says about a model."""

    model: str = Field(description="The installed model behind the name.")
    installed: bool = Field(description="Whether all of its files are there.")
    default: bool
    alias: bool = Field(description="Whether the id is only another name of the model.")
    procedural: bool = Field(description="A program that renders prompts, not a learned model.")
    abilities: list[str] = Field(description="What it honours beyond one prompt for the whole clip.")
    loras: list[LoraDetails] = Field(description="What `loras` of a request may name.")
    native_sizes: list[str]
    fps: float
    description: str
    licence: str | None
    problem: str | None = Field(description="Why it can't be used, when it can't.")


class ModelResource(Wire):
    """A model, or another name of one."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    shutdown_date: str | None
    daybreak: ModelDetails


class ModelList(Wire):
    """All models, and all their names."""

    object: Literal["list"]
    data: list[ModelResource]


class Health(Wire):
    """Whether the server can do its work."""

    status: Literal["ok", "failing", "draining"]
    checks: dict[str, str] = Field(description="What was checked: ok, or what is wrong.")
    version: str


def video_object(job: Job) -> dict[str, Any]:
    """The Video of a job: every key present, nulls included."""
    error, told = job.error, job.told or {}
    return {
        "id": job.id,
        "object": "video",
        "model": job.model,
        "status": job.status,
        "progress": job.progress,
        "created_at": job.created_at,
        "completed_at": job.completed_at,
        "expires_at": job.expires_at,
        "prompt": job.prompt,
        "size": job.size,
        "seconds": job.seconds,
        "remixed_from_video_id": job.remixed_from_id,
        "error": None if error is None else {"code": error.code, "message": error.message},
        "daybreak": {
            "kind": job.kind,
            "model": job.engine_model,
            "source_video_id": job.source_id,
            "stage": job.stage if job.status == "in_progress" else "",
            "step": job.steps_done,
            "steps": job.steps_total,
            "started_at": job.started_at,
            "revised_prompt": told.get("revised_prompt"),
            "not_followed": told.get("not_followed", []),
            "metadata": job.metadata,
        },
    }


def list_object(data: list[dict[str, Any]], has_more: bool) -> dict[str, Any]:
    """A page, as every cursor list of the API has it."""
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else None,
        "last_id": data[-1]["id"] if data else None,
        "has_more": has_more,
    }


def to_json(value: Any) -> bytes:
    """A JSON body: compact UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
