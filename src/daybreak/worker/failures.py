"""What ends a job early, and how it is told to whoever asked for the video. Paths and details go to the log only."""

from __future__ import annotations

import errno

from daybreak.catalog import ModelUnavailable
from daybreak.durable import OutOfSpace
from daybreak.engines.machine import is_out_of_memory as is_out_of_memory
from daybreak.generation import Cancelled, EngineFailed, InvalidOutput, Unsupported
from daybreak.jobs.endings import CANCELLATION
from daybreak.jobs.job import JobError
from daybreak.media.fit import UnreadableImage
from daybreak.media.probe import UnreadableVideo
from daybreak.storage import Damaged, Missing, StorageUnavailable

_FULL_DISK = {errno.ENOSPC, errno.EDQUOT}


class Lost(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The job is another worker's now, or has ended: nothing that this one makes of it counts."""


class Draining(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The worker was asked to end; the job can go on elsewhere."""


class MediaUnavailable(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """An image or a video that the job starts from is gone, or its bytes are not those that were stored."""


def failure_of(error: BaseException, model: str) -> JobError:
    """The error that the failed job shows."""
    if is_out_of_memory(error):
        return JobError(
            "out_of_memory",
            "There was not enough memory for this video: ask for a smaller size or fewer seconds.",
        )
    if isinstance(error, Cancelled):
        return CANCELLATION
    if isinstance(error, EngineFailed):
        return JobError(error.code, _sentence(str(error)))
    if isinstance(error, ModelUnavailable):
        return JobError("model_unavailable", f"The model {model!r} is not installed here any more, or is not whole.")
    if isinstance(error, Unsupported):
        return JobError("unsupported", _sentence(str(error)))
    if isinstance(error, InvalidOutput):
        return JobError("invalid_output", f"What the model made is not a video: {error}.")
    if isinstance(error, MediaUnavailable | UnreadableImage | UnreadableVideo):
        return JobError("media_unavailable", "An image or a video that this one starts from is gone or damaged.")
    if isinstance(error, OutOfSpace) or (isinstance(error, OSError) and error.errno in _FULL_DISK):
        return JobError("disk_full", "The server's disk is full: nothing was stored.")
    if isinstance(error, StorageUnavailable | Missing | Damaged | OSError):
        return JobError("storage_unavailable", "The finished video could not be stored.")
    return JobError("internal_error", "Something went wrong on the server; its log says what.")


def step_timeout(seconds: float) -> JobError:
    """The error of a job whose step never ended."""
    return JobError("step_timeout", f"The model did nothing for {seconds:.0f} s and was stopped.")


def _sentence(text: str) -> str:
    line = " ".join(text.split())[:1000]
    return line[:1].upper() + line[1:] + ("" if line.endswith((".", "!", "?")) else ".")
