"""One voice for each subject: a function from a random generator to a sound that starts at its first sample.

Each voice is a source (harmonics of a gliding pitch, breath noise) through throat resonances, or a struck or
blown body. They are drawn, not recorded: recognisable, never twice the same, never aliased. Peaks are arbitrary;
`sound.py` sets the level.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from daybreak.diorama.waveforms import Random, Signal, curve, formants, noise, ring, strike, swell, times, tone, wander

Voice = Callable[[Random, int], Signal]


def dog(rng: Random, sample_rate: int) -> Signal:
    """A bark: a quick rise and fall of pitch with the mouth opening, and a burst of breath."""
    t = times(0.24, sample_rate)
    pitch = curve(t, (0, 0.03, 0.2), (300, 480, 250)) * rng.uniform(0.85, 1.2) * (1 + 0.03 * wander(rng, t, 90))
    source = tone(pitch, 0.9, sample_rate) + 0.9 * noise(rng, len(t), 300, 5000, sample_rate)
    throat = formants(source, ((620, 160, 1), (1150, 220, 0.8), (2500, 500, 0.35)), sample_rate)
    return throat * strike(t, 0.006, 0.06) * swell(t, 0.001, 0.08)


def cat(rng: Random, sample_rate: int) -> Signal:
    """A meow: the pitch arches while the mouth goes from "ee" through "ah" to "oo"."""
    t = times(rng.uniform(0.55, 0.75), sample_rate)
    end = t[-1]
    pitch = curve(t, (0, 0.35 * end, end), (560, 760, 470)) * rng.uniform(0.9, 1.15)
    pitch *= 1 + 0.012 * np.sin(2 * np.pi * 7 * t) + 0.008 * wander(rng, t, 40)
    source = tone(pitch, 0.88, sample_rate) + 0.05 * noise(rng, len(t), 1000, 7000, sample_rate)
    vowels = (
        ((480, 120, 1), (2300, 250, 0.6), (3200, 400, 0.3)),
        ((950, 180, 1), (1600, 220, 0.8), (3000, 400, 0.3)),
        ((520, 120, 1), (1050, 180, 0.4), (2700, 400, 0.1)),
    )
    openings = (
        curve(t, (0, 0.3 * end), (1, 0)),
        curve(t, (0, 0.3 * end, 0.45 * end, 0.85 * end), (0, 1, 1, 0)),
        curve(t, (0.45 * end, 0.85 * end), (0, 1)),
    )
    mouth = sum((formants(source, vowel, sample_rate) * part for vowel, part in zip(vowels, openings, strict=True)))
    return mouth * swell(t, 0.02, 0.2)


def rabbit(rng: Random, sample_rate: int) -> Signal:
    """Two short high squeaks."""
    sound = np.zeros(round(0.3 * sample_rate))
    for start, top in ((0.0, 2100), (0.15, 2350)):
        t = times(0.12, sample_rate)
        pitch = curve(t, (0, 0.04, 0.12), (1500, top, 1650)) * rng.uniform(0.92, 1.1)
        squeak = tone(pitch, 0.35, sample_rate) + 0.2 * noise(rng, len(t), 2000, 8000, sample_rate)
        _lay(sound, squeak * swell(t, 0.005, 0.05), start, sample_rate)
    return sound


def bear(rng: Random, sample_rate: int) -> Signal:
    """A growl: a low unsteady tone, torn by a slower flutter, with rough breath."""
    t = times(rng.uniform(0.8, 1.0), sample_rate)
    end = t[-1]
    pitch = curve(t, (0, 0.3 * end, end), (82, 105, 68)) * rng.uniform(0.9, 1.15) * (1 + 0.06 * wander(rng, t, 60))
    flutter = 0.6 + 0.4 * np.sin(2 * np.pi * np.cumsum(27 + 4 * wander(rng, t, 12)) / sample_rate)
    source = tone(pitch, 0.93, sample_rate) + 0.8 * noise(rng, len(t), 150, 2500, sample_rate)
    throat = formants(source * flutter, ((330, 110, 1), (760, 160, 0.8), (1500, 300, 0.35)), sample_rate)
    return throat * swell(t, 0.008, 0.35)


def elephant(rng: Random, sample_rate: int) -> Signal:
    """A trumpet call: brassy, rising, trembling, breaking at the top."""
    t = times(rng.uniform(0.8, 1.0), sample_rate)
    end = t[-1]
    pitch = curve(t, (0, 0.18 * end, 0.7 * end, end), (300, 520, 560, 380)) * rng.uniform(0.9, 1.1)
    pitch *= 1 + 0.02 * np.sin(2 * np.pi * 11 * t) + 0.02 * wander(rng, t, 120)
    source = tone(pitch, 0.93, sample_rate) + 0.7 * noise(rng, len(t), 900, 6000, sample_rate)
    trunk = formants(source, ((780, 250, 1), (1700, 350, 0.9), (3100, 700, 0.6)), sample_rate)
    return trunk * (1 + 0.25 * np.sin(2 * np.pi * 34 * t)) * swell(t, 0.008, 0.25)


def pig(rng: Random, sample_rate: int) -> Signal:
    """An oink: a snore drawn in through the nose, then a grunt that jumps up."""
    sound = np.zeros(round(0.4 * sample_rate))
    for start, length, pitches in ((0.0, 0.14, (95, 120, 100)), (0.15, 0.24, (190, 330, 170))):
        t = times(length, sample_rate)
        pitch = curve(t, (0, 0.4 * length, length), pitches) * rng.uniform(0.9, 1.1) * (1 + 0.05 * wander(rng, t, 100))
        pulses = tone(pitch, 0.92, sample_rate)
        breath = noise(rng, len(t), 400, 4000, sample_rate) * (0.4 + 0.6 * np.sin(2 * np.pi * 62 * t) ** 2)
        snout = formants(pulses + 1.3 * breath, ((480, 140, 1), (1350, 240, 0.8), (2600, 500, 0.4)), sample_rate)
        _lay(sound, snout * swell(t, 0.008, 0.09), start, sample_rate)
    return sound


def fox(rng: Random, sample_rate: int) -> Signal:
    """Two hoarse yaps, higher and thinner than a dog's bark."""
    sound = np.zeros(round(0.42 * sample_rate))
    for start in (0.0, 0.22):
        t = times(0.18, sample_rate)
        pitch = curve(t, (0, 0.04, 0.18), (620, 940, 520)) * rng.uniform(0.9, 1.12) * (1 + 0.05 * wander(rng, t, 90))
        source = tone(pitch, 0.85, sample_rate) + 0.8 * noise(rng, len(t), 700, 6000, sample_rate)
        throat = formants(source, ((950, 220, 1), (1900, 300, 0.8), (3200, 600, 0.4)), sample_rate)
        _lay(sound, throat * swell(t, 0.004, 0.08), start, sample_rate)
    return sound


def sheep(rng: Random, sample_rate: int) -> Signal:
    """A baa: a nasal open vowel that trembles all the way through."""
    t = times(rng.uniform(0.6, 0.8), sample_rate)
    end = t[-1]
    pitch = curve(t, (0, 0.15 * end, end), (250, 300, 235)) * rng.uniform(0.88, 1.2)
    tremble = 1 + 0.40 * np.sin(2 * np.pi * 9 * t + wander(rng, t, 8))
    source = tone(pitch * (1 + 0.03 * np.sin(2 * np.pi * 9 * t)), 0.92, sample_rate)
    source += 0.15 * noise(rng, len(t), 600, 4000, sample_rate)
    throat = formants(source, ((720, 150, 1), (1650, 240, 0.8), (2600, 400, 0.4)), sample_rate)
    return throat * tremble * swell(t, 0.02, 0.2)


def horse(rng: Random, sample_rate: int) -> Signal:
    """A whinny: a high shaking call that falls by more than an octave, and a breathy end."""
    t = times(rng.uniform(0.9, 1.15), sample_rate)
    end = t[-1]
    shake = np.sin(2 * np.pi * np.cumsum(curve(t, (0, end), (13, 9))) / sample_rate)
    pitch = curve(t, (0, 0.15 * end, 0.6 * end, end), (620, 980, 640, 330)) * rng.uniform(0.9, 1.12)
    source = tone(pitch * (1 + 0.07 * shake), 0.86, sample_rate) + 0.35 * noise(rng, len(t), 600, 5000, sample_rate)
    throat = formants(source, ((850, 220, 1), (1700, 320, 0.8), (2900, 600, 0.4)), sample_rate)
    return throat * (0.75 + 0.25 * shake) * swell(t, 0.03, 0.35)


def bird(rng: Random, sample_rate: int) -> Signal:
    """A phrase of three or four chirps."""
    notes = [chirp(rng, sample_rate) for _ in range(rng.integers(3, 5))]
    sound = np.zeros(sum(len(note) for note in notes) + round(0.04 * len(notes) * sample_rate))
    start = 0.0
    for note in notes:
        _lay(sound, note, start, sample_rate)
        start += len(note) / sample_rate + rng.uniform(0.01, 0.04)
    return sound


def chirp(rng: Random, sample_rate: int) -> Signal:
    """One chirp: a fast sweep between 2.5 and 6 kHz, sometimes trilled."""
    t = times(rng.uniform(0.06, 0.13), sample_rate)
    first, middle, last = rng.uniform((2800, 3600, 2600), (4200, 5800, 4400))
    pitch = curve(t, (0, 0.4 * t[-1], t[-1]), (first, middle, last))
    trill = 1 + rng.choice((0.0, 0.05)) * np.sin(2 * np.pi * 45 * t)
    return tone(pitch * trill, 0.12, sample_rate) * swell(t, 0.006, 0.5 * t[-1])


def penguin(rng: Random, sample_rate: int) -> Signal:
    """A honk: nasal, rough, like a small donkey."""
    t = times(rng.uniform(0.4, 0.55), sample_rate)
    end = t[-1]
    pitch = curve(t, (0, 0.25 * end, 0.7 * end, end), (240, 330, 310, 210)) * rng.uniform(0.9, 1.15)
    rough = 1 + 0.45 * np.sin(2 * np.pi * 48 * t + 0.8 * wander(rng, t, 30))
    source = tone(pitch * (1 + 0.02 * wander(rng, t, 80)), 0.94, sample_rate)
    source += 0.25 * noise(rng, len(t), 500, 5000, sample_rate)
    beak = formants(source, ((880, 150, 1), (1750, 220, 0.8), (2900, 400, 0.4)), sample_rate)
    return beak * rough * swell(t, 0.006, 0.15)


def car(rng: Random, sample_rate: int) -> Signal:
    """A horn: two bright reeds a third apart."""
    return _horn(rng, sample_rate, 415.0, 1.26, rng.uniform(0.35, 0.5))


def _horn(rng: Random, sample_rate: int, pitch: float, interval: float, seconds: float) -> Signal:
    """Two bright reeds, the second `interval` times as high as the first."""
    t = times(seconds, sample_rate)
    steady = np.full(len(t), pitch * rng.uniform(0.96, 1.04))
    reeds = tone(steady, 0.86, sample_rate) + tone(steady * interval, 0.86, sample_rate)
    return formants(reeds, ((600, 500, 0.7), (1900, 900, 1), (3000, 1200, 0.6)), sample_rate) * swell(t, 0.008, 0.05)


def truck(rng: Random, sample_rate: int) -> Signal:
    """A deep air horn, long."""
    return _horn(rng, sample_rate, 185.0, 1.33, rng.uniform(0.6, 0.8))


def bus(rng: Random, sample_rate: int) -> Signal:
    """A horn between a car's and a truck's, sounded twice."""
    first = _horn(rng, sample_rate, 290.0, 1.19, 0.22)
    return np.concatenate([first, np.zeros(round(0.08 * sample_rate)), first])


def train(rng: Random, sample_rate: int) -> Signal:
    """A steam whistle: a chord of three pipes in a rush of steam, bending down at the end."""
    t = times(rng.uniform(0.8, 1.0), sample_rate)
    bend = curve(t, (0, 0.06, 0.75 * t[-1], t[-1]), (0.9, 1.0, 1.0, 0.93)) * rng.uniform(0.95, 1.06)
    pipes = sum((tone(pitch * bend, 0.45, sample_rate) for pitch in (660.0, 784.0, 990.0)), np.zeros(len(t)))
    return (pipes + 0.5 * noise(rng, len(t), 900, 7000, sample_rate)) * swell(t, 0.04, 0.15)


def duck(rng: Random, sample_rate: int) -> Signal:
    """Two or three quacks: a buzzing source through a narrow bright bill."""
    count = int(rng.integers(2, 4))
    sound = np.zeros(round(0.24 * count * sample_rate))
    for index in range(count):
        t = times(0.19, sample_rate)
        pitch = curve(t, (0, 0.03, 0.19), (250, 310, 190)) * rng.uniform(0.92, 1.1)
        source = tone(pitch, 0.95, sample_rate) + 0.3 * noise(rng, len(t), 800, 5000, sample_rate)
        bill = formants(source, ((1150, 140, 1), (2100, 220, 0.9), (3300, 500, 0.4)), sample_rate)
        _lay(sound, bill * swell(t, 0.004, 0.07), 0.24 * index, sample_rate)
    return sound


def fish(rng: Random, sample_rate: int) -> Signal:
    """A string of bubbles, each rising in pitch as it leaves."""
    sound = np.zeros(round(0.5 * sample_rate))
    for index in range(4):
        t = times(0.09, sample_rate)
        pitch = curve(t, (0, 0.09), (380, 900)) * rng.uniform(0.8, 1.3)
        _lay(sound, tone(pitch, 0.2, sample_rate) * swell(t, 0.006, 0.05), 0.11 * index, sample_rate)
    return sound


def rocket(rng: Random, sample_rate: int) -> Signal:
    """The rush of an engine that is lit and dies away."""
    t = times(rng.uniform(0.9, 1.2), sample_rate)
    rush = noise(rng, len(t), 60, 2600, sample_rate) + 0.5 * noise(rng, len(t), 60, 240, sample_rate)
    return rush * (0.8 + 0.2 * wander(rng, t, 25)) * swell(t, 0.010, 0.5)


def hot_air_balloon(rng: Random, sample_rate: int) -> Signal:
    """The burner: a short hissing roar."""
    t = times(rng.uniform(0.7, 0.9), sample_rate)
    hiss = noise(rng, len(t), 300, 6000, sample_rate) + 0.8 * noise(rng, len(t), 100, 500, sample_rate)
    return hiss * swell(t, 0.010, 0.12)


def balloon(rng: Random, sample_rate: int) -> Signal:
    """A rubbery squeak."""
    t = times(0.25, sample_rate)
    pitch = curve(t, (0, 0.1, 0.25), (620, 1150, 800)) * rng.uniform(0.85, 1.2) * (1 + 0.04 * wander(rng, t, 120))
    return tone(pitch, 0.7, sample_rate) * swell(t, 0.01, 0.06)


def cube(rng: Random, sample_rate: int) -> Signal:
    """Two knocks on a wooden block."""
    sound = np.zeros(round(0.4 * sample_rate))
    for start in (0.0, 0.17):
        t = times(0.2, sample_rate)
        modes = np.array((1.0, 2.3, 3.9)) * 520 * rng.uniform(0.92, 1.08)
        block = ring(t, modes, np.array((0.05, 0.03, 0.02)), np.array((1.0, 0.5, 0.3)), sample_rate)
        click = 0.5 * noise(rng, len(t), 800, 5000, sample_rate) * strike(t, 0.0003, 0.004)
        _lay(sound, block + click, start, sample_rate)
    return sound


def snowman(rng: Random, sample_rate: int) -> Signal:
    """Sleigh bells, shaken four times."""
    sound = np.zeros(round(0.9 * sample_rate))
    for index in range(4):
        t = times(0.3, sample_rate)
        modes = np.array((1.0, 1.34, 1.71, 2.18)) * 3100 * rng.uniform(0.94, 1.06)
        bells = ring(t, modes, np.full(4, 0.09), rng.uniform(0.4, 1.0, 4), sample_rate)
        shake = 0.4 * noise(rng, len(t), 3000, 9000, sample_rate) * strike(t, 0.0005, 0.02)
        _lay(sound, bells + shake, 0.19 * index, sample_rate)
    return sound


def boat(rng: Random, sample_rate: int) -> Signal:
    """A ship's bell, struck once."""
    t = times(1.6, sample_rate)
    # Partials of a bell relative to its strike note: hum, prime, tierce, quint, nominal and above; minor third kept.
    ratios = np.array((0.5, 1, 1.19, 1.5, 2, 2.51, 2.66, 3.01, 4.17, 5.43))
    pitch = 880 * rng.uniform(0.92, 1.08)
    falls = 0.75 / ratios**0.75
    strengths = np.array((0.5, 0.7, 0.6, 0.3, 1, 0.4, 0.35, 0.4, 0.3, 0.2)) * rng.uniform(0.8, 1.2, len(ratios))
    clapper = 1.2 * noise(rng, len(t), 2500, 9000, sample_rate) * strike(t, 0.0003, 0.004)
    # A second, slightly sharper set of modes makes the bell beat, as a cast bell does.
    body = ring(t, pitch * ratios, falls, strengths, sample_rate)
    return body + ring(t, pitch * ratios * 1.0025, falls, 0.6 * strengths, sample_rate) + clapper


def ball(rng: Random, sample_rate: int) -> Signal:
    """A boing: a rubbery knock, then a pitch that wobbles as it settles."""
    t = times(0.55, sample_rate)
    wobble = np.sin(2 * np.pi * np.cumsum(13 + 9 * t) / sample_rate)
    pitch = 170 * rng.uniform(0.85, 1.25) * (1 + 0.32 * wobble * np.exp(-t / 0.22) + 0.25 * np.exp(-t / 0.05))
    spring = tone(pitch, 0.6, sample_rate) * strike(t, 0.003, 0.15)
    return spring + 0.7 * noise(rng, len(t), 150, 1500, sample_rate) * strike(t, 0.0005, 0.012)


def robot(rng: Random, sample_rate: int) -> Signal:
    """Three or four beeps on a five-note scale, one of them sliding."""
    count = int(rng.integers(3, 5))
    sound = np.zeros(round(0.11 * count * sample_rate))
    slide = rng.integers(0, count)
    for index in range(count):
        t = times(0.09, sample_rate)
        note = 700 * 2 ** (rng.choice((0, 2, 4, 7, 9, 12)) / 12)
        pitch = note * (curve(t, (0, 0.08), (0.7, 1.5)) if index == slide else np.ones(len(t)))
        _lay(sound, tone(pitch, 0.55, sample_rate) * swell(t, 0.002, 0.012), 0.11 * index, sample_rate)
    return sound


VOICES: dict[str, Voice] = {
    "dog": dog,
    "cat": cat,
    "rabbit": rabbit,
    "bear": bear,
    "elephant": elephant,
    "pig": pig,
    "bird": bird,
    "penguin": penguin,
    "car": car,
    "boat": boat,
    "ball": ball,
    "robot": robot,
    "fox": fox,
    "sheep": sheep,
    "horse": horse,
    "duck": duck,
    "fish": fish,
    "truck": truck,
    "bus": bus,
    "train": train,
    "rocket": rocket,
    "balloon": balloon,
    "hot-air balloon": hot_air_balloon,
    "cube": cube,
    "snowman": snowman,
}


def _lay(sound: Signal, part: Signal, start: float, sample_rate: int) -> None:
    first = round(start * sample_rate)
    room = len(sound) - first
    sound[first : first + len(part)] += part[:room]
