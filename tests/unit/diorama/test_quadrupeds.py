"""The four-legged animals differ where it shows, and their limbs do what their pose says."""

import itertools

import numpy as np
import pytest

from daybreak.diorama.actions import Situation, move
from daybreak.diorama.primitives import IDENTITY, Array, Parts
from daybreak.diorama.quadrupeds import ANATOMY, Paint, add_quadruped
from daybreak.diorama.rig import Body, extent, lowest
from daybreak.diorama.scene import ANIMALS

PAINT = Paint(np.array((0.8, 0.4, 0.2), np.float32), 0, np.ones(3, np.float32))


def make_animal(kind: str, action: str) -> Array:
    times = (np.arange(25) / 12).astype(np.float32)
    motion = move(action, Situation(times, 1.2, 1.5, (0, 0, 0), 0.0, 0.0))
    body = Body(Parts(25), np.zeros((25, 3), np.float32), np.broadcast_to(IDENTITY, (25, 3, 3)))
    add_quadruped(body, kind, motion, PAINT)
    return body.parts.stack()


def test_every_animal_has_an_anatomy_and_no_two_share_ears_and_tail() -> None:
    assert set(ANATOMY) == set(ANIMALS)
    for a, b in itertools.combinations(ANATOMY.values(), 2):
        assert a.ears != b.ears
        assert a.tail != b.tail


@pytest.mark.parametrize("kind", ANIMALS)
def test_standing_feet_touch_the_ground(kind: str) -> None:
    np.testing.assert_allclose(lowest(make_animal(kind, "stand")), 0, atol=0.02)


@pytest.mark.parametrize("kind", ANIMALS)
def test_a_sleeper_is_lower_than_one_that_stands(kind: str) -> None:
    asleep, awake = (extent(make_animal(kind, action), (0, 0, 1))[1].max() for action in ("sleep", "stand"))
    assert asleep < 0.8 * awake


@pytest.mark.parametrize("kind", ANIMALS)
def test_a_flyer_is_longer_than_one_that_stands_still_or_as_long(kind: str) -> None:
    lengths = []
    for action in ("fly", "stand"):
        back, front = extent(make_animal(kind, action), (1, 0, 0))
        lengths.append((front - back).mean())
    assert lengths[0] > 0.98 * lengths[1]


def test_a_shade_never_leaves_the_range_of_colours() -> None:
    np.testing.assert_allclose(PAINT.shade(0.5), [0.4, 0.2, 0.1], rtol=1e-6)
    assert PAINT.shade(3.0).max() == 1
