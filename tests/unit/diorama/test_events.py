"""Sounds come when and where their causes are seen."""

import numpy as np
import pytest

from daybreak.diorama.actions import AIRBORNE
from daybreak.diorama.events import contact_times, sound_events
from daybreak.diorama.sampling import sample_spec
from daybreak.diorama.scene import SceneSpec, Subject


def scene(kind: str, action: str, environment: str = "meadow", **words: str) -> SceneSpec:
    return SceneSpec((Subject(kind, "red", action=action),), environment=environment, **words)


def test_contacts_are_where_the_phase_passes_a_whole_turn() -> None:
    times = np.linspace(0, 2, 49).astype(np.float32)
    found = contact_times(times, 2 * np.pi * times - 0.5)
    np.testing.assert_allclose(found, [0.5 / (2 * np.pi), 1 + 0.5 / (2 * np.pi)], atol=1e-4)


@pytest.mark.parametrize("seed", range(60))
def test_events_are_in_order_and_inside_the_clip(seed: int) -> None:
    events, beds = sound_events(sample_spec(seed))
    times = [event.time for event in events]
    assert times == sorted(times)
    assert all(0 <= time <= 2 for time in times)
    assert len(set(beds)) == len(beds)
    assert sound_events(sample_spec(seed)) == (events, beds)


@pytest.mark.parametrize(
    ("environment", "material"),
    [("meadow", "grass"), ("beach", "sand"), ("snowfield", "snow"), ("town", "stone"), ("room", "wood")],
)
def test_steps_sound_like_the_ground(environment: str, material: str) -> None:
    events, _ = sound_events(scene("robot", "walk", environment))
    steps = [event for event in events if event.kind == "footstep"]
    assert {event.material for event in steps} == {material}
    assert len(steps) in (6, 7)  # two feet, 1.5 cycles a second, two seconds
    gaps = np.diff([event.time for event in steps])
    np.testing.assert_allclose(gaps, 1 / 3, atol=1e-3)


def test_a_runner_is_heard_moving_across() -> None:
    events, _ = sound_events(scene("dog", "run"))
    pans = [event.pan for event in events if event.kind == "footstep"]
    assert abs(pans[-1] - pans[0]) > 0.4
    assert (np.diff(pans) * np.sign(pans[-1] - pans[0]) >= 0).all()


def test_a_tumbling_cube_knocks_and_says_nothing() -> None:
    events, _ = sound_events(scene("cube", "roll"))
    assert {(event.kind, event.material) for event in events} == {("impact", "wood")}


def test_a_jump_is_heard_when_it_lands() -> None:
    events, _ = sound_events(scene("ball", "jump"))
    landings = [event.time for event in events if event.kind == "impact"]
    assert landings == pytest.approx([AIRBORNE[1], 1 + AIRBORNE[1]])
    assert {event.material for event in events if event.kind == "impact"} == {"rubber"}


def test_swimmers_splash_and_sleepers_are_silent() -> None:
    assert {event.kind for event in sound_events(scene("dog", "swim", "beach"))[0]} == {"splash"}
    assert {event.kind for event in sound_events(scene("dog", "swim", "underwater"))[0]} == {"whoosh"}
    assert sound_events(scene("dog", "sleep"))[0] == ()


def test_animals_have_their_own_voice() -> None:
    (voice,) = sound_events(scene("pig", "stand"))[0]
    assert (voice.kind, voice.material) == ("voice", "pig")


def test_beds_follow_place_hour_and_weather() -> None:
    assert sound_events(scene("dog", "sleep", "beach"))[1] == ("waves",)
    assert sound_events(scene("dog", "sleep", time_of_day="night"))[1] == ("crickets",)
    assert sound_events(scene("dog", "sleep", "town", weather="rain"))[1] == ("rain",)
    assert sound_events(scene("dog", "sleep", "moon"))[1] == ()
    assert sound_events(scene("dog", "sleep", weather="storm"))[1] == ("rain", "thunder", "wind")
    assert sound_events(scene("dog", "sleep", "underwater"))[1] == ("bubbles",)
    assert sound_events(scene("dog", "sleep", "city"))[1] == ("traffic",)
    assert sound_events(scene("car", "drive", "room"))[1] == ("engine",)
    assert sound_events(scene("bird", "fly", "desert"))[1] == ("wind", "flap")
    assert sound_events(scene("train", "drive", "moon"))[1] == ("engine",)
    assert sound_events(scene("balloon", "fly", "room"))[1] == ()


def kinds_and_materials(spec: SceneSpec) -> set[tuple[str, str]]:
    return {(event.kind, event.material) for event in sound_events(spec)[0] if event.kind != "voice"}


def test_what_comes_goes_or_circles_is_heard_walking_or_rolling() -> None:
    for action in ("approach", "leave", "circle"):
        assert kinds_and_materials(scene("dog", action, "town")) == {("footstep", "stone")}
        assert kinds_and_materials(scene("ball", action)) == {("impact", "rubber")}
        assert kinds_and_materials(scene("boat", action, "beach")) == {("splash", "")}
        assert "engine" in sound_events(scene("car", action))[1]


@pytest.mark.parametrize(("kind", "thud"), [("dog", ("footstep", "grass")), ("robot", ("impact", "metal"))])
def test_a_fall_ends_with_a_thud(kind: str, thud: tuple[str, str]) -> None:
    (landing,) = (event for event in sound_events(scene(kind, "fall"))[0] if (event.kind, event.material) == thud)
    assert 0.7 < landing.time < 1.1


def test_slides_shakes_and_meals_are_heard() -> None:
    assert kinds_and_materials(scene("dog", "slide")) == {("whoosh", "")}
    assert kinds_and_materials(scene("dog", "shake")) == {("whoosh", "")}
    assert kinds_and_materials(scene("robot", "shake")) == {("impact", "metal")}
    assert kinds_and_materials(scene("dog", "eat")) == {("footstep", "snow")}
