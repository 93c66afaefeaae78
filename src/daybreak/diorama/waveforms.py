"""The raw material of every Diorama sound: tones, noises, ringing bodies and the curves that shape them.

Everything here is band-limited by construction: tones stop below the Nyquist frequency, noise is drawn in the
frequency domain, so nothing aliases at any sample rate. Signals are (n,) float64, times are seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]
Random = np.random.Generator

HIGHEST = 0.45  # highest frequency of any tone, as a part of the sample rate: leaves room for modulation sidebands


def times(seconds: float, sample_rate: int) -> Signal:
    """The sample times 0, 1/sample_rate, ... of a sound of `seconds` (at least one sample)."""
    return np.arange(max(1, round(seconds * sample_rate))) / sample_rate


def curve(t: Signal, knots: Sequence[float], values: Sequence[float]) -> Signal:
    """A smooth curve through `values` at the times `knots`, flat at every knot and outside them."""
    positions = np.asarray(knots, np.float64)
    heights = np.asarray(values, np.float64)
    segment = np.clip(np.searchsorted(positions, t, "right") - 1, 0, len(positions) - 2)
    part = np.clip((t - positions[segment]) / (positions[segment + 1] - positions[segment]), 0, 1)
    glide: Signal = heights[segment] + (heights[segment + 1] - heights[segment]) * (part * part * (3 - 2 * part))
    return glide


def wander(rng: Random, t: Signal, rate: float) -> Signal:
    """A random curve of about unit strength that changes direction `rate` times a second (jitter, gusts)."""
    knots = math.ceil(t[-1] * rate) + 2
    walk: Signal = np.interp(t * rate + rng.random(), np.arange(knots + 1), rng.standard_normal(knots + 1))
    return walk


def strike(t: Signal, attack: float, fall: float) -> Signal:
    """Envelope of something struck: rises at once with time constant `attack`, dies away with `fall`."""
    envelope: Signal = -np.expm1(-t / attack) * np.exp(-t / fall)
    return envelope


def swell(t: Signal, attack: float, release: float) -> Signal:
    """Envelope of something held: quick start with time constant `attack`, raised-cosine end of `release` seconds."""
    end = np.clip((t[-1] - t) / release, 0, 1)
    envelope: Signal = -np.expm1(-t / attack) * (0.5 - 0.5 * np.cos(np.pi * end))
    return envelope


def tone(frequency: Signal, tilt: float, sample_rate: int) -> Signal:
    """All harmonics of a gliding `frequency` (Hz per sample), each `tilt` times as strong as the one below, first 1.

    The sum of r^(k-1) sin(k phase), k = 1..K, in closed form; K keeps the highest harmonic under the Nyquist
    frequency at the glide's top. tilt 0 gives the pure sine, tilt must be under 1.
    """
    pitch = np.minimum(frequency, HIGHEST * sample_rate)
    phase = np.cumsum(pitch) * (2 * np.pi / sample_rate)
    count = max(1, int(HIGHEST * sample_rate / pitch.max()))
    partials: Signal = np.sin(phase)
    if tilt == 0 or count == 1:
        return partials
    if tilt**count > 1e-6:  # -120 dB: below it the series may as well be endless
        partials -= tilt**count * (np.sin((count + 1) * phase) - tilt * np.sin(count * phase))
    partials /= 1 + tilt * tilt - 2 * tilt * np.cos(phase)
    return partials


def ring(t: Signal, frequencies: Any, falls: Any, strengths: Any, sample_rate: int) -> Signal:
    """A struck body: damped sines at `frequencies` (Hz) dying with time constants `falls` (s), from silence at t = 0.

    Modes too high for the sample rate are left out.
    """
    block = math.isqrt(len(t)) + 1
    sound = np.zeros(block * block)
    for frequency, fall, strength in np.broadcast(frequencies, falls, strengths):
        if frequency < HIGHEST * sample_rate:
            # exp(s (i block + j)) as an outer product: two short exponentials instead of a long one.
            power = (2j * np.pi * frequency - 1 / fall) / sample_rate
            steps = np.arange(block)
            sound += strength * np.outer(np.exp(power * block * steps), np.exp(power * steps)).imag.ravel()
    return sound[: len(t)]


def noise(rng: Random, n: int, low: float, high: float, sample_rate: int, channels: int = 1) -> Signal:
    """Unit-strength noise between `low` and `high` Hz (12 dB per octave outside): (n,), or (channels, n)."""
    length = _fast_length(n)
    shape = _band(length, low, high, sample_rate)
    # The real and imaginary parts are uniform in [-1/2, 1/2): their variance, 1/12, sets the scale; the sum over
    # the bins makes the samples normal.
    shape *= length / np.sqrt(np.vdot(shape, shape) / 3)
    spectrum = (rng.random((channels, len(shape), 2), np.float32) - np.float32(0.5)).view(np.complex64)[..., 0]
    spectrum *= shape
    samples = np.fft.irfft(spectrum, length, axis=1)[:, :n].astype(np.float64)
    return samples if channels > 1 else samples[0]


def grains(rng: Random, t: Signal, rate: float, low: float, high: float, sample_rate: int) -> Signal:
    """Crackle of `rate` grains a second, the first at t = 0, each a click between `low` and `high` Hz, peak about 1."""
    length = _fast_length(len(t))
    impulses = np.zeros(length, np.float32)
    count = 1 + rng.poisson(rate * t[-1])
    places = rng.integers(0, len(t), count)
    places[0] = 0
    np.add.at(impulses, places, rng.choice((-1.0, 1.0), count) * rng.uniform(0.3, 1, count) ** 2)
    shape = _band(length, low, high, sample_rate)
    # A lone click's height at its own instant is the mean of the filter over all frequencies.
    spectrum = np.fft.rfft(impulses) * (shape / shape.mean())
    return np.fft.irfft(spectrum, length)[: len(t)].astype(np.float64)


def formants(source: Signal, resonances: Sequence[tuple[float, float, float]], sample_rate: int) -> Signal:
    """`source` through parallel throat resonances (centre Hz, bandwidth Hz, strength), causal."""
    length = _fast_length(len(source) + sample_rate // 20)  # room for the resonances to ring out
    frequency = np.arange(length // 2 + 1) * (sample_rate / length)
    response = np.zeros(len(frequency), np.complex128)
    for number, (centre, bandwidth, strength) in enumerate(resonances):
        damping = 1j * bandwidth * frequency
        # Alternating signs keep parallel resonances from cancelling between their centres.
        response += (-1) ** number * strength * damping / (centre**2 - frequency**2 + damping)
    spectrum = np.fft.rfft(source.astype(np.float32), length) * response.astype(np.complex64)
    return np.fft.irfft(spectrum, length)[: len(source)].astype(np.float64)


def _band(length: int, low: float, high: float, sample_rate: int) -> NDArray[np.float32]:
    squares = (np.arange(length // 2 + 1, dtype=np.float32) * np.float32(sample_rate / length)) ** 2
    squares[0] = 1e-3
    below, above = np.float32(low * low) / squares, squares / np.float32(high * high)
    band: NDArray[np.float32] = 1 / np.sqrt((1 + below * below) * (1 + above * above))
    band[squares > (HIGHEST * sample_rate) ** 2] = 0
    return band


def _fast_length(n: int) -> int:
    return min(factor << max(0, math.ceil(math.log2(n / factor))) for factor in (1, 3, 5, 9, 15))
