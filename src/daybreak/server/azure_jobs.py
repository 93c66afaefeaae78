"""Azure's older video jobs: what they ask for, read as a create of ours, and how they are shown."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from daybreak.database.groups import PREFIX, Group
from daybreak.jobs.job import CANCELLED, Job
from daybreak.media.inspect import UnusableMedia, inspect_upload, sniff
from daybreak.server.body import Body, Upload
from daybreak.server.errors import ApiError, invalid, missing
from daybreak.server.fields import parse_json
from daybreak.server.options import DEFAULT_FPS
from daybreak.server.parameters import Parameters
from daybreak.server.schemas import Wire
from daybreak.timeline import MAX_PROMPT

STATUSES = {  # of Azure, and what they are here
    "preprocessing": "in_progress",
    "queued": "queued",
    "running": "in_progress",
    "processing": "in_progress",
    "cancelled": "failed",
    "succeeded": "completed",
    "failed": "failed",
}
_SIDE = (16, 4096)
_MAX_VARIANTS, _MAX_SECONDS, _DEFAULT_SECONDS = 5, 20, 5
_MAX_ITEMS = 2
_MAX_MEDIA = 15 * 10**6  # bytes of one inpaint item, which travels on as a data URL
_MODERATED = ("moderation_blocked", "content_filter")
_ANY_SORA = "sora"  # what most deployments were called


class CropBounds(BaseModel):
    """The part of an image that is used, as fractions of its sides."""

    left_fraction: float = Field(0, ge=0, le=1)
    top_fraction: float = Field(0, ge=0, le=1)
    right_fraction: float = Field(1, ge=0, le=1)
    bottom_fraction: float = Field(1, ge=0, le=1)


class InpaintItem(BaseModel):
    """Media that the clip shows from a frame on."""

    type: Literal["image", "video"]
    file_name: str
    frame_index: int = Field(0, ge=0)
    crop_bounds: CropBounds | None = None


class GenerationJobCreate(BaseModel):
    """A job of Azure's older interface. Numbers may be texts; in multipart, inpaint_items is a JSON text."""

    model: str | None = None
    prompt: str = Field(min_length=1, max_length=MAX_PROMPT)
    width: int = Field(ge=_SIDE[0], le=_SIDE[1])
    height: int = Field(ge=_SIDE[0], le=_SIDE[1])
    n_seconds: int = Field(_DEFAULT_SECONDS, ge=1, le=_MAX_SECONDS)
    n_variants: int = Field(1, ge=1, le=_MAX_VARIANTS)
    inpaint_items: list[InpaintItem] | None = Field(None, max_length=_MAX_ITEMS)


class Generation(Wire):
    """One finished video of a job."""

    object: Literal["video.generation"]
    id: str
    job_id: str
    created_at: int
    width: int
    height: int
    n_seconds: float
    prompt: str | None


class GenerationJob(Wire):
    """A job: one or more videos of the same prompt."""

    object: Literal["video.generation.job"]
    id: str
    status: Literal["preprocessing", "queued", "running", "processing", "cancelled", "succeeded", "failed"]
    created_at: int
    finished_at: int | None
    expires_at: int | None
    generations: list[Generation]
    prompt: str | None
    model: str
    n_variants: int
    n_seconds: float
    height: int
    width: int
    failure_reason: Literal["input_moderation", "internal_error", "other"] | None


class GenerationJobList(Wire):
    """A page of jobs."""

    object: Literal["list"]
    data: list[GenerationJob]
    first_id: str | None
    last_id: str | None
    has_more: bool


@dataclass(frozen=True, slots=True)
class AskedJob:
    """What a job asks for: the fields of a create, how many of them, and the model by the client's name."""

    fields: dict[str, Any]
    variants: int
    model: str | None


def read_job(body: Body) -> AskedJob:
    """The job in a body. Raises ApiError. Blocking: pictures are looked at and cut."""
    parameters = Parameters(body.fields)
    prompt = parameters.text("prompt", MAX_PROMPT, required=True)
    model = parameters.text("model", 200)
    width, height = (parameters.whole(name, *_SIDE) for name in ("width", "height"))
    seconds = parameters.whole("n_seconds", 1, _MAX_SECONDS) or _DEFAULT_SECONDS
    variants = parameters.whole("n_variants", 1, _MAX_VARIANTS) or 1
    items = parameters.take("inpaint_items")
    for name in ("type", "format"):  # what the playground's own samples send along
        parameters.take(name)
    parameters.finish()
    for name, side in (("width", width), ("height", height)):
        if side is None:
            raise missing(name)
    fields: dict[str, Any] = {"prompt": prompt, "size": f"{width}x{height}", "seconds": str(seconds)}
    if model is not None:
        fields["model"] = "sora-2" if model == _ANY_SORA else model
    pins = _read_items(items, body.uploads, seconds)
    if pins:
        fields["timeline"] = {"pins": pins}
    return AskedJob(fields, variants, model)


def job_object(group: Group, jobs: Sequence[Job]) -> dict[str, Any]:
    """The job as Azure shows it; `jobs` are those of the group that are left, at least one."""
    first = jobs[0]
    width, _, height = first.size.partition("x")
    status = group_status(jobs)
    ended = status in ("succeeded", "failed", "cancelled")
    return {
        "object": "video.generation.job",
        "id": group.id,
        "status": status,
        "created_at": first.created_at,
        "finished_at": max((job.completed_at or job.created_at for job in jobs), default=None) if ended else None,
        "expires_at": min((job.expires_at for job in jobs if job.expires_at is not None), default=None),
        "generations": [generation_object(job) for job in jobs if job.status == "completed"] if ended else [],
        "prompt": first.prompt,
        "model": first.model,
        "n_variants": len(jobs),
        "n_seconds": float(first.seconds),
        "height": int(height),
        "width": int(width),
        "failure_reason": _failure_reason(jobs) if status == "failed" else None,
    }


def generation_object(job: Job) -> dict[str, Any]:
    """A finished video as Azure shows it."""
    width, _, height = job.size.partition("x")
    return {
        "object": "video.generation",
        "id": "gen_" + job.id.removeprefix("video_"),
        "job_id": job.batch_id if (job.batch_id or "").startswith(PREFIX) else job.id,
        "created_at": job.completed_at or job.created_at,
        "width": int(width),
        "height": int(height),
        "n_seconds": float(job.seconds),
        "prompt": job.prompt,
    }


def group_status(jobs: Sequence[Job]) -> str:
    """The state of several jobs as one: running from the first one's start to the last one's end."""
    states = {job.status for job in jobs}
    if states == {"queued"}:
        return "queued"
    if states & {"queued", "in_progress"}:
        return "running"
    if "completed" in states:
        return "succeeded"
    cancelled = all(job.error is not None and job.error.code == CANCELLED for job in jobs)
    return "cancelled" if cancelled else "failed"


def _failure_reason(jobs: Sequence[Job]) -> str:
    codes = {job.error.code for job in jobs if job.error is not None}
    return "input_moderation" if codes & set(_MODERATED) else "internal_error" if codes else "other"


def _read_items(value: Any, uploads: Sequence[tuple[str, Upload]], seconds: int) -> list[dict[str, Any]]:
    """The pins of a timeline that inpaint items ask for. Raises ApiError."""
    if isinstance(value, str):
        value = parse_json(value.encode())
    files = {upload.filename: upload for name, upload in uploads if name.removesuffix("[]") == "files"}
    pins = []
    used = set()
    for item in Parameters({"inpaint_items": value}).children("inpaint_items", _MAX_ITEMS):
        kind = item.choice("type", ("image", "video"))
        file_name = item.text("file_name", 255, required=True)
        frame = item.whole("frame_index", 0, 100_000) or 0
        bounds = _read_bounds(item)
        item.finish()
        upload = files.get(str(file_name))
        if upload is None:
            message = f"Invalid '{item.name('file_name')}': no file part 'files' has this file name."
            raise invalid(item.name("file_name"), message)
        used.add(str(file_name))
        start = frame / DEFAULT_FPS
        if start >= seconds:
            raise invalid(item.name("frame_index"), f"Invalid '{item.name('frame_index')}': the clip ends before it.")
        media = _media(item, upload, kind or "image", bounds)
        pins.append({"media": media, "kind": kind or "image", "start": start})
    unused = sorted(set(files) - used)
    if unused:
        raise invalid("files", f"No inpaint item names the file '{unused[0][:100]}'.")
    return pins


def _read_bounds(item: Parameters) -> tuple[float, float, float, float]:
    said = item.child("crop_bounds")
    if said is None:
        return (0.0, 0.0, 1.0, 1.0)
    left, top = (said.number(name, 0, 1) or 0.0 for name in ("left_fraction", "top_fraction"))
    right, bottom = (
        1.0 if (number := said.number(name, 0, 1)) is None else number for name in ("right_fraction", "bottom_fraction")
    )
    said.finish()
    if left >= right or top >= bottom:
        raise invalid(said.name("right_fraction"), "Invalid 'crop_bounds': nothing is left of the image.")
    return (left, top, right, bottom)


def _media(item: Parameters, upload: Upload, kind: str, bounds: tuple[float, float, float, float]) -> str:
    """A data URL of the upload, cut to `bounds`. Raises ApiError."""
    if upload.bytes > _MAX_MEDIA:
        raise ApiError(413, f"The file is larger than {_MAX_MEDIA} bytes.", param="files", code="too_large")
    whole = bounds == (0.0, 0.0, 1.0, 1.0)
    if kind == "video" and not whole:
        message = "Videos are not cut: leave 'crop_bounds' out, or cut the video before."
        raise invalid(item.name("crop_bounds"), message, "unsupported_parameter")
    if whole:
        content_type, content = sniff(upload.path) or "application/octet-stream", upload.path.read_bytes()
    else:
        content_type, content = "image/png", _cut(upload.path, bounds)
    return f"data:{content_type};base64,{base64.b64encode(content).decode()}"


def _cut(path: Path, bounds: tuple[float, float, float, float]) -> bytes:
    """A part of an image, as PNG. Raises ApiError."""
    from PIL import Image

    try:
        inspect_upload(path, want="image")  # in a process of its own: nothing hostile is decoded here
        with Image.open(path) as image:
            left, top, right, bottom = bounds
            box = (
                int(left * image.width),
                int(top * image.height),
                max(int(left * image.width) + 1, round(right * image.width)),
                max(int(top * image.height) + 1, round(bottom * image.height)),
            )
            out = io.BytesIO()
            image.convert("RGB").crop(box).save(out, "PNG")
            return out.getvalue()
    except UnusableMedia as error:
        raise invalid("files", f"Invalid file 'files': {error}.", error.code) from error


def statuses_of(said: Sequence[str]) -> list[str] | None:
    """Our states for Azure's, which a query lists once each or with commas. Raises ApiError."""
    names = [name.strip() for text in said for name in text.split(",") if name.strip()]
    for name in names:
        if name not in STATUSES:
            raise invalid("statuses", f"Invalid value: '{name[:100]}'. Supported values are: {', '.join(STATUSES)}.")
    return sorted({STATUSES[name] for name in names}) if names else None


def wanted_statuses(said: Sequence[str]) -> Mapping[str, bool]:
    """Which of Azure's states a query asked for; those that are one here are told apart by this."""
    names = {name.strip() for text in said for name in text.split(",") if name.strip()}
    running = bool(names & {"preprocessing", "running", "processing"})
    return {name: not names or name in names or (name == "running" and running) for name in STATUSES}
