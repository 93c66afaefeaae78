"""How much memory a model needs for a clip, by one rule, and whether a machine has it.

The rule, for any model: weights take 2 bytes a parameter. A step takes, for each token, 24 numbers of the
transformer's width (the residual stream, queries, keys, values and the wide layer, in bfloat16), however many layers
there are. The decoder takes a tile's worth (1.5 GiB) and the finished clip three times as 32-bit numbers. It is an
estimate to plan with, right within about a third; nothing is refused because of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from daybreak.open_models.catalogue import WEIGHT_BYTES, Entry

_GIB = 2**30
_LIVE = 24  # numbers of the transformer's width that a token keeps alive
_TILE = round(1.5 * _GIB)
_RESERVE = 2 * _GIB  # of the machine's memory, for the system and for Python itself
_SAID = {
    "whole": "fits on the GPU",
    "offloaded": "fits, with one part at a time on the GPU",
    "streamed": "fits, streamed through the GPU block by block",
    "processor": "fits on the processor alone, at minutes to hours a clip",
}


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes of device memory with everything on the device, one component at a time, and one block at a time."""

    whole: int
    offloaded: int
    streamed: int
    weights: int  # bytes of ordinary memory that all the weights take


@dataclass(frozen=True, slots=True)
class Machine:
    """Bytes that are free: of ordinary memory, and of the largest GPU's, 0 without one."""

    memory: int
    gpu: int = 0


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a clip fits and how; `fix` says what would make it fit, or faster."""

    fits: bool
    how: str
    fix: str = ""


def need(entry: Entry, width: int, height: int, seconds: float) -> Need:
    """What a clip takes."""
    frames = max(1, round(seconds * entry.fps))
    tokens = (math.ceil((frames - 1) / entry.token_frames) + 1) * math.ceil(width / entry.token_pixels)
    tokens *= math.ceil(height / entry.token_pixels)
    step = tokens * entry.width * _LIVE * 2
    decode = _TILE + frames * width * height * 3 * 4 * 3
    transformer, text, vae = (_bytes(billions) for billions in (entry.transformer, entry.text_encoder, entry.vae))
    weights = transformer * entry.experts + text + vae
    block = transformer // entry.blocks
    return Need(
        whole=weights + max(step, decode),
        offloaded=max(transformer + step, text + _TILE, vae + decode),
        streamed=max(4 * block + step, vae + decode),
        weights=weights,
    )


def fit(entry: Entry, machine: Machine, width: int, height: int, seconds: float) -> Fit:
    """Whether and how a clip fits a machine."""
    needed = need(entry, width, height, seconds)
    how = _way(needed, machine)
    if how is None:
        return Fit(False, "does not fit", _remedy(entry, machine, needed, (width, height, seconds)))
    faster = {
        "streamed": f"A GPU with {said(needed.offloaded)} is faster.",
        "processor": f"A GPU with {said(needed.streamed)} or more makes it usable.",
    }
    return Fit(True, _SAID[how], faster.get(how, ""))


def _way(needed: Need, machine: Machine) -> str | None:
    """How a clip can be made there: a key of _SAID."""
    host = needed.weights + _RESERVE
    if machine.gpu >= needed.whole:
        return "whole"
    if machine.gpu >= needed.offloaded and machine.memory >= host:
        return "offloaded"
    if machine.gpu >= needed.streamed and machine.memory >= host:
        return "streamed"
    return "processor" if machine.memory >= needed.whole + _RESERVE else None


def smaller(entry: Entry, machine: Machine, width: int, height: int, seconds: float) -> tuple[int, int, float] | None:
    """The (width, height, seconds) nearest to what was asked that fits: shorter first, then smaller too."""
    for scale in (1.0, 0.75, 0.5):
        across, down = (
            max(1, round(side * scale / entry.token_pixels)) * entry.token_pixels for side in (width, height)
        )
        for length in (seconds, seconds * 0.75, seconds * 0.5, seconds * 0.25):
            if (scale, length) != (1.0, seconds) and _way(need(entry, across, down, length), machine):
                return across, down, round(length, 2)
    return None


def said(size: int) -> str:
    """Bytes as people say them."""
    return f"{math.ceil(size / _GIB)} GiB" if size >= 10 * _GIB else f"{size / _GIB:.1f} GiB"


def _remedy(entry: Entry, machine: Machine, needed: Need, asked: tuple[int, int, float]) -> str:
    other = smaller(entry, machine, *asked)
    instead = f"{other[0]}x{other[1]} for {other[2]:g} s would fit; or " if other else ""
    return (
        f"{instead}it takes a GPU with {said(needed.streamed)} and {said(needed.weights + _RESERVE)} of memory beside "
        f"it, a GPU with {said(needed.whole)}, or {said(needed.whole + _RESERVE)} of memory and no GPU."
    )


def _bytes(billions: float) -> int:
    return round(billions * 1e9 * WEIGHT_BYTES)
