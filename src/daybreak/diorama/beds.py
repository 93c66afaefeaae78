"""The sounds that last through a scene (rain, wind, engines, insects): each a stereo signal (2, n) of steady level."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from daybreak.diorama.scene import AIRLESS_ENVIRONMENTS, INDOOR_ENVIRONMENTS, SUBMERGED_ENVIRONMENTS, SceneSpec
from daybreak.diorama.voices import chirp
from daybreak.diorama.waveforms import Random, Signal, curve, formants, grains, noise, strike, times, tone, wander

Bed = Callable[[Random, Signal, int], Signal]


def pan_gains(pan: float) -> Signal:
    """Left and right gains (2,) of a source at `pan` (-1 left, 1 right); their squares sum to 1 (constant power)."""
    angle = (pan + 1) * np.pi / 4
    return np.array((np.cos(angle), np.sin(angle)))


def rain(rng: Random, t: Signal, sample_rate: int) -> Signal:
    """A wide hiss, and single drops that patter left and right."""
    hiss = _wide_noise(rng, t, 1200, 9000, sample_rate)
    drops = np.stack([grains(rng, t, 180, 1500, 7000, sample_rate) for _ in range(2)])
    heavy = grains(rng, t, 25, 300, 1800, sample_rate)
    return 0.045 * hiss + 0.16 * drops + 0.08 * heavy


def wind(rng: Random, t: Signal, sample_rate: int) -> Signal:
    """Gusts: a low rush that is always there, a brighter one that comes and goes, a faint whistle."""
    gust = np.clip(0.55 + 0.3 * wander(rng, t, 1.1), 0.1, 1.2)
    low = _wide_noise(rng, t, 90, 420, sample_rate)
    high = _wide_noise(rng, t, 400, 1300, sample_rate)
    whistle = noise(rng, len(t), 640, 700, sample_rate)
    return 0.07 * (0.5 + 0.5 * gust) * low + 0.06 * gust**2 * high + 0.012 * gust**3 * whistle


def waves(rng: Random, t: Signal, sample_rate: int) -> Signal:
    """Surf: each wave rises, breaks brightly and draws back over a constant murmur."""
    period = rng.uniform(2.6, 3.4)
    part = (t / period + rng.random()) % 1
    rise = curve(part, (0, 0.35, 0.45, 1), (0.15, 0.7, 1, 0.15))
    foam = curve(part, (0.3, 0.48, 0.95), (0.05, 1, 0.05))
    foam[part < 0.3] = 0.05
    murmur = _wide_noise(rng, t, 120, 600, sample_rate)
    hiss = _wide_noise(rng, t, 900, 6500, sample_rate)
    return 0.08 * rise * murmur + 0.05 * foam * hiss


def engine(rng: Random, t: Signal, sample_rate: int) -> Signal:
    """A combustion engine: firing pulses, uneven from cylinder to cylinder, through a dull exhaust."""
    pitch = 62 * rng.uniform(0.9, 1.15) * (1 + 0.015 * np.sin(2 * np.pi * 2.3 * t) + 0.01 * wander(rng, t, 20))
    uneven = 1 + 0.3 * np.sin(np.pi * np.cumsum(pitch) / sample_rate + 1) + 0.08 * wander(rng, t, 50)
    source = tone(pitch, 0.9, sample_rate) * uneven + 0.35 * noise(rng, len(t), 80, 1500, sample_rate)
    exhaust = formants(source, ((110, 90, 1), (280, 160, 0.8), (900, 500, 0.25)), sample_rate)
    return 0.09 * exhaust + 0.004 * _wide_noise(rng, t, 1500, 5000, sample_rate)


def motor(rng: Random, t: Signal, sample_rate: int) -> Signal:
    """An electric motor: a steady hum, the whine of its gears, a little brush noise."""
    pitch = 118 * rng.uniform(0.9, 1.15) * (1 + 0.006 * wander(rng, t, 15))
    hum = formants(tone(pitch, 0.8, sample_rate), ((240, 200, 1), (700, 400, 0.4)), sample_rate)
    whine = tone(pitch * 11.04, 0.25, sample_rate) * (1 + 0.3 * np.sin(2 * np.pi * np.cumsum(pitch / 4) / sample_rate))
    return 0.05 * hum + 0.008 * whine + 0.006 * _wide_noise(rng, t, 2000, 7000, sample_rate)


def crickets(rng: Random, t: Signal, sample_rate: int) -> Signal:
    """Four crickets around the viewer, each a pure note in trains of short pulses."""
    bed = np.zeros((2, len(t)))
    for pan, level in ((-0.8, 0.5), (0.7, 0.7), (-0.2, 1.0), (0.35, 0.35)):
        pulses, rest = rng.uniform(24, 32), rng.uniform(0.35, 0.6)
        cycle = (t + rng.random()) % rest
        on = (cycle < 3 / pulses) * np.sin(np.pi * pulses * cycle) ** 2
        note = np.full(len(t), rng.uniform(4200, 4900))
        bed += 0.04 * level * tone(note, 0, sample_rate) * on * pan_gains(pan)[:, None]
    return bed


def birds(rng: Random, t: Signal, sample_rate: int) -> Signal:
    """Birds in the distance: chirps in twos and threes from all sides, over leaves."""
    bed = 0.004 * _wide_noise(rng, t, 1500, 6000, sample_rate)
    start = rng.uniform(0.0, 0.3)
    while start < t[-1]:
        gains = 0.05 * rng.uniform(0.4, 1) * pan_gains(rng.uniform(-0.95, 0.95))
        for _ in range(rng.integers(2, 4)):
            note = chirp(rng, sample_rate)
            first = round(start * sample_rate)
            bed[:, first : first + len(note)] += np.outer(gains, note)[:, : max(0, len(t) - first)]
            start += len(note) / sample_rate + rng.uniform(0.02, 0.06)
        start += rng.uniform(0.15, 0.5)
    return bed


def flap(rng: Random, t: Signal, sample_rate: int) -> Signal:
    """Wing beats, six or seven a second: a soft thump of air down, a rustle up."""
    rate = rng.uniform(6, 7)
    part = ((t + rng.random()) * rate) % 1 / rate
    down = strike(part, 0.012, 0.035) * (1 - part * rate)
    up = curve(part * rate, (0.45, 0.6, 0.95), (0, 1, 0))
    air = noise(rng, len(t), 90, 500, sample_rate)
    return 0.16 * down * air + 0.012 * up * _wide_noise(rng, t, 1500, 5000, sample_rate)


def bubbles(rng: Random, t: Signal, sample_rate: int) -> Signal:
    """Under water: a dull rumble that presses on the ears, and strings of bubbles whose pitch rises."""
    bed = 0.09 * _wide_noise(rng, t, 60, 260, sample_rate)
    start = rng.uniform(0.0, 0.2)
    while start < t[-1]:
        gains = 0.10 * rng.uniform(0.4, 1) * pan_gains(rng.uniform(-0.9, 0.9))
        for _ in range(rng.integers(2, 6)):
            since = np.maximum(t - start, 0)
            pitch = rng.uniform(320, 700) * (1 + 6 * np.clip(since, 0, 0.1))
            bed += np.outer(gains, strike(since, 0.004, 0.03) * np.sin(2 * np.pi * np.cumsum(pitch) / sample_rate))
            start += rng.uniform(0.05, 0.11)
        start += rng.uniform(0.15, 0.5)
    return bed


def traffic(rng: Random, t: Signal, sample_rate: int) -> Signal:
    """A city in the distance: the roar of many wheels that swells and falls, a hum of engines below."""
    swell = np.clip(0.7 + 0.25 * wander(rng, t, 0.8), 0.3, 1.2)
    roar = _wide_noise(rng, t, 150, 900, sample_rate)
    hum = tone(74 * (1 + 0.02 * wander(rng, t, 1.5)), 0.8, sample_rate)
    return 0.045 * swell * roar + 0.012 * formants(hum, ((150, 120, 1), (420, 200, 0.4)), sample_rate)


def thunder(rng: Random, t: Signal, sample_rate: int) -> Signal:
    """Claps that crack and then roll away, one after another."""
    rumble = _wide_noise(rng, t, 30, 160, sample_rate)
    crack = _wide_noise(rng, t, 150, 1400, sample_rate)
    bed = 0.02 * rumble
    start = rng.uniform(0.1, 0.6)
    while start < t[-1]:
        since = np.maximum(t - start, 0)
        rolling = np.clip(1 + 0.5 * wander(rng, t, 6), 0.2, 2)
        bed += 0.10 * strike(since, 0.05, 0.7) * rolling * rumble + 0.06 * strike(since, 0.01, 0.12) * crack
        start += rng.uniform(1.0, 1.6)
    return bed


BEDS: dict[str, Bed] = {
    "rain": rain,
    "wind": wind,
    "waves": waves,
    "engine": engine,
    "motor": motor,
    "crickets": crickets,
    "birds": birds,
    "flap": flap,
    "bubbles": bubbles,
    "traffic": traffic,
    "thunder": thunder,
}


def scene_beds(spec: SceneSpec) -> tuple[str, ...]:
    """The beds a scene is heard with: its place and weather (none indoors or without air), then its subjects'."""
    beds = [] if spec.environment in INDOOR_ENVIRONMENTS + AIRLESS_ENVIRONMENTS else _surroundings(spec)
    machines = {"boat": "motor", "robot": "motor", **dict.fromkeys(("car", "truck", "bus", "train"), "engine")}
    machines["rocket"] = "engine"
    for subject in spec.subjects:
        if subject.kind in machines and subject.action != "stand":
            beds.append(machines[subject.kind])
        elif subject.kind in ("bird", "duck") and subject.action == "fly":
            beds.append("flap")
    return tuple(dict.fromkeys(beds))


def _surroundings(spec: SceneSpec) -> list[str]:
    if spec.environment in SUBMERGED_ENVIRONMENTS:
        return ["bubbles"]
    beds = []
    if spec.weather == "rain":
        beds.append("rain")
    if spec.weather == "storm":
        beds += ["rain", "thunder"]
    if spec.environment == "beach":
        beds.append("waves")
    if spec.environment == "city":
        beds.append("traffic")
    if spec.environment in ("desert", "snowfield") or spec.weather in ("snow", "fog", "storm"):
        beds.append("wind")
    if spec.environment in ("meadow", "forest") and spec.weather not in ("rain", "snow", "storm"):
        beds.append("crickets" if spec.time_of_day == "night" else "birds")
    return beds


def make_bed(name: str, rng: Random, n: int, sample_rate: int) -> Signal:
    """The bed `name` (a key of `BEDS`), (2, n), faded in and out over 40 ms so that it never clicks."""
    t = times(n / sample_rate, sample_rate)
    fade = np.clip(np.minimum(t, t[-1] - t) / 0.04, 0, 1)
    bed = np.broadcast_to(BEDS[name](rng, t, sample_rate), (2, n))
    faded: Signal = bed * (0.5 - 0.5 * np.cos(np.pi * fade))
    return faded


def _wide_noise(rng: Random, t: Signal, low: float, high: float, sample_rate: int) -> Signal:
    """Noise (2, n) that is half shared by both ears: wide, but with no hole in the middle."""
    middle, side = noise(rng, len(t), low, high, sample_rate, channels=2)
    return np.stack((0.8 * middle + 0.6 * side, 0.8 * middle - 0.6 * side))
