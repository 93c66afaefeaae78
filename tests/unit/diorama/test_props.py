"""Each environment has its own few props, beside or behind the subjects."""

import numpy as np
import pytest

from daybreak.diorama.backdrop import ROOM_BACK, ROOM_SIDE
from daybreak.diorama.primitives import ENTITY, Parts, X, Y
from daybreak.diorama.props import add_props
from daybreak.diorama.scene import ENVIRONMENTS


def make_props(environment: str, seed: int, shore: float | None = None) -> Parts:
    parts = Parts(1)
    add_props(parts, environment, np.random.default_rng(seed), spread=2.1, shore=shore)
    return parts


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("seed", range(5))
def test_props_are_few_and_behind(environment: str, seed: int) -> None:
    rows = make_props(environment, seed).stack()[0]
    assert 3 <= len(rows) <= 50
    assert np.isfinite(rows).all()
    assert (rows[:, ENTITY] == 0).all()
    assert (rows[:, Y] > 0.8).all()


def test_the_same_seed_gives_the_same_set() -> None:
    assert (make_props("forest", 3).stack() == make_props("forest", 3).stack()).all()


@pytest.mark.parametrize("seed", range(5))
def test_furniture_is_inside_the_room(seed: int) -> None:
    rows = make_props("room", seed).stack()[0]
    assert (np.abs(rows[:, X]) < ROOM_SIDE).all()
    assert (rows[:, Y] < ROOM_BACK).all()


@pytest.mark.parametrize("seed", range(5))
def test_nothing_tall_grows_out_of_the_sea(seed: int) -> None:
    """With water all round there are rocks only."""
    rows = make_props("beach", seed, shore=-1.5).stack()[0]
    assert (rows[:, 3] < 0.5).all()
