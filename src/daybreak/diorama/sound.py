"""The sound of a scene: a list of timed events and lasting beds in, a stereo signal out.

An event starts at its exact sample; before it there is nothing. Every event and every bed has a random stream of
its own, so adding one changes no other, and the order of the list makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daybreak.diorama.beds import BEDS, make_bed, pan_gains
from daybreak.diorama.voices import VOICES
from daybreak.diorama.waveforms import Random, Signal, curve, grains, noise, ring, strike, swell, times, tone

# The materials of each kind; an empty tuple means that the kind has only one sound and its material is not read.
MATERIALS: dict[str, tuple[str, ...]] = {
    "footstep": ("grass", "sand", "snow", "stone", "wood"),
    "impact": ("wood", "metal", "rubber", "stone"),
    "splash": (),
    "voice": tuple(VOICES),
    "whoosh": (),
}
LEVELS = {"footstep": 0.07, "impact": 0.13, "splash": 0.12, "voice": 0.13, "whoosh": 0.07}  # strength at loudness 1
KNEE, CEILING = 0.7, 0.98  # the limiter leaves peaks under the knee alone and none passes the ceiling
MIN_SAMPLE_RATE = 8000


@dataclass(frozen=True, slots=True)
class SoundEvent:
    """One sound: what is heard, when (seconds), from where (-1 left, 1 right), how loud (0 to 1, an amplitude).

    Raises ValueError for an unknown kind or material (naming the known ones) or a number out of range.
    """

    kind: str
    material: str
    time: float
    pan: float = 0.0
    loudness: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in MATERIALS:
            raise ValueError(f"sound kind {self.kind!r} is not one of {', '.join(MATERIALS)}")
        materials = MATERIALS[self.kind]
        if materials and self.material not in materials:
            raise ValueError(f"{self.kind} material {self.material!r} is not one of {', '.join(materials)}")
        for name, value, low, high in (
            ("time", self.time, 0, float("inf")),
            ("pan", self.pan, -1, 1),
            ("loudness", self.loudness, 0, 1),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} {value} is not between {low} and {high}")


def synthesise(
    events: Sequence[SoundEvent],
    beds: Sequence[str],
    seconds: float,
    sample_rate: int = 48000,
    seed: int = 0,
) -> NDArray[np.float32]:
    """The mixed sound (2, round(seconds * sample_rate)) in [-1, 1]; the same arguments give the same samples.

    An event that starts after the end is not heard; one that lasts beyond it is faded out over the last 5 ms.
    A bed named twice is played once. Raises ValueError for an unknown bed, a length that is not positive, or a
    sample rate under 8000 Hz.
    """
    unknown = [name for name in beds if name not in BEDS]
    if unknown:
        raise ValueError(f"sound bed {unknown[0]!r} is not one of {', '.join(BEDS)}")
    if not 0 < seconds < float("inf"):
        raise ValueError(f"seconds must be positive and finite, not {seconds}")
    if sample_rate < MIN_SAMPLE_RATE:
        raise ValueError(f"sample_rate must be at least {MIN_SAMPLE_RATE} Hz, not {sample_rate}")
    mix = np.zeros((2, round(seconds * sample_rate)))
    if not mix.size:
        return mix.astype(np.float32)
    for event in events:
        _place(mix, event, sample_rate, seed)
    names = list(BEDS)
    for name in dict.fromkeys(beds):
        mix += make_bed(name, np.random.default_rng((seed, 1, names.index(name))), mix.shape[1], sample_rate)
    return limit(mix, sample_rate).astype(np.float32)


def limit(mix: Signal, sample_rate: int) -> Signal:
    """`mix` (2, n) with its peaks held under `CEILING`: a soft knee, and one smooth gain for both channels.

    The gain looks ahead and eases in over a few milliseconds, so that it adds no harmonics as clipping would;
    a mix that stays under `KNEE` comes back unchanged.
    """
    if np.abs(mix).max() <= KNEE:
        return mix
    block, reach = sample_rate // 1000, 6  # blocks of 1 ms; a peak lowers the gain from 6 ms before it to 6 ms after
    n = mix.shape[1]
    count = -(-n // block)
    peaks = np.abs(np.pad(mix, ((0, 0), (0, count * block - n)))).reshape(2, count, block).max(axis=(0, 2))
    allowed = KNEE + (CEILING - KNEE) * np.tanh((peaks - KNEE) / (CEILING - KNEE))
    needed = np.where(peaks > KNEE, allowed / np.maximum(peaks, KNEE), 1.0)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(needed, reach, constant_values=1), 2 * reach + 1)
    lowest = np.pad(windows.min(axis=1), reach, mode="edge")
    # A window one block narrower than the minimum's, so that a block's neighbours obey its peak as well and the
    # straight line between their gains does too.
    easing = np.hanning(2 * reach + 1)[1:-1]
    gains = np.convolve(lowest[1:-1], easing / easing.sum(), "valid")
    centres = (np.arange(count) + 0.5) * block
    limited: Signal = mix * np.interp(np.arange(n) + 0.5, centres, gains)
    return limited


def footstep(rng: Random, material: str, sample_rate: int) -> Signal:
    """One step: the foot's thump, and the ground's answer."""
    t = times(0.22, sample_rate)
    thump = tone(curve(t, (0, 0.08), (130, 70)) * rng.uniform(0.9, 1.1), 0.3, sample_rate) * strike(t, 0.002, 0.025)
    if material in ("stone", "wood"):
        modes, falls, click = {
            "stone": (np.array((680, 1460, 2350, 3900)), np.array((0.012, 0.009, 0.007, 0.005)), 0.5),
            "wood": (np.array((150, 320, 540, 910)), np.array((0.05, 0.035, 0.025, 0.015)), 0.2),
        }[material]
        body = ring(t, modes * rng.uniform(0.9, 1.12), falls, 0.8 ** np.arange(4), sample_rate)
        return 0.5 * thump + body + click * noise(rng, len(t), 1500, 8000, sample_rate) * strike(t, 0.0003, 0.005)
    low, high, rate, length, crackle, hiss = {
        "grass": (700, 6500, 500, 0.045, 0.5, 0.30),
        "sand": (250, 3000, 900, 0.060, 0.5, 0.35),
        "snow": (450, 4500, 1300, 0.075, 1.2, 0.12),
    }[material]
    # The ground gives way in two strokes: heel and toe.
    toe = rng.uniform(0.05, 0.07)
    press = strike(t, 0.002, length) + 0.6 * np.where(t > toe, strike(np.maximum(t - toe, 0), 0.008, length), 0)
    ground = crackle * grains(rng, t, rate, low, high, sample_rate) + hiss * noise(rng, len(t), low, high, sample_rate)
    return 0.35 * thump + ground * press


def impact(rng: Random, material: str, sample_rate: int) -> Signal:
    """A knock: the body's modes, each struck a little differently every time, and the click of contact."""
    pitch, ratios, fall, click = {
        "wood": (230, (1, 2.57, 4.2, 6.1, 8.4), 0.07, 0.4),
        "metal": (510, (1, 1.51, 2.76, 4.1, 5.43, 7.9, 10.2), 0.38, 0.3),
        "rubber": (92, (1, 1.9, 2.7), 0.055, 0.25),
        "stone": (420, (1, 1.7, 2.9, 3.6, 5.2), 0.03, 0.7),
    }[material]
    order = np.arange(len(ratios))
    t = times(min(8 * fall + 0.05, 1.8), sample_rate)
    frequencies = pitch * rng.uniform(0.85, 1.2) * np.array(ratios)
    strengths = rng.uniform(0.6, 1.2, len(order)) / (1 + 0.6 * order)
    body = ring(t, frequencies, fall / (1 + 0.6 * order), strengths, sample_rate)
    contact = noise(rng, len(t), 4 * pitch, 20 * pitch, sample_rate) * strike(t, 0.0003, 0.006)
    return body + click * contact


def splash(rng: Random, sample_rate: int) -> Signal:
    """Something falls into water: a slap, spray that rains back, bubbles that rise in pitch as they burst."""
    t = times(0.9, sample_rate)
    n = len(t)
    slap = noise(rng, n, 250, 2500, sample_rate) * strike(t, 0.002, 0.05)
    spray = noise(rng, n, 1800, 9000, sample_rate) * strike(t, 0.05, 0.16)
    drops = grains(rng, t, 120, 1200, 6000, sample_rate) * curve(t, (0.05, 0.3, 0.85), (0, 1, 0))
    sound = slap + 0.7 * spray + 0.9 * drops
    for start in rng.uniform(0.03, 0.5, 12):
        first = round(start * sample_rate)
        bubble = t[: min(n - first, round(0.12 * sample_rate))]
        pitch = rng.uniform(350, 1900)
        blip = tone(pitch * (1 + 6 * bubble), 0, sample_rate) * strike(bubble, 0.002, 12 / pitch)
        sound[first : first + len(blip)] += rng.uniform(0.3, 0.9) * blip
    return sound * swell(t, 0.0005, 0.3)


def whoosh(rng: Random, sample_rate: int) -> Signal:
    """Something rushes past: four bands of air that swell one after the other and fall back."""
    t = times(0.5, sample_rate)
    sound = np.zeros(len(t))
    for index, low in enumerate((150, 350, 800, 1800)):
        top = 0.16 + 0.03 * index
        swept = np.exp(-(((t - top) / 0.075) ** 2)) + 0.2 * strike(t, 0.002, 0.15)
        sound += 0.75**index * noise(rng, len(t), low, 2.2 * low, sample_rate) * swept
    return sound * swell(t, 0.0005, 0.15)


def _sound_of(event: SoundEvent, rng: Random, sample_rate: int) -> Signal:
    match event.kind:
        case "footstep":
            return footstep(rng, event.material, sample_rate)
        case "impact":
            return impact(rng, event.material, sample_rate)
        case "splash":
            return splash(rng, sample_rate)
        case "voice":
            return VOICES[event.material](rng, sample_rate)
        case _:
            return whoosh(rng, sample_rate)


def _place(mix: Signal, event: SoundEvent, sample_rate: int, seed: int) -> None:
    start = round(event.time * sample_rate) if event.time * sample_rate < mix.shape[1] else mix.shape[1]
    if start >= mix.shape[1] or event.loudness == 0:
        return
    kinds, materials = list(MATERIALS), MATERIALS[event.kind]
    material = materials.index(event.material) if materials else 0
    rng = np.random.default_rng((seed, 0, kinds.index(event.kind), material, start))
    sound = _sound_of(event, rng, sample_rate)
    sound *= LEVELS[event.kind] * event.loudness / _strength(sound, sample_rate)
    sound = sound[: mix.shape[1] - start]
    tail = min(len(sound), sample_rate // 200)
    sound[len(sound) - tail :] *= np.linspace(1, 0, tail)
    mix[:, start : start + len(sound)] += np.outer(pan_gains(event.pan), sound)


def _strength(sound: Signal, sample_rate: int) -> float:
    """How strong a sound is to the ear: the level of its loudest 50 ms, or a fifth of its peak if that is more."""
    window = sample_rate // 20
    energy = np.concatenate((np.zeros(window), np.cumsum(sound**2)))
    loudest = np.sqrt((energy[window:] - energy[:-window]).max() / window)
    return float(max(loudest, np.abs(sound).max() / 5))
