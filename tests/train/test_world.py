from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from daybreak.train.world import CropConfig, UnitPool, render_unit, to_frames, to_pixels

CROPS = CropConfig(window=64, window_frames=9, crop=32, crop_frames=9, batch=3, target_pairs=2, pool=4)


@pytest.fixture
def pools() -> Iterator[list[UnitPool]]:
    """Two pools of the same recipe, as two processes would have them."""
    made = [UnitPool(CROPS, num_threads=1) for _ in range(2)]
    yield made
    for pool in made:
        pool.threads.shutdown(cancel_futures=True)


def test_a_unit_is_a_function_of_its_number() -> None:
    unit, again, other = render_unit(5, CROPS), render_unit(5, CROPS), render_unit(6, CROPS)
    assert unit.frames.shape == (9, 64, 64, 3)
    assert unit.entities.shape == (9, 64, 64)
    assert unit.frames.dtype == unit.entities.dtype == np.uint8
    np.testing.assert_array_equal(unit.frames, again.frames)
    np.testing.assert_array_equal(unit.entities, again.entities)
    assert (unit.frames != other.frames).any()


def test_units_mostly_look_at_subjects_and_move() -> None:
    units = [render_unit(index, CROPS) for index in range(12)]
    assert sum(unit.entities.any() for unit in units) >= 6
    assert sum((unit.frames[0] != unit.frames[-1]).any() for unit in units) >= 10


def test_a_batch_is_a_function_of_its_step_alone(pools: list[UnitPool]) -> None:
    first, second = pools
    batches = [first.batch(step) for step in range(3)]
    pixels, entities = second.batch(2)  # a resumed run begins here
    assert torch.equal(pixels, batches[2][0])
    assert torch.equal(entities, batches[2][1])
    assert not torch.equal(batches[0][0], batches[1][0])


def test_a_batch_has_crops_in_the_model_s_range(pools: list[UnitPool]) -> None:
    pixels, entities = pools[0].batch(0)
    assert pixels.shape == (3, 3, 9, 32, 32)
    assert entities.shape == (3, 9, 32, 32)
    assert -1 <= pixels.min() < pixels.max() <= 1


def test_units_left_behind_are_dropped(pools: list[UnitPool]) -> None:
    pool = pools[0]
    pool.batch(0)
    assert 0 in pool.units
    pool.batch(3)
    assert min(pool.units) == 3 * CROPS.fresh_units


def test_a_crop_is_a_piece_of_its_unit_mirrored_or_not(pools: list[UnitPool]) -> None:
    pool, unit = pools[0], render_unit(5, CROPS)
    windows = np.lib.stride_tricks.sliding_window_view(unit.frames[0], (32, 32, 3))[:, :, 0]
    mirrored = 0
    for seed in range(8):
        frames, entities = pool._crop(unit, random.Random(seed))
        as_is = (windows == frames[0]).all((2, 3, 4)).any()
        flipped = (windows == frames[0, :, ::-1]).all((2, 3, 4)).any()
        assert as_is or flipped
        mirrored += int(not as_is)
        assert frames.shape[:3] == entities.shape
    assert 0 < mirrored < 8


def test_pixels_and_frames_are_one_another_s_inverse() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, 3)
    pixels = to_pixels([every, every[:, ::-1]])
    assert pixels.shape == (2, 3, 1, 16, 16)
    assert pixels.min() == -1
    assert pixels.max() == 1
    np.testing.assert_array_equal(to_frames(pixels[0]), every)
    np.testing.assert_array_equal(to_frames(pixels[1]), every[:, ::-1])
    assert to_frames(torch.full((3, 1, 2, 2), 7.0)).max() == 255
