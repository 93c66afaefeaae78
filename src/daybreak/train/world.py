"""Training data straight from the world: windows of clips for the VAE, rendered ahead by threads.

Unit i is a function of i alone, so that a resumed run sees the same data; each unit is used for several
steps, from different corners, because rendering costs about as much as learning from it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from daybreak.diorama.build import build_stage
from daybreak.diorama.render import render_frames
from daybreak.diorama.sampling import sample_spec

BUCKETS = ((256, 448), (256, 448), (256, 448), (448, 256), (320, 320))  # height, width; landscape most often
FPS = 24.0
CLIP_FRAMES = 49  # two seconds
FIRST_PICTURE = 5_000_000  # the scenes of whole pictures, far from the windows'


@dataclass(frozen=True, slots=True)
class Unit:
    """A window of a rendered clip: frames (F, H, W, 3) and whose pixel each one is (F, H, W)."""

    frames: NDArray[np.uint8]
    entities: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CropConfig:
    """Sizes of what the VAE trains on: crops inside rendered windows, frames 8k + 1."""

    window: int = 192
    window_frames: int = 25
    crop: int = 128
    crop_frames: int = 17
    batch: int = 20
    target_pairs: int = 3  # of neighbouring frames that are decoded in full, out of crop_frames
    fresh_units: int = 1  # newly rendered ones a step
    pool: int = 400  # units to draw from


# What a graphics card learns from: whole windows, a new one every few milliseconds.
LIVE_WINDOWS = CropConfig(window=192, window_frames=25, crop=192, crop_frames=25, batch=48, target_pairs=5, pool=8_000)


def render_unit(index: int, config: CropConfig) -> Unit:
    """Window `index`: a random scene, time and place, two times in three around the subject."""
    rng = random.Random(f"unit {index}")
    height, width = rng.choice(BUCKETS)
    spec = sample_spec(index)
    stage = build_stage(spec, CLIP_FRAMES, FPS, width / height)
    first = rng.randrange(0, CLIP_FRAMES - config.window_frames + 1)
    top = rng.randrange(0, height - config.window + 1, 2)
    left = rng.randrange(0, width - config.window + 1, 2)
    if rng.random() < 0.67:
        top, left = _near_subject(stage, height, width, first + config.window_frames // 2, config.window)
    frames, entities = render_frames(
        stage,
        height,
        width,
        range(first, first + config.window_frames),
        (top, top + config.window, left, left + config.window),
    )
    return Unit(frames, entities)


def render_picture(index: int, num_frames: int) -> NDArray[np.uint8]:
    """`num_frames` of random scene `index` from a random moment on, the whole picture (F, H, W, 3); not a `Unit`'s."""
    rng = random.Random(f"picture {index}")
    height, width = rng.choice(BUCKETS)
    stage = build_stage(sample_spec(FIRST_PICTURE + index), CLIP_FRAMES, FPS, width / height)
    first = rng.randrange(0, CLIP_FRAMES - num_frames + 1)
    return render_frames(stage, height, width, range(first, first + num_frames))[0]


def _near_subject(stage: object, height: int, width: int, frame: int, window: int) -> tuple[int, int]:
    """The window's corner that puts the subject of `frame` in its middle, as far as the picture allows."""
    _, entities = render_frames(stage, height // 4, width // 4, [frame])  # type: ignore[arg-type]
    rows, columns = np.nonzero(entities[0])
    if not len(rows):
        return 0, 0
    top = int(np.clip(rows.mean() * 4 - window / 2, 0, height - window))
    left = int(np.clip(columns.mean() * 4 - window / 2, 0, width - window))
    return top // 2 * 2, left // 2 * 2


class UnitPool:
    """The units that each step draws from, rendered ahead in threads (the renderer releases the interpreter lock)."""

    def __init__(self, config: CropConfig, num_threads: int = 2) -> None:
        self.config = config
        self.threads = ThreadPoolExecutor(num_threads)
        self.units: dict[int, Future[Unit]] = {}

    def first(self, count: int) -> Iterator[Tensor]:
        """Pixels (1, 3, F, H, W) in [-1, 1] of each of the first `count` units."""
        units = self.threads.map(lambda index: render_unit(index, self.config), range(count))
        return (to_pixels([unit.frames]) for unit in units)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Pixels (B, 3, F, H, W) in [-1, 1] and entities (B, F, H, W) of step `step`."""
        first = step * self.config.fresh_units
        # The pool grows, so that the first steps need not wait for all of it.
        size = min(self.config.pool, 64 + 2 * step)
        wanted = range(first, first + size + 8 * (self.config.fresh_units + 2))
        for index in [index for index in self.units if index < first]:
            del self.units[index]
        for index in wanted:
            if index not in self.units:
                self.units[index] = self.threads.submit(render_unit, index, self.config)
        rng = random.Random(f"batch {step}")
        chosen = [rng.randrange(first, first + size) for _ in range(self.config.batch)]
        crops = [self._crop(self.units[index].result(), rng) for index in chosen]
        return to_pixels([frames for frames, _ in crops]), torch.from_numpy(np.stack([e for _, e in crops]))

    def _crop(self, unit: Unit, rng: random.Random) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        config = self.config
        first = rng.randrange(0, config.window_frames - config.crop_frames + 1, 2)
        top, left = (rng.randrange(0, config.window - config.crop + 1, 2) for _ in range(2))
        index = np.s_[first : first + config.crop_frames, top : top + config.crop, left : left + config.crop]
        frames, entities = unit.frames[index], unit.entities[index]
        if rng.random() < 0.5:
            frames, entities = frames[:, :, ::-1], entities[:, :, ::-1]
        return frames, entities


def to_pixels(clips: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Clips (F, H, W, 3) of equal shape as one batch of pixels (B, 3, F, H, W) in [-1, 1]."""
    return to_unit_range(torch.from_numpy(np.stack([np.ascontiguousarray(clip) for clip in clips])))


def to_unit_range(frames: Tensor) -> Tensor:
    """Frames (B, F, H, W, 3) of bytes as pixels (B, 3, F, H, W) in [-1, 1]."""
    return frames.permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def to_frames(pixels: Tensor) -> NDArray[np.uint8]:
    """One clip of pixels (3, F, H, W) in [-1, 1] as frames (F, H, W, 3)."""
    frames: NDArray[np.uint8] = (
        ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 3, 0).cpu().numpy()
    )
    return frames
