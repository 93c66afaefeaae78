"""Worker processes, what keeps their items on a device, and the thread between them."""

from __future__ import annotations

import contextlib
import itertools
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from daybreak.train import farm as module
from daybreak.train.farm import (
    SLOTS_PER_WORKER,
    DevicePool,
    Farm,
    Harvest,
    Task,
    WorkerError,
    _pack,
    _unpack,
    numbered,
)
from farm_items import make_item

CPU = torch.device("cpu")
SLOT = 1_024


def test_arrays_arrive_whole_and_right() -> None:
    """Many more than there are slots, so that each slot is used again."""
    with contextlib.closing(Farm(make_item, numbered("good", 0), 1, SLOT)) as farm:
        _check_items(farm)


def _check_items(farm: Farm) -> None:
    assert farm._memory.shape == (SLOTS_PER_WORKER, SLOT)
    for expected, (task, arrays) in zip(range(20), farm, strict=False):
        assert task == ("good", expected)  # one worker keeps to the order
        direct = make_item(task)
        assert arrays.keys() == direct.keys()
        for name, array in direct.items():
            assert arrays[name].dtype == array.dtype
            np.testing.assert_array_equal(arrays[name], array)


def test_a_task_that_fails_is_told_with_its_traceback_and_the_rest_go_on() -> None:
    tasks: list[Task] = [("bad", 7), ("large", 8)]
    with contextlib.closing(Farm(make_item, itertools.chain(tasks, numbered("good", 20)), 1, SLOT)) as farm:
        _check_failures(farm)


def _check_failures(farm: Farm) -> None:
    with pytest.raises(WorkerError, match=r"(?s)bad 7 could not be rendered:.*farm_items.*ValueError: no item 7"):
        next(iter(farm))
    with pytest.raises(WorkerError, match="items take more than 1024 bytes"):
        next(iter(farm))
    assert next(iter(farm))[0] == ("good", 20)
    assert next(iter(farm))[0] == ("good", 21)


def test_a_harvest_keeps_batches_of_one_kind_and_close_ends_everything() -> None:
    farm = Farm(make_item, numbered("good", 0), 1, SLOT)
    kept: list[tuple[str, list[int], dict[str, Tensor]]] = []
    harvest = Harvest(farm, lambda *batch: kept.append(batch), 4, CPU).start()
    while len(kept) < 3 and harvest.error is None:
        time.sleep(0.01)
    harvest.stop()
    assert harvest.error is None
    for kind, numbers, items in kept:
        assert kind == "good"
        assert len(numbers) == 4
        assert items["number"].tolist() == numbers
        for row, number in enumerate(numbers):
            np.testing.assert_array_equal(items["bytes"][row], make_item(("good", number))["bytes"])
    assert harvest.thread is not None
    assert not harvest.thread.is_alive()
    assert not any(worker.is_alive() for worker in farm.workers)
    assert not Path(farm._file.name).exists()
    assert list(farm) == []  # a closed one has nothing more to give
    farm.close()


def test_a_killed_worker_is_noticed() -> None:
    farm = Farm(make_item, numbered("good", 0), 1, SLOT)
    try:
        farm.workers[0].kill()
        farm.workers[0].join()
        with pytest.raises(WorkerError, match="died"):
            next(iter(farm))
        harvest = Harvest(farm, lambda *_: None, 1, CPU).start()
        assert harvest.thread is not None
        harvest.thread.join(10)
        assert isinstance(harvest.error, WorkerError)
        with pytest.raises(WorkerError):
            DevicePool(4, CPU).wait(1, lambda: harvest.error)
    finally:
        farm.close()


def test_packed_arrays_start_at_multiples_of_64_bytes() -> None:
    memory = np.zeros(SLOT, np.uint8)
    arrays = make_item(("good", 3))
    layout = _pack(memory, arrays)
    assert all(place % 64 == 0 for *_, place in layout)
    assert arrays["transposed"].flags.f_contiguous
    for name, array in _unpack(memory, layout).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_without_room_in_memory_the_file_goes_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "SHARED", tmp_path)
    assert module._roomy(1) == tmp_path
    assert module._roomy(1 << 60) is None
    monkeypatch.setattr(module, "SHARED", tmp_path / "missing")
    assert module._roomy(1) is None


def items(first: int, count: int) -> dict[str, Tensor]:
    numbers = torch.arange(first, first + count)
    return {"number": numbers, "twice": (2 * numbers)[:, None].expand(-1, 3)}


def test_a_pool_wraps_round() -> None:
    pool = DevicePool(5, CPU)
    for first, count, kept in ((0, 3, 3), (3, 4, 5), (7, 1, 5)):
        pool.add(items(first, count))
        assert len(pool) == kept
    assert pool.added == 8
    assert sorted(pool.tensors["number"].tolist()) == [3, 4, 5, 6, 7]
    drawn = pool.draw(200, torch.Generator().manual_seed(0))
    assert set(drawn["number"].tolist()) == {3, 4, 5, 6, 7}
    assert torch.equal(drawn["twice"], (2 * drawn["number"])[:, None].expand(-1, 3))


def test_of_more_items_than_a_pool_holds_the_last_are_kept() -> None:
    pool = DevicePool(5, CPU)
    pool.add(items(0, 12))
    assert len(pool) == 5
    assert sorted(pool.tensors["number"].tolist()) == [7, 8, 9, 10, 11]


def test_what_is_drawn_of_a_pool_that_is_not_full_has_been_added() -> None:
    pool = DevicePool(1_000, CPU)
    pool.add(items(1, 3))
    assert set(pool.draw(100, torch.Generator().manual_seed(0))["number"].tolist()) == {1, 2, 3}
    pool.wait(3, lambda: None)
    with pytest.raises(InterruptedError):
        pool.wait(4, InterruptedError)


@pytest.mark.gpu
def test_a_pool_on_a_card_gives_what_was_added() -> None:
    pool = DevicePool(5, torch.device("cuda"))
    pool.add(items(0, 3))
    pool.add(items(3, 4))
    drawn = pool.draw(100, torch.Generator().manual_seed(0))
    assert drawn["number"].device.type == "cuda"
    assert set(drawn["number"].tolist()) == {2, 3, 4, 5, 6}
