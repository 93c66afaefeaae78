"""A moving coordinate frame that parts of a subject are attached to, and where the parts end up.

Rigs are written in a subject's own coordinates (x forward, y left, z up, feet at z = 0); a `Body` carries
those numbers into the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from daybreak.diorama.primitives import BOX, ELLIPSOID, KIND, TO_LOCAL, Array, Parts, X, Z, offset


@dataclass(frozen=True)
class Body:
    """A frame of reference per pixel frame: `origin` (F, 3) metres, `rotation` (F, 3, 3), `scale` metres per unit."""

    parts: Parts
    origin: Array
    rotation: Array
    scale: float = 1.0

    def place(self, at: ArrayLike) -> Array:
        """World position (F, 3) of the local point `at`, (3,) or (F, 3)."""
        return offset(self.origin, self.rotation, np.asarray(at, np.float32) * np.float32(self.scale))

    def add(self, kind: int, at: ArrayLike, radii: ArrayLike, colour: ArrayLike, **surface: Any) -> None:
        """Adds one primitive in local coordinates; `turn` (3, 3) or (F, 3, 3) turns it about its centre."""
        turn = surface.pop("turn", None)
        rotation = self.rotation if turn is None else self.rotation @ turn
        size = np.asarray(radii, np.float32) * np.float32(self.scale)
        self.parts.add(kind, self.place(at), rotation, size, colour, **surface)

    def joint(self, at: ArrayLike, turn: Array) -> Body:
        """The frame of a part that hangs at `at` and is turned by `turn`: a head, a tail, a wing."""
        return Body(self.parts, self.place(at), self.rotation @ turn, self.scale)

    def limb(self, start: ArrayLike, end: ArrayLike, radius: float, colour: ArrayLike, **surface: Any) -> None:
        """Adds an ellipsoid that reaches from `start` to `end` (local points) with `radius` across."""
        frames = len(self.origin)
        first = np.broadcast_to(np.asarray(start, np.float32), (frames, 3))
        along = np.broadcast_to(np.asarray(end, np.float32), (frames, 3)) - first
        length = np.sqrt((along * along).sum(1))
        half = length * np.float32(0.5) + np.float32(radius * 0.6)  # the round ends overlap their joints
        radii = np.stack([np.full(frames, radius, np.float32), np.full(frames, radius, np.float32), half], 1)
        turn = _axes_along(along / np.maximum(length, 1e-4)[:, None])
        self.add(ELLIPSOID, first + along * np.float32(0.5), radii, colour, turn=turn, **surface)


def _axes_along(direction: Array) -> Array:
    """Rotations (F, 3, 3) whose third column is the unit vector `direction` (F, 3)."""
    sideways = np.array((1, 0, 0) if abs(float(direction[0, 1])) > 0.8 else (0, 1, 0), np.float32)
    first = np.cross(sideways, direction)
    first /= np.sqrt((first * first).sum(1, keepdims=True))
    return np.stack([first, np.cross(direction, first), direction], 2).astype(np.float32)


def half_axes(prims: Array) -> Array:
    """The three half axes of each primitive as world vectors, metres: (F, K, 3, 3), one in each row."""
    frames, count = prims.shape[:2]
    rows = prims[:, :, TO_LOCAL : TO_LOCAL + 9].reshape(frames, count, 3, 3)
    return np.asarray(rows / (rows * rows).sum(3, keepdims=True), np.float32)


def reach(prims: Array, direction: ArrayLike) -> Array:
    """How far each primitive extends from its centre along `direction`, metres: (F, K).

    `direction` is a unit vector (3,) or one per frame (F, 3). Exact for ellipsoids and boxes, an upper bound
    for cylinders and cones.
    """
    heading = np.broadcast_to(np.asarray(direction, np.float32), (len(prims), 3))
    spans = np.abs((half_axes(prims) * heading[:, None, None, :]).sum(3))
    round_reach = np.sqrt((spans * spans).sum(2))
    kinds = prims[0, :, KIND]
    flat = np.hypot(spans[:, :, 0], spans[:, :, 1]) + spans[:, :, 2]  # cylinder and cone: a disc swept along z
    corners = np.where(kinds == BOX, spans.sum(2), flat)
    return np.asarray(np.where(kinds == ELLIPSOID, round_reach, corners), np.float32)


def lowest(prims: Array) -> Array:
    """Height of the lowest point over all primitives (F,), metres."""
    return np.asarray((prims[:, :, Z] - reach(prims, (0, 0, 1))).min(1), np.float32)


def extent(prims: Array, direction: ArrayLike) -> tuple[Array, Array]:
    """Smallest and largest coordinate along `direction` over all primitives: two arrays (F,), metres."""
    heading = np.asarray(direction, np.float32)
    centre = (prims[:, :, X : Z + 1] * np.broadcast_to(heading, (len(prims), 3))[:, None, :]).sum(2)
    span = reach(prims, heading)
    return (centre - span).min(1), (centre + span).max(1)
