"""What the studio's own routes answer, for the OpenAPI document, from which the studio's types are generated."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from daybreak.server.schemas import VideoError, Wire

Status = Literal["queued", "in_progress", "completed", "failed"]


class PlaceInQueue(Wire):
    """Where a clip stands in the queue."""

    position: int
    eta_seconds: float | None


class LibraryItem(Wire):
    """A clip, and what its owner says about it."""

    object: Literal["library.item"]
    id: str
    kind: str
    tool: str | None = Field(description="The studio's tool that made it, where no operation of the API did.")
    title: str | None
    prompt: str | None
    model: str
    engine_model: str
    procedural: bool
    status: Status
    stage: str
    progress: int
    steps_done: int
    steps_total: int
    size: str
    seconds: str
    created_at: int
    started_at: int | None
    completed_at: int | None
    expires_at: int | None
    error: VideoError | None
    source_id: str | None
    remixed_from_video_id: str | None
    favourite: bool
    rating: int = Field(description="Stars from 1 to 5; 0 for none given.")
    folder_id: str | None
    tags: list[str]
    trashed_at: int | None
    cancel_requested: bool
    place: PlaceInQueue | None


class AssetFacts(Wire):
    """A stored file of a clip."""

    variant: str
    content_type: str
    bytes: int
    sha256: str
    width: int | None
    height: int | None
    num_frames: int | None
    fps: float | None


class LibraryItemDetail(LibraryItem):
    """A clip with everything that is known about it."""

    timeline: dict[str, Any]
    settings: dict[str, Any]
    duration: float | None
    revised_prompt: str | None
    not_followed: list[str]
    attempts: int
    metadata: dict[str, Any]
    assets: list[AssetFacts]


class LibraryPage(Wire):
    """Clips from `offset` on; `total` is how many there are."""

    object: Literal["list"]
    data: list[LibraryItem]
    total: int
    offset: int


class LibraryFolder(Wire):
    """A folder and how many clips lie in it."""

    object: Literal["library.folder"]
    id: str
    name: str
    created_at: int
    count: int


class Counted(Wire):
    """A value and how many clips have it."""

    name: str
    count: int


class LibraryFacets(Wire):
    """How many clips there are of each sort."""

    object: Literal["library.facets"]
    total: int
    favourites: int
    trashed: int
    folders: list[LibraryFolder]
    tags: list[Counted]
    models: list[Counted]
    kinds: list[Counted]
    sizes: list[Counted]


class LineageNode(Wire):
    """A clip of a family, and the clips that it was made from."""

    id: str
    sources: list[str]
    gone: bool
    tool: str | None
    title: str | None
    prompt: str | None
    kind: str | None
    status: Status | None
    created_at: int | None
    size: str | None
    seconds: str | None


class LineageList(Wire):
    """A whole family."""

    object: Literal["list"]
    data: list[LineageNode]


class Changed(Wire):
    """Which clips were changed."""

    object: Literal["library.changed"]
    changed: list[str]


class QueueJob(Wire):
    """An unfinished clip, as the queue shows it."""

    id: str
    prompt: str
    model: str
    kind: str
    size: str
    seconds: str
    status: Status
    stage: str
    progress: int
    steps_done: int
    steps_total: int
    position: int | None
    eta_seconds: float | None
    preview_step: int | None
    cancel_requested: bool
    created_at: int


class QueueList(Wire):
    """What runs and waits, in order."""

    object: Literal["list"]
    data: list[QueueJob]
    paused_at: int | None = Field(description="Since when nothing is begun, in Unix seconds; null while it moves.")


class QueueResource(Wire):
    """The project's queue as a whole."""

    object: Literal["queue"]
    paused: bool
    paused_at: int | None
    queued: int
    in_progress: int


class QueueOrder(Wire):
    """Ids of what waits, in order."""

    object: Literal["list"]
    data: list[str]


class Estimate(Wire):
    """Seconds of work, and of waiting before it; null where nothing is known yet."""

    object: Literal["library.estimate"]
    seconds: float | None
    waiting: float | None


class Usage(Wire):
    """Bytes in storage."""

    object: Literal["library.usage"]
    clips: int
    bytes: int
    by_variant: dict[str, int]
    free: int | None
    location: str


class DocumentResource(Wire):
    """What the studio saved; `content` only where it was asked for."""

    object: Literal["library.document"]
    id: str
    kind: str
    name: str
    created_at: int
    updated_at: int
    content: Any = None


class DocumentList(Wire):
    """All documents of a kind."""

    object: Literal["list"]
    data: list[DocumentResource]


class ApiKeyResource(Wire):
    """A key; `secret` only when it was made just now."""

    object: Literal["key"]
    id: str
    name: str
    hint: str
    scopes: list[str]
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    secret: str | None = None


class ApiKeyList(Wire):
    """The project's keys."""

    object: Literal["list"]
    data: list[ApiKeyResource]


class LicenceWords(Wire):
    """What a licence permits, in words."""

    name: str
    permits: str
    where: str
    check: str = Field(description="What to look up before relying on it; may be empty.")


class MemoryNeed(Wire):
    """Bytes that a clip takes: all on the GPU, one part at a time, block by block; and of the weights in memory."""

    whole: int
    offloaded: int
    streamed: int
    weights: int


class PullState(Wire):
    """A download of a model: `done` of `total` bytes."""

    name: str
    state: Literal["running", "stopping", "stopped", "failed", "done"]
    done: int
    total: int
    error: str | None


class CatalogueEntry(Wire):
    """An open model that can be had."""

    object: Literal["catalogue.model"]
    id: str
    title: str
    repository: str
    bytes: int
    audio: bool
    sizes: list[str]
    seconds: float
    fps: float
    licence: LicenceWords
    to_check: list[str]
    memory: MemoryNeed
    fits: bool
    how: str
    fix: str = Field(description="What would make it fit, or faster; may be empty.")
    installed: bool
    command: str
    pull: PullState | None


class MachineFacts(Wire):
    """Bytes of this machine: memory, of the largest GPU (0 without one), free on the disk of the models."""

    memory: int
    gpu: int
    disk_free: int


class CatalogueList(Wire):
    """Every open model that is known by name, and the machine that they are measured against."""

    object: Literal["list"]
    data: list[CatalogueEntry]
    machine: MachineFacts
    pull_problem: str | None = Field(description="Why no model can be pulled here, when none can.")
