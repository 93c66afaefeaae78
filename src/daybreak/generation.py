"""A finished clip in memory, and how an engine reports progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]  # (F, H, W, 3), RGB
Audio = NDArray[np.float32]  # (2, N), left and right, in [-1, 1]
Preview = Callable[[], Frames]  # a small, rough picture of the clip so far, worked out only when called
State = Mapping[str, NDArray[Any]]  # all that an engine needs to go on from a step, under names of its own


class Cancelled(Exception):  # noqa: N818 - a state that was asked for, not an error
    """Generation was stopped by whoever asked for it; nothing was kept."""


class Unsupported(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """An engine was asked for something that it cannot honour."""


class InvalidOutput(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """What an engine made is not a clip: numbers that are not finite, or the same colour in every frame."""


class EngineFailed(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """An engine cannot make the clip, for a reason of its own; `code` is for programs, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class OnStep(Protocol):
    """Called after each step that an engine has done; may raise `Cancelled` to stop it.

    `state` gives what a later call of the engine takes as `resume` to go on after this step, and to make bit for bit
    the clip that this call would have made. It is worked out only when called; None where an engine cannot resume.
    """

    def __call__(
        self, done: int, total: int, preview: Preview | None = None, state: Callable[[], State] | None = None
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Video:
    """A clip in memory.

    `frames` (F, H, W, 3) uint8 RGB at `fps`; `audio` (2, N) float32 in [-1, 1] at `sample_rate`, or None.
    `metadata` holds plain JSON values that say what made it.
    """

    frames: Frames
    fps: float
    audio: Audio | None = None
    sample_rate: int = 48_000
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.frames.ndim != 4 or self.frames.shape[-1] != 3 or self.frames.dtype != np.uint8:
            raise ValueError(f"frames must be (F, H, W, 3) uint8, not {self.frames.shape} {self.frames.dtype}")
        if not len(self.frames):
            raise ValueError("a video has at least one frame")
        if self.audio is not None and (self.audio.ndim != 2 or len(self.audio) != 2):
            raise ValueError(f"audio must be (2, N), not {self.audio.shape}")

    @property
    def num_frames(self) -> int:
        return len(self.frames)

    @property
    def height(self) -> int:
        return int(self.frames.shape[1])

    @property
    def width(self) -> int:
        return int(self.frames.shape[2])

    @property
    def seconds(self) -> float:
        return self.num_frames / self.fps
