"""Coming and going, circling, gestures, a fall, a slide and a meal look as their words say."""

import math

import numpy as np
import pytest

from daybreak.diorama.actions import Motion, Situation, move
from daybreak.diorama.antics import ANTICS, FALLEN, fall_moment
from daybreak.diorama.cameras import project
from daybreak.diorama.casting import Scene, compose
from daybreak.diorama.primitives import Array, X, Z
from daybreak.diorama.rig import extent, lowest
from daybreak.diorama.scene import ALLOWED_ACTIONS, SIZES, SUBJECTS, SceneSpec, Subject

TIMES = (np.arange(49) / 24).astype(np.float32)
PAIRS = [(kind, action) for kind in SUBJECTS for action in ANTICS if action in ALLOWED_ACTIONS[kind]]


def make_scene(kind: str, action: str, size: str = "medium", camera: str = "static", seed: int = 0) -> Scene:
    spec = SceneSpec((Subject(kind, "red", size=size, action=action),), camera=camera, seed=seed)
    return compose(spec, 49, 24.0, 448 / 256)


def make_motion(action: str, phase: float = 0.0) -> Motion:
    return move(action, Situation(TIMES, 1.2, 1.5, (0.0, 0.0, 0.0), 0.0, 0.8, phase))


def heights(scene: Scene) -> Array:
    """The subject's share of the frame's height in each frame."""
    bounds = project(scene.prims, scene.cameras, 448 / 256)
    return np.asarray((bounds[:, :, 3].max(1) - bounds[:, :, 1].min(1)) / 2, np.float32)


@pytest.mark.parametrize(("kind", "action"), PAIRS)
def test_the_subject_fills_a_quarter_of_the_frame_and_stays_inside(kind: str, action: str) -> None:
    scene = make_scene(kind, action)
    assert np.median(heights(scene)) > 0.25
    assert np.abs(project(scene.prims, scene.cameras, 448 / 256)).max() < 0.97


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("kind", "seed"), [("dog", 0), ("car", 1), ("penguin", 2), ("ball", 3)])
def test_what_approaches_grows_and_what_leaves_shrinks(kind: str, size: str, seed: int) -> None:
    coming, going = (heights(make_scene(kind, action, size, seed=seed)) for action in ("approach", "leave"))
    assert coming[-1] > 1.5 * coming[0]
    assert going[-1] < going[0] / 1.5
    assert min(coming.min(), going.min()) > 0.18


@pytest.mark.parametrize("action", ["approach", "leave"])
@pytest.mark.parametrize("camera", ["follow", "dolly in", "dolly out", "orbit"])
def test_no_camera_hides_that_it_comes_or_goes(action: str, camera: str) -> None:
    seen = heights(make_scene("dog", action, camera=camera))
    change = seen[-1] / seen[0]
    assert change > 1.2 if action == "approach" else change < 0.83


def test_a_circle_comes_back_and_turns_its_nose_along_the_way() -> None:
    motion = make_motion("circle")
    np.testing.assert_allclose(motion.position[0], motion.position[-1], atol=1e-4)
    assert np.ptp(motion.position[:, 0]) > 1.5
    assert np.ptp(motion.position[:, 1]) > 1.2
    steps = np.diff(motion.position[:, :2], axis=0)
    turned = np.arctan2(steps[:, 1], steps[:, 0]) - motion.heading[:-1]
    assert np.abs((turned + math.pi) % (2 * math.pi) - math.pi).max() < 0.2


@pytest.mark.parametrize("phase", [0.0, 3.0, 6.2])
def test_what_falls_stands_first_and_lies_at_the_end(phase: float) -> None:
    motion = make_motion("fall", phase)
    assert np.abs(motion.roll[:6]).max() < 0.15
    assert abs(motion.roll[-1]) == pytest.approx(FALLEN, abs=0.02)
    landing = fall_moment(Situation(TIMES, 1.2, 1.5, (0, 0, 0), 0.0, 0.0, phase))
    assert abs(motion.roll[np.searchsorted(TIMES, landing)]) > 1.3


@pytest.mark.parametrize("kind", ["dog", "robot", "penguin"])
def test_what_fell_lies_low_on_the_ground(kind: str) -> None:
    prims = make_scene(kind, "fall").prims
    assert extent(prims, (0, 0, 1))[1][-1] < 0.95 * extent(prims, (0, 0, 1))[1][0]
    np.testing.assert_allclose(lowest(prims), 0, atol=0.03)


def test_a_nod_lowers_the_head_and_a_shake_turns_it() -> None:
    nod, shake = make_motion("nod"), make_motion("shake")
    assert np.ptp(nod.nod) > 1
    assert np.ptp(nod.look) == 0
    assert np.ptp(shake.look) > 1
    assert np.ptp(shake.nod) == 0


def test_a_slide_moves_no_legs_and_lies_low() -> None:
    assert make_motion("slide").stride == 0
    standing, sliding = (extent(make_scene("dog", a).prims, (0, 0, 1))[1].max() for a in ("stand", "slide"))
    assert sliding < 0.75 * standing


@pytest.mark.parametrize("kind", [kind for kind in SUBJECTS if "eat" in ALLOWED_ACTIONS[kind]])
def test_who_eats_has_its_head_lower_than_who_stands(kind: str) -> None:
    standing, eating = (make_scene(kind, action).prims[:, :, Z].mean() for action in ("stand", "eat"))
    assert eating < 0.93 * standing
    assert lowest(make_scene(kind, "eat").prims).min() > -0.12


@pytest.mark.parametrize("kind", [kind for kind in SUBJECTS if "wave" in ALLOWED_ACTIONS[kind]])
def test_who_waves_moves_one_limb_only(kind: str) -> None:
    places = make_scene(kind, "wave").prims[:, :, X : Z + 1]
    moved = np.ptp(places - places.mean(1, keepdims=True), axis=0).max(1)
    assert moved.max() > 0.12
    assert np.median(moved) < 0.4 * moved.max()
