"""From a built scene to frames: an analytic ray-caster for a few dozen toy primitives.

Visibility is found at 2x2 samples a pixel, and each pixel is shaded once for every distinct primitive in it. A pixel
depends on its place in the full picture only, so that a window is bit for bit the crop of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybreak.diorama.compiled import kernel
from daybreak.diorama.intersect import Doubles
from daybreak.diorama.light import Atmosphere
from daybreak.diorama.particles import draw_particles
from daybreak.diorama.primitives import NUM_COLUMNS
from daybreak.diorama.shading import shade_picture
from daybreak.diorama.shadows import CASTER_COLUMNS, find_casters
from daybreak.diorama.styles import Bytes, Window, apply_style, grown_window
from daybreak.diorama.visibility import count_entities, find_visible

CAMERA_COLUMNS = 13


@dataclass(frozen=True)
class Stage:
    """A built scene. prims: (F, K, 25); cameras: (F, 13) [origin, right, up, forward, tan(fov_y / 2)]; metres."""

    prims: NDArray[np.float32]
    cameras: NDArray[np.float32]
    atmosphere: Atmosphere
    style: str = "toy"

    def __post_init__(self) -> None:
        frames = len(self.cameras)
        if self.prims.ndim != 3 or self.prims.shape[::2] != (frames, NUM_COLUMNS):
            raise ValueError(f"prims {self.prims.shape} for {frames} frames, expected ({frames}, K, {NUM_COLUMNS})")
        if self.cameras.shape[1:] != (CAMERA_COLUMNS,):
            raise ValueError(f"cameras {self.cameras.shape}, expected (F, {CAMERA_COLUMNS})")
        if len(self.atmosphere.times) != frames:
            raise ValueError(f"atmosphere of {len(self.atmosphere.times)} frames, cameras of {frames}")


def render_frames(
    stage: Stage, height: int, width: int, frames: Sequence[int] | None = None, window: Window | None = None
) -> tuple[Bytes, Bytes]:
    """Frames (F, h, w, 3) and the entity (F, h, w) that each pixel shows: 0 the set, 1 and 2 the subjects.

    `frames` are the indices to draw (default: all), `window` (top, bottom, left, right) is the part of the full
    height x width picture to draw, bit-identical to the same crop of it. Releases the interpreter's lock.
    """
    window = (0, height, 0, width) if window is None else window
    top, bottom, left, right = window
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise ValueError(f"window {window} outside a {width}x{height} picture")
    drawn = grown_window(stage.style, height, width, window)
    indices = range(len(stage.cameras)) if frames is None else frames
    shape = (len(indices), drawn[1] - drawn[0], drawn[3] - drawn[2])
    pictures, entities = np.empty((*shape, 3), np.uint8), np.empty(shape, np.uint8)
    air = stage.atmosphere
    limits = (air.particles.box, air.particles.smallest, air.particles.largest, air.particles.slant)
    for i, frame in enumerate(indices):
        render_picture(
            stage.prims[frame].astype(np.float64), stage.cameras[frame].astype(np.float64), air.light_at(frame),
            air.ground, air.noise, air.mountains, air.stars, air.particles.rows[frame], limits,
            float(air.times[frame]), height, width, drawn, pictures[i], entities[i],
        )  # fmt: skip
    crop = (slice(None), slice(top - drawn[0], bottom - drawn[0]), slice(left - drawn[2], right - drawn[2]))
    return apply_style(pictures, stage.style, height)[crop], entities[crop]


@kernel
def tone(picture: Doubles, frame: Bytes) -> None:
    """Fills `frame` with the picture's colours, compressed softly near white."""
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            for channel in range(3):
                value = min(1.6, max(0.0, picture[row, column, channel]))
                value = value * (1.12 - 0.12 * value) if value < 0.8 else value
                frame[row, column, channel] = np.uint8(min(255.0, value * 255.0 + 0.5))


@kernel
def render_picture(
    prims: Doubles, camera: Doubles, lights: Any, ground: Doubles, noise: Doubles, mountains: Doubles, stars: Doubles,
    particles: Doubles, limits: tuple[float, float, float, float], seconds: float,
    height: int, width: int, window: tuple[int, int, int, int], frame: Bytes, entities: Bytes,
) -> None:  # fmt: skip
    """Fills one frame (h, w, 3) and its entities (h, w) for a window of the height x width picture."""
    light = lights[0]
    rows, columns = window[1] - window[0], window[3] - window[2]
    depth = np.empty((2 * rows, 2 * columns), np.float64)
    ids = np.empty((2 * rows, 2 * columns), np.int32)
    picture = np.empty((rows, columns, 3), np.float64)
    axes = np.empty((2, 3), np.float64)
    casters = np.empty((prims.shape[0], CASTER_COLUMNS), np.float64)
    find_visible(prims, camera, height, width, window, depth, ids)
    count_entities(prims, ids, entities)
    count = find_casters(prims, light, axes, casters)
    shade_picture(
        prims, camera, light, axes, casters[:count], ground, noise, mountains, stars, seconds,
        height, width, window, depth, ids, picture,
    )  # fmt: skip
    draw_particles(picture, depth, particles, limits, camera, height, width, window)
    tone(picture, frame)
