"""Every kind can do all its actions, stands on the ground, and is the size and the colour that its words say."""

import itertools

import numpy as np
import pytest

from daybreak.diorama.actions import Situation, move
from daybreak.diorama.primitives import BLUE, BOUND, ENTITY, PATTERN, PLAIN, RED, TO_LOCAL, Array, Parts
from daybreak.diorama.rig import extent, lowest
from daybreak.diorama.scene import ALLOWED_ACTIONS, COLOURS, PATTERNS, SIZES, SUBJECTS, Subject
from daybreak.diorama.subjects import COLOURS as RGB
from daybreak.diorama.subjects import add_subject, measure

PAIRS = [(kind, action) for kind in SUBJECTS for action in ALLOWED_ACTIONS[kind]]


def make_prims(kind: str, action: str = "stand", frames: int = 9, **words: str) -> Array:
    subject = Subject(kind, words.pop("colour", "red"), action=action, **words)
    height, length = measure(kind, subject.size)
    times = (np.arange(frames) / 4).astype(np.float32)
    parts = Parts(frames, entity=1)
    add_subject(parts, subject, move(action, Situation(times, height, length, (0, 0, 0), 0.0, 0.5)))
    return parts.stack()


@pytest.mark.parametrize(("kind", "action"), PAIRS)
def test_every_kind_can_do_each_of_its_actions(kind: str, action: str) -> None:
    prims = make_prims(kind, action)
    assert np.isfinite(prims).all()
    assert (prims[:, :, ENTITY] == 1).all()
    axes = prims[:, :, TO_LOCAL : TO_LOCAL + 9].reshape(-1, 3, 3)
    assert (np.linalg.det(axes) > 0).all()  # every part has a volume and is not mirrored
    assert prims.shape[1] <= 30


@pytest.mark.parametrize("kind", SUBJECTS)
def test_the_table_of_measures_is_what_is_built(kind: str) -> None:
    prims = make_prims(kind, frames=1)
    low, high = extent(prims, (0, 0, 1))
    back, front = extent(prims, (1, 0, 0))
    assert (high[0], front[0] - back[0]) == pytest.approx(measure(kind, "medium"), rel=0.03)
    assert low[0] == pytest.approx(0, abs=0.02)
    assert 1.0 < high[0] < 1.45
    assert front[0] - back[0] < 2.15


@pytest.mark.parametrize("action", ["walk", "run"])
@pytest.mark.parametrize("kind", ["dog", "elephant", "penguin", "robot"])
def test_feet_come_down_to_the_ground_and_not_through_it(kind: str, action: str) -> None:
    bottom = lowest(make_prims(kind, action, frames=49))
    assert bottom.min() > -0.12
    assert bottom.min() < 0.05


@pytest.mark.parametrize("kind", ["car", "truck", "bus", "train"])
def test_wheels_turn_when_it_drives_and_not_when_it_stands(kind: str) -> None:
    for action, turns in (("drive", True), ("stand", False)):
        prims = make_prims(kind, action)
        turned = (np.abs(np.diff(prims[:, :, TO_LOCAL : TO_LOCAL + 9], axis=0)) > 0.5).any(axis=(0, 2))
        assert turned.any() == turns


def test_sizes_are_ordered() -> None:
    for kind in SUBJECTS:
        small, medium, large = (measure(kind, size) for size in SIZES)
        assert small < medium < large


def test_colours_are_far_apart() -> None:
    assert set(RGB) == set(COLOURS)
    distances = [np.linalg.norm(np.subtract(RGB[a], RGB[b])) for a, b in itertools.combinations(COLOURS, 2)]
    assert min(distances) > 0.3


@pytest.mark.parametrize("kind", SUBJECTS)
def test_the_largest_part_has_the_colour_and_the_pattern(kind: str) -> None:
    for pattern in PATTERNS[1:]:
        prims = make_prims(kind, frames=1, colour="blue", pattern=pattern)[0]
        patterned = prims[prims[:, PATTERN] != PLAIN]
        assert len(patterned)
        largest = patterned[patterned[:, BOUND].argmax(), RED : BLUE + 1]
        np.testing.assert_allclose(largest / largest.max(), np.array(RGB["blue"]) / max(RGB["blue"]), atol=1e-4)
        if pattern != "patched":  # patches run over a bird's darker wings too
            assert (patterned[:, RED : BLUE + 1] == np.array(RGB["blue"], np.float32)).all()


@pytest.mark.parametrize("kind", SUBJECTS)
def test_kinds_have_different_outlines(kind: str) -> None:
    """No other kind has the same height, length and width, each within 3 %."""

    def outline(name: str) -> Array:
        prims = make_prims(name, frames=1)
        return np.array([np.subtract(*extent(prims, axis)[::-1])[0] for axis in np.eye(3)], np.float32)

    own = outline(kind)
    for other in set(SUBJECTS) - {kind}:
        assert not np.allclose(own, outline(other), rtol=0.03)
