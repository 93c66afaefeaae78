"""What a job is: the record of a row of `jobs`, and the small records that the queue takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import RowMapping

from daybreak.database.tables import jobs

Status = Literal["queued", "in_progress", "completed", "failed"]
Kind = Literal["create", "remix", "edit", "extend"]
CLAIMING = "daybreak.claim"  # the lock that claims and pauses hold on PostgreSQL
CANCELLED = "cancelled"  # the error code of a job that its owner stopped
WORKER_CRASHED = "worker_crashed"  # the error code of a job whose workers died one after the other


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed: a code for programs, a message for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running job stands."""

    stage: str  # loading, generating, encoding, storing
    steps_done: int = 0
    steps_total: int = 0


@dataclass(frozen=True, slots=True)
class NewJob:
    """What was asked for, resolved and checked, before it is a job."""

    project_id: str
    kind: Kind
    model: str  # as the client named it
    engine_model: str  # what that means here
    prompt: str | None
    size: str
    seconds: str
    timeline: Mapping[str, Any]
    settings: Mapping[str, Any]
    fingerprint: str
    source_id: str | None = None
    remixed_from_id: str | None = None
    batch_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
    priority: int = 0
    cost: float = 1.0
    expires_after: int | None = None
    retry_count: int = 0  # which retry of the official SDK this request is


@dataclass(frozen=True, slots=True)
class Job:
    """A row of `jobs`. Times are Unix seconds, `duration` seconds of work, `cost` the estimate of it."""

    sequence: int
    id: str
    project_id: str
    kind: Kind
    model: str
    engine_model: str
    prompt: str | None
    size: str
    seconds: str
    timeline: dict[str, Any]
    settings: dict[str, Any]
    source_id: str | None
    remixed_from_id: str | None
    batch_id: str | None
    metadata: dict[str, str]
    fingerprint: str
    idempotency_key: str | None
    retries_seen: int
    status: Status
    stage: str
    steps_done: int
    steps_total: int
    error: JobError | None
    created_at: int
    started_at: int | None
    completed_at: int | None
    expires_at: int | None
    expires_after: int | None
    deleted_at: int | None
    duration: float | None
    priority: int
    cost: float
    not_before: float
    attempts: int
    fence: int
    lease_owner: str | None
    lease_until: float | None
    cancel_requested: bool
    checkpoint_key: str | None
    checkpoint_step: int
    told: dict[str, Any] | None

    @property
    def progress(self) -> int:
        """Percent of the steps that are done; 100 only when the video is there."""
        if self.status == "completed":
            return 100
        return min(99, 100 * self.steps_done // self.steps_total) if self.steps_total > 0 else 0

    @property
    def ended(self) -> bool:
        """Whether nothing will change about it any more, but that it may be deleted."""
        return self.status in ("completed", "failed")


@dataclass(frozen=True, slots=True)
class Claim:
    """A job in the hands of one worker. Whatever it writes counts only while the job still has this fence."""

    job: Job
    fence: int
    owner: str


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list of jobs."""

    jobs: list[Job]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Enqueued:
    """The job of a request; not `created` where an earlier request was the same one."""

    job: Job
    created: bool


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion leaves to do: the storage keys whose bytes nothing refers to any more."""

    keys: list[str]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job stands: 1 for the next to be claimed, 0 for one that runs or ended; and when it should be done."""

    position: int
    eta_seconds: float | None  # from now until it ends


def job_of(row: RowMapping) -> Job:
    """The record of a row of `jobs`."""
    values = {column.name: row[column.name] for column in jobs.columns}
    error = values.pop("error")
    return Job(**values, error=None if error is None else JobError(error["code"], error["message"]))
