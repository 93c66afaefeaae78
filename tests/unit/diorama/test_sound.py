"""Events are heard at their exact time and place, independently of each other; the mix never clips."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from daybreak.diorama.beds import BEDS
from daybreak.diorama.scene import SUBJECTS
from daybreak.diorama.sound import CEILING, KNEE, MATERIALS, SoundEvent, limit, synthesise

EVERY_SOUND = [(kind, material) for kind, materials in MATERIALS.items() for material in materials or ("",)]
RATE = 48000


def brightness(kind: str, material: str) -> float:
    """The mean frequency of a sound, weighted by energy, over a few seeds, in Hz."""
    sounds = [synthesise([SoundEvent(kind, material, 0.0)], [], 1, 24000, seed)[0] for seed in range(4)]
    energy = np.square(np.abs(np.fft.rfft(sounds))).sum(0)
    return float((energy * np.fft.rfftfreq(24000, 1 / 24000)).sum() / energy.sum())


def test_no_events_and_no_beds_is_silence() -> None:
    sound = synthesise([], [], 1.5)
    assert sound.shape == (2, 72000)
    assert sound.dtype == np.float32
    assert not sound.any()


@pytest.mark.parametrize(("seconds", "rate", "samples"), [(2, 48000, 96000), (49 / 24, 44100, 90038), (0.1, 8000, 800)])
def test_the_length_is_exact(seconds: float, rate: int, samples: int) -> None:
    assert synthesise([SoundEvent("impact", "wood", 0)], ["rain"], seconds, rate).shape == (2, samples)


@pytest.mark.parametrize(("kind", "material"), EVERY_SOUND)
@pytest.mark.parametrize("rate", [16000, 48000])
def test_a_sound_starts_within_two_milliseconds_of_its_time(kind: str, material: str, rate: int) -> None:
    for seed in range(6):
        time = 0.1 + 0.0137 * seed
        start = round(time * rate)
        energy = np.square(synthesise([SoundEvent(kind, material, time)], [], 0.9, rate, seed)).sum(0)
        assert not energy[:start].any()
        # Heard: within 40 dB of the loudest moment.
        assert np.argmax(energy > 1e-4 * energy.max()) - start <= 0.002 * rate


@pytest.mark.parametrize(("kind", "material"), EVERY_SOUND)
def test_loudness_scales_and_pan_turns_without_changing_the_power(kind: str, material: str) -> None:
    middle = synthesise([SoundEvent(kind, material, 0.1)], [], 0.6)
    left = synthesise([SoundEvent(kind, material, 0.1, pan=-1)], [], 0.6)
    quiet = synthesise([SoundEvent(kind, material, 0.1, pan=0.5, loudness=0.25)], [], 0.6)
    assert 0.05 < np.abs(left).max() <= KNEE
    assert_allclose(middle[0], middle[1])
    assert_allclose(left[1], 0, atol=1e-7)
    assert_allclose(np.square(left).sum(0), np.square(middle).sum(0), atol=1e-6)
    assert_allclose(np.square(quiet).sum(0), np.square(middle).sum(0) / 16, atol=1e-6)
    assert_allclose(quiet[0] * np.tan(1.5 * np.pi / 4), quiet[1], atol=1e-6)


def test_the_mix_is_the_sum_of_its_parts_in_any_order() -> None:
    events = [
        SoundEvent("footstep", "snow", 0.1, -0.5, 0.4),
        SoundEvent("voice", "cat", 0.3, 0.2, 0.4),
        SoundEvent("splash", "", 0.6, 0.7, 0.4),
    ]
    beds = ["wind", "crickets"]
    whole = synthesise(events, beds, 1.2, seed=5)
    parts = [synthesise([event], [], 1.2, seed=5) for event in events]
    parts += [synthesise([], [bed], 1.2, seed=5) for bed in beds]
    assert np.abs(whole).max() < KNEE
    assert_allclose(whole, np.sum(parts, axis=0), atol=1e-6)
    assert_allclose(synthesise(events[::-1], [*beds[::-1], "wind"], 1.2, seed=5), whole, atol=1e-6)


def test_a_longer_clip_begins_with_the_same_sound() -> None:
    events = [SoundEvent("voice", "boat", 0.2), SoundEvent("impact", "metal", 0.5)]
    short, long = (synthesise(events, [], seconds) for seconds in (0.8, 3))
    fade = RATE // 200
    assert np.array_equal(short[:, :-fade], long[:, : short.shape[1] - fade])
    assert not short[:, -1].any()


def test_an_event_after_the_end_is_not_heard() -> None:
    assert not synthesise([SoundEvent("voice", "dog", 1.0), SoundEvent("voice", "dog", 1e300)], [], 1).any()


def test_the_seed_decides() -> None:
    events, beds = [SoundEvent("voice", "pig", 0.2), SoundEvent("whoosh", "", 0.4)], list(BEDS)
    first = synthesise(events, beds, 1, seed=1)
    assert np.array_equal(first, synthesise(events, beds, 1, seed=1))
    assert not np.array_equal(first, synthesise(events, beds, 1, seed=2))


def test_equal_steps_at_different_times_are_not_copies() -> None:
    sound = synthesise([SoundEvent("footstep", "grass", time) for time in (0, 0.5)], [], 1)
    assert not np.array_equal(sound[:, : RATE // 10], sound[:, RATE // 2 : RATE // 2 + RATE // 10])


def test_a_crowd_of_sounds_is_limited_and_stays_in_place() -> None:
    events = [SoundEvent("voice", kind, 0.5 + 0.01 * n, pan=-0.5) for n, kind in enumerate(SUBJECTS * 4)]
    sound = synthesise(events, [], 1.5)
    assert KNEE < np.abs(sound).max() <= CEILING
    gains = np.cos(np.pi / 8), np.sin(np.pi / 8)
    assert_allclose(sound[0] * gains[1], sound[1] * gains[0], atol=1e-6)


def test_the_limiter_leaves_quiet_mixes_alone_and_is_smooth_on_loud_ones() -> None:
    quiet = np.random.default_rng(0).uniform(-KNEE, KNEE, (2, 1000))
    assert limit(quiet, RATE) is quiet
    t = np.arange(RATE // 2 + 13) / RATE
    loud = np.stack((np.sin(2 * np.pi * 500 * t), np.zeros(len(t)))) * np.where((t > 0.2) & (t < 0.3), 5, 0.2)
    limited = limit(loud, RATE)
    assert np.abs(limited).max() <= CEILING
    far = (t < 0.18) | (t > 0.32)
    assert_allclose(limited[:, far], loud[:, far])
    gain = np.divide(limited[0], loud[0], out=np.ones(len(t)), where=np.abs(loud[0]) > 1e-3)
    assert gain.min() == pytest.approx(CEILING / 5, abs=0.01)


def test_a_single_click_is_limited_at_any_place() -> None:
    for place in (0, 1, 500, 998, 999):
        mix = np.zeros((2, 1000))
        mix[0, place] = 100
        assert np.abs(limit(mix, 8000)).max() <= CEILING


def test_materials_sound_as_they_should() -> None:
    steps = [brightness("footstep", material) for material in ("wood", "stone", "sand", "grass")]
    knocks = [brightness("impact", material) for material in ("rubber", "wood", "metal", "stone")]
    assert steps == sorted(steps)
    assert knocks == sorted(knocks)


def test_metal_rings_longer_than_wood() -> None:
    after = {
        material: np.square(synthesise([SoundEvent("impact", material, 0)], [], 1)[:, RATE // 3 :]).sum()
        for material in ("metal", "wood")
    }
    assert after["metal"] > 100 * after["wood"]


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'explosion' is not one of footstep, impact, splash, voice, whoosh"):
        SoundEvent("explosion", "wood", 0)


def test_an_unknown_material_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="footstep material 'lava' is not one of grass, sand, snow, stone, wood"):
        SoundEvent("footstep", "lava", 0)


def test_an_unknown_bed_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'jazz' is not one of rain, wind, waves, engine"):
        synthesise([], ["rain", "jazz"], 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [("time", -0.1), ("time", float("nan")), ("pan", 1.01), ("pan", -2), ("loudness", 1.5), ("loudness", -0.1)],
)
def test_numbers_out_of_range_are_refused(field: str, value: float) -> None:
    numbers = {"time": 0.0, field: value}
    with pytest.raises(ValueError, match=f"{field} {value} is not between"):
        SoundEvent("impact", "wood", **numbers)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_length_that_is_not_positive_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds must be positive and finite"):
        synthesise([], [], seconds)


def test_a_sample_rate_too_low_for_the_sounds_is_refused() -> None:
    with pytest.raises(ValueError, match="sample_rate must be at least 8000 Hz, not 4000"):
        synthesise([], [], 1, sample_rate=4000)
