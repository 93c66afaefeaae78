"""The camera moves, and the distance at which the subjects fill the frame without leaving it."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

from daybreak.diorama.primitives import BOX, ELLIPSOID, KIND, Array, X, Z
from daybreak.diorama.rig import half_axes

HALF_VIEW = 0.36  # tangent of half the vertical field of view
EYE_HEIGHT = 1.15  # metres above the ground
PAN = 0.40  # how far the background slides during a pan, as a share of the frame's width
DOLLY = 1.5  # far distance / near distance
ORBIT = math.radians(48)
CRANE = (0.32, 2.6)  # eye heights
TILT, TILT_HEIGHT = 0.36, 0.55  # how far the picture slides down, as a share of the frame's height; metres
SHAKE = (0.036, 0.030, 0.034)  # radians that a hand turns the camera to the side, up, and about its own axis
SHAKES_PER_SECOND = (0.9, 1.7, 2.6)
ROUND_TO_CORNER = 1.3  # of a cylinder or a cone: between its side and its edge
MARGIN = 0.94  # subjects stay inside this share of the half frame


@dataclass(frozen=True)
class Framing:
    """Where a camera stands: it looks at `target` from `distance` metres in front of it; moves are around this."""

    target: tuple[float, float, float]
    distance: float
    aspect: float  # width / height
    move: str
    side: float = 1.0  # which way an orbit goes
    seconds: float = 2.0  # how long the clip is, and where the shaking of a hand begins
    phase: float = 0.0
    path: Array | None = None  # (F, 2) what a following camera follows, relative to its mean


def shoot(framing: Framing, num_frames: int) -> Array:
    """The camera of every frame, (F, 13): origin, right, up, forward (unit vectors), tan(half vertical view)."""
    share = np.linspace(0, 1, num_frames, dtype=np.float32) if num_frames > 1 else np.zeros(1, np.float32)
    ease: Array = np.asarray(
        share * share * (3 - 2 * share) * 0.5 + share * 0.5, np.float32
    )  # starts and ends gently, never stands still
    angle = np.zeros(num_frames, np.float32)
    distance = np.full(num_frames, framing.distance, np.float32)
    height = np.full(num_frames, EYE_HEIGHT, np.float32)
    yaw, pitch, roll = np.zeros((3, num_frames), np.float32)
    move = framing.move
    if move == "dolly in":
        distance *= DOLLY ** (1 - ease)
    elif move == "dolly out":
        distance *= DOLLY**ease
    elif move == "orbit":
        angle += framing.side * ORBIT * (ease - 0.5)
    elif move == "crane up":
        height[:] = CRANE[0] + (CRANE[1] - CRANE[0]) * ease
    elif move == "tilt up":
        height[:] = TILT_HEIGHT
        pitch += 2 * math.atan(HALF_VIEW) * TILT * (ease - 0.5)
    elif move == "handheld":
        yaw, pitch, roll = _shake(share * framing.seconds, framing.phase)
    elif move in ("pan left", "pan right"):
        whole = 2 * math.atan(HALF_VIEW * framing.aspect) * PAN
        yaw += (1 if move == "pan right" else -1) * whole * (ease - 0.5)
    target = np.tile(np.array(framing.target, np.float32), (num_frames, 1))
    if framing.path is not None:
        target[:, :2] += framing.path
    # A higher eye moves nearer over the ground, so that the subject keeps its size.
    level = np.sqrt(np.maximum(distance**2 - (height - target[:, 2]) ** 2, 0.25 * distance**2))
    origin = target + np.stack([level * np.sin(angle), -level * np.cos(angle), height - target[:, 2]], 1)
    return _look(origin, target - origin, yaw, pitch, roll)


def _shake(times: Array, phase: float) -> tuple[Array, Array, Array]:
    """How a hand turns the camera (yaw, pitch, roll) at each moment: slow sways and quicker, smaller ones."""
    turns = []
    for axis, size in enumerate(SHAKE):
        angle = np.zeros(len(times))
        for number, rate in enumerate(SHAKES_PER_SECOND):
            beat = rate * (1 + 0.13 * axis)
            angle += np.sin(2 * math.pi * beat * times + phase * (1 + number) + 2.1 * axis + number) / (
                1 + 0.5 * number
            )
        turns.append((size * angle / 1.4).astype(np.float32))
    return turns[0], turns[1], turns[2]


def _look(origin: Array, direction: Array, yaw: Array, pitch: Array, roll: Array) -> Array:
    """Cameras (F, 13) at `origin` looking along `direction`, turned right by `yaw` about the vertical, up by `pitch`,
    and clockwise by `roll` about the line of sight."""
    x, y = direction[:, 0], direction[:, 1]
    turned = np.stack([np.cos(yaw) * x + np.sin(yaw) * y, np.cos(yaw) * y - np.sin(yaw) * x, direction[:, 2]], 1)
    flat = np.hypot(x, y)
    elevation = np.arctan2(direction[:, 2], flat) + pitch
    turned[:, :2] *= (np.cos(elevation) / flat)[:, None]
    turned[:, 2] = np.sin(elevation)
    forward = turned / np.linalg.norm(turned, axis=1, keepdims=True)
    right = np.stack([forward[:, 1], -forward[:, 0], np.zeros(len(yaw), np.float32)], 1)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    up = np.cross(right, forward)
    cosine, sine = np.cos(roll)[:, None], np.sin(roll)[:, None]
    right, up = cosine * right - sine * up, cosine * up + sine * right
    view = np.full((len(yaw), 1), HALF_VIEW, np.float32)
    return np.concatenate([origin, right, up, forward, view], 1).astype(np.float32)


def project(prims: Array, cameras: Array, aspect: float) -> Array:
    """Bounds on the screen of each primitive, (F, K, 4): left, bottom, right, top; the frame is -1..1 both ways.

    Exact for ellipsoids and boxes; other kinds are bounded by an ellipsoid around them.
    """
    axes = half_axes(prims) * np.where(prims[:, :, KIND] == ELLIPSOID, 1.0, ROUND_TO_CORNER)[:, :, None, None]
    away = prims[:, :, X : Z + 1] - cameras[:, None, 0:3]
    depth = (away * cameras[:, None, 9:12]).sum(2)
    deep = (axes * cameras[:, None, None, 9:12]).sum(3)  # (F, K, 3): each half axis along the view
    sides = []
    for column, wide in ((3, aspect), (6, 1.0)):
        direction = cameras[:, column : column + 3]
        across = (away * direction[:, None, :]).sum(2)
        flat = (axes * direction[:, None, None, :]).sum(3)
        # The slope s of a plane through the eye that touches the ellipsoid: (across - s depth)^2 = |flat - s deep|^2.
        a = np.maximum(depth**2 - (deep**2).sum(2), 1e-3)
        b = across * depth - (flat * deep).sum(2)
        c = across**2 - (flat**2).sum(2)
        root = np.sqrt(np.maximum(b * b - a * c, 0))
        scale = a * cameras[:, None, 12] * wide
        sides.append(((b - root) / scale, (b + root) / scale))
    (left, right), (bottom, top) = sides
    bounds = np.stack([left, bottom, right, top], 2).astype(np.float32)
    boxes = prims[0, :, KIND] == BOX
    bounds[:, boxes] = _project_boxes(prims[:, boxes], cameras, aspect)
    return bounds


_CORNERS = np.array(list(itertools.product((-1, 1), repeat=3)), np.float32)


def _project_boxes(prims: Array, cameras: Array, aspect: float) -> Array:
    """Bounds on the screen of boxes, from their eight corners: (F, K, 4) as of `project`."""
    corners = prims[:, :, None, X : Z + 1] + _CORNERS @ half_axes(prims) - cameras[:, None, None, 0:3]
    depth = np.maximum((corners * cameras[:, None, None, 9:12]).sum(3), 1e-3) * cameras[:, None, None, 12]
    across = (corners * cameras[:, None, None, 3:6]).sum(3) / (depth * aspect)
    along = (corners * cameras[:, None, None, 6:9]).sum(3) / depth
    return np.stack([across.min(2), along.min(2), across.max(2), along.max(2)], 2).astype(np.float32)


def fit(framing: Framing, prims: Array) -> Framing:
    """The framing moved back until the subjects' primitives (F, K, columns) stay in the frame in every frame."""
    for _ in range(8):
        bounds = project(prims, shoot(framing, len(prims)), framing.aspect)
        over = float(np.abs(bounds).max()) / MARGIN
        if over <= 1.0:
            return framing
        framing = replace(framing, distance=framing.distance * min(1 + (over - 1) * 1.15, 1.8))
    return framing
