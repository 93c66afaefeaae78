"""The flat arrays that a built scene is made of, and the builder that fills them.

World coordinates: x right, y away from the viewer, z up, ground at z = 0, metres.
Subjects' own coordinates: x forward, y left, z up.
Every array has one row per pixel frame (F): the renderer never interprets time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float32]

# Kinds of primitive. Each is a unit shape in its own coordinates, stretched by its radii.
ELLIPSOID, BOX, CYLINDER, CONE = 0, 1, 2, 3  # cone: apex at z = +1, base of radius 1 at z = -1

# Surface patterns, evaluated in the primitive's own coordinates.
PLAIN, STRIPES, CHECKS, PATCHES, DOTS, BELLY = 0, 1, 2, 3, 4, 5
WINDOWS = 6  # of a tall building: dark glass, or lit in the second colour
BLOTCHES = 7  # a few large irregular patches, as on a cow

# Columns of a primitive row.
KIND, X, Y, Z = 0, 1, 2, 3
TO_LOCAL = 4  # 4..12: row-major 3x3, world to unit shape
BOUND = 13  # radius of the bounding sphere, metres
RED, GREEN, BLUE = 14, 15, 16
PATTERN, RED2, GREEN2, BLUE2 = 17, 18, 19, 20  # the pattern and its second colour
SPECULAR, EMISSION = 21, 22
NO_SHADOW = 23  # 1: casts no shadow, 2: is not mirrored in water either
ENTITY = 24  # 0: the set (trees, houses); 1, 2: the first and second subject
NUM_COLUMNS = 25


def rotate_x(angle: ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) about x for angles in radians."""
    return _rotation(angle, 1, 2)


def rotate_y(angle: ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) about y: a positive angle lowers a subject's nose."""
    return _rotation(angle, 2, 0)


def rotate_z(angle: ArrayLike) -> Array:
    """Rotation matrices (..., 3, 3) about z: a positive angle turns a subject to its left."""
    return _rotation(angle, 0, 1)


def _rotation(angle: ArrayLike, first: int, second: int) -> Array:
    radians = np.asarray(angle, np.float32)
    matrix = np.zeros((*radians.shape, 3, 3), np.float32)
    cosine, sine = np.cos(radians), np.sin(radians)
    matrix[..., 3 - first - second, 3 - first - second] = 1
    matrix[..., first, first] = matrix[..., second, second] = cosine
    matrix[..., first, second] = -sine
    matrix[..., second, first] = sine
    return matrix


IDENTITY: Array = np.eye(3, dtype=np.float32)


def offset(origin: Array, rotation: Array, local: ArrayLike) -> Array:
    """World position (F, 3) of the point `local` of a body at `origin` (F, 3) turned by `rotation` (F, 3, 3)."""
    steps = np.broadcast_to(np.asarray(local, np.float32), origin.shape)
    moved: Array = (origin + np.einsum("fij,fj->fi", rotation, steps)).astype(np.float32)
    return moved


@dataclass
class Parts:
    """Collects primitives over `num_frames` frames; everything added belongs to `entity`."""

    num_frames: int
    entity: int = 0
    rows: list[Array] = field(default_factory=list)

    def add(
        self,
        kind: int,
        centre: ArrayLike,
        rotation: ArrayLike,
        radii: ArrayLike,
        colour: ArrayLike,
        **surface: Any,
    ) -> None:
        """Adds one primitive; `centre` is (3,) or (F, 3), `rotation` (3, 3) or (F, 3, 3), `radii` (3,) or (F, 3).

        `surface`: pattern, colour2, specular (default 0.15), emission, no_shadow.
        """
        frames = self.num_frames
        turned = np.broadcast_to(np.asarray(rotation, np.float32), (frames, 3, 3))
        size = np.broadcast_to(np.asarray(radii, np.float32), (frames, 3))
        row = np.zeros((frames, NUM_COLUMNS), np.float32)
        row[:, KIND] = kind
        row[:, X : Z + 1] = centre
        row[:, TO_LOCAL : TO_LOCAL + 9] = (np.swapaxes(turned, 1, 2) / size[:, :, None]).reshape(frames, 9)
        row[:, BOUND] = size.max(1) if kind == ELLIPSOID else np.sqrt((size**2).sum(1))
        row[:, RED : BLUE + 1] = colour
        row[:, PATTERN] = surface.get("pattern", PLAIN)
        row[:, RED2 : BLUE2 + 1] = surface.get("colour2", (1, 1, 1))
        row[:, SPECULAR] = surface.get("specular", 0.15)
        row[:, EMISSION] = surface.get("emission", 0)
        row[:, NO_SHADOW] = surface.get("no_shadow", 0)
        row[:, ENTITY] = self.entity
        self.rows.append(row)

    def stack(self) -> Array:
        """All primitives, (F, K, NUM_COLUMNS)."""
        return np.ascontiguousarray(np.stack(self.rows, 1))
