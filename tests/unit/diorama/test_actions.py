"""Each action moves a subject as its word says."""

import math

import numpy as np
import pytest

from daybreak.diorama.actions import HOPS_PER_SECOND, Motion, Situation, hop_height, move
from daybreak.diorama.scene import ACTIONS


def make_motion(action: str, **changes: float) -> Motion:
    values = {"height": 1.2, "length": 1.5, "heading": 0.0, "travel": 1.0} | changes
    times = (np.arange(49) / 24).astype(np.float32)
    return move(action, Situation(times, place=(0.2, 0.0, 0.0), **values))


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_is_finite_and_has_a_value_for_each_frame(action: str) -> None:
    motion = make_motion(action)
    for name in ("heading", "pitch", "roll", "phase", "wing", "look", "nod", "stretch", "wheel", "graze", "wave"):
        values = getattr(motion, name)
        assert values.shape == (49,)
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    assert motion.position.shape == (49, 3)


@pytest.mark.parametrize("action", ["walk", "run", "roll", "fly", "swim", "drive", "slide", "approach"])
@pytest.mark.parametrize("heading", [0.0, math.pi, 0.3])
def test_travelling_covers_the_distance_along_the_heading(action: str, heading: float) -> None:
    path = make_motion(action, heading=heading).position
    np.testing.assert_allclose(path[-1, :2] - path[0, :2], [math.cos(heading), math.sin(heading)], atol=1e-5)
    np.testing.assert_allclose(path[:, :2].mean(0), [0.2, 0.0], atol=1e-5)  # centred on its place


@pytest.mark.parametrize("action", ["stand", "jump", "spin", "sleep", "nod", "fall", "eat", "wave"])
def test_staying_actions_stay(action: str) -> None:
    path = make_motion(action).position
    np.testing.assert_allclose(path[:, :2], np.tile([0.2, 0.0], (49, 1)), atol=1e-6)


def test_a_jump_is_two_hops_of_half_the_height() -> None:
    height = make_motion("jump").position[:, 2]
    assert HOPS_PER_SECOND == 1
    starts = np.flatnonzero((height[1:] > 0) & (height[:-1] == 0))
    assert len(starts) == 2
    assert height.max() == pytest.approx(0.6, rel=0.01)
    assert hop_height(Situation(np.zeros(1, np.float32), 1.2, 1.0, (0, 0, 0), 0.0, 0.0)) == 0.6


def test_a_spin_is_one_whole_turn() -> None:
    heading = make_motion("spin").heading
    assert heading[-1] - heading[0] == pytest.approx(2 * math.pi, rel=1e-5)
    assert (np.diff(heading) > 0).all()


def test_a_roll_is_whole_somersaults() -> None:
    pitch = make_motion("roll").pitch
    turns = (pitch[-1] - pitch[0]) / (2 * math.pi)
    assert turns == pytest.approx(round(turns), abs=1e-5)
    assert turns >= 1


def test_a_swimmer_is_partly_under_water_and_a_runner_never_under_ground() -> None:
    swimmer = make_motion("swim", water_line=0.4).position[:, 2]
    assert (swimmer < -0.3).all()
    assert (make_motion("run").position[:, 2] >= 0).all()


def test_running_steps_faster_and_wider_than_walking() -> None:
    walk, run = make_motion("walk"), make_motion("run")
    assert run.phase[-1] - run.phase[0] > 1.5 * (walk.phase[-1] - walk.phase[0])
    assert run.stride > 1.5 * walk.stride


def test_the_head_turns_towards_the_viewer_on_either_side() -> None:
    assert make_motion("walk", heading=0.0).look.mean() < 0  # the viewer is on its right
    assert make_motion("walk", heading=math.pi).look.mean() > 0


def test_a_dance_sways_both_ways() -> None:
    motion = make_motion("dance")
    assert motion.roll.min() < -0.25
    assert motion.roll.max() > 0.25
    assert np.ptp(motion.position[:, 0]) > 0.2
