"""Worker processes that render training data side by side, and what a training run keeps of it on its device.

A graphics card learns faster than a processor's two threads can render for it: here every core renders, in a process
of its own, and items come over in shared memory in the order in which they are finished. What a run sees is therefore
not repeatable bit for bit, unlike everything that is rendered in threads (`train.world`, `train.close_ups`).
"""

from __future__ import annotations

import itertools
import multiprocessing
import queue
import shutil
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Arrays = dict[str, NDArray[Any]]
Task = tuple[str, int]  # which kind of item, and its number
SLOTS_PER_WORKER = 3  # one being filled, one waiting, one being read
SHARED = Path("/dev/shm")


class WorkerError(RuntimeError):
    """A worker process raised an error, or died."""


class Farm:
    """Processes that call `make(task)` for one task after the other; iterating gives (task, arrays) as they are done.

    `make` is a function of a module, for it is sent to the processes by name; its arrays together take at most
    `slot_bytes`. The arrays given are views that the next step of the iteration invalidates.
    """

    def __init__(
        self, make: Callable[[Task], Arrays], tasks: Iterator[Task], num_workers: int, slot_bytes: int
    ) -> None:
        self.tasks, self.closed = tasks, threading.Event()
        context = multiprocessing.get_context("spawn")
        count = num_workers * SLOTS_PER_WORKER
        self._file = tempfile.NamedTemporaryFile(dir=_roomy(count * slot_bytes))  # noqa: SIM115 - closed in close
        self._memory = np.memmap(self._file.name, np.uint8, "w+", shape=(count, slot_bytes))
        self._given, self._done = context.Queue(), context.Queue()
        for slot in range(count):
            self._give(slot)
        self.workers = [
            context.Process(
                target=_work, args=(make, self._given, self._done, self._file.name, (count, slot_bytes)), daemon=True
            )
            for _ in range(num_workers)
        ]
        for worker in self.workers:
            worker.start()

    def __iter__(self) -> Iterator[tuple[Task, Arrays]]:
        """Raises WorkerError when a worker did, or has died; ends when the farm is closed."""
        while not self.closed.is_set():
            # Each time: while others have items, the queue is never found empty.
            if not all(worker.is_alive() for worker in self.workers) and not self.closed.is_set():
                raise WorkerError("a process that renders training data died")
            try:
                task, slot, layout = self._done.get(timeout=1)
            except queue.Empty:
                continue
            try:
                if isinstance(layout, str):
                    raise WorkerError(f"{task[0]} {task[1]} could not be rendered:\n{layout}")
                yield task, _unpack(self._memory[slot], layout)
            finally:  # whoever stops iterating here may begin again
                self._give(slot)

    def _give(self, slot: int) -> None:
        if not self.closed.is_set():
            self._given.put((next(self.tasks), slot))

    def close(self) -> None:
        """Ends the processes; a second time, it does nothing."""
        self.closed.set()
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.join(5)
        for channel in (self._given, self._done):
            channel.cancel_join_thread()  # what nobody will read must not hold up this process's end
            channel.close()
        self._file.close()


def _work(make: Callable[[Task], Arrays], given: Any, done: Any, path: str, shape: tuple[int, int]) -> None:
    """What a worker process does until it is ended, or the run that wanted the items is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which finishes its step with what comes
    torch.set_num_threads(1)
    memory = np.memmap(path, np.uint8, "r+", shape=shape)
    run = multiprocessing.parent_process()
    while run is not None and run.is_alive():
        try:
            task, slot = given.get(timeout=5)
        except queue.Empty:
            continue
        try:
            done.put((task, slot, _pack(memory[slot], make(task))))
        except Exception:
            done.put((task, slot, traceback.format_exc()))


def _roomy(num_bytes: int) -> Path | None:
    """Where the shared file goes: in memory if there is room, for writing beyond it would kill the process."""
    return SHARED if SHARED.is_dir() and shutil.disk_usage(SHARED).free > num_bytes else None


def _pack(memory: NDArray[np.uint8], arrays: Arrays) -> list[tuple[str, str, tuple[int, ...], int]]:
    """Lays arrays one behind the other; their names, types, shapes and places."""
    layout, place = [], 0
    for name, array in arrays.items():
        if place + array.nbytes > len(memory):
            raise ValueError(f"items take more than {len(memory)} bytes")
        memory[place : place + array.nbytes] = np.ascontiguousarray(array).view(np.uint8).reshape(-1)
        layout.append((name, array.dtype.str, array.shape, place))
        place += -(-array.nbytes // 64) * 64
    return layout


def _unpack(memory: NDArray[np.uint8], layout: list[tuple[str, str, tuple[int, ...], int]]) -> Arrays:
    return {name: np.ndarray(shape, dtype, memory.data, place) for name, dtype, shape, place in layout}


class DevicePool:
    """The last `capacity` items on a device, as one tensor a name; new ones overwrite the oldest."""

    def __init__(self, capacity: int, device: torch.device) -> None:
        self.capacity, self.device = capacity, device
        self.tensors: dict[str, Tensor] = {}
        self.added = 0

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, items: dict[str, Tensor]) -> None:
        """Adds a batch of items, (n, ...) each; they may be on any device. Of too many the last are kept."""
        items = {name: values[-self.capacity :] for name, values in items.items()}
        count = len(next(iter(items.values())))
        where = torch.arange(self.added, self.added + count, device=self.device) % self.capacity
        for name, values in items.items():
            if name not in self.tensors:
                self.tensors[name] = torch.empty(
                    self.capacity, *values.shape[1:], dtype=values.dtype, device=self.device
                )
            self.tensors[name][where] = values.to(self.device)
        if self.device.type == "cuda":
            torch.cuda.current_stream(self.device).synchronize()  # only then may another thread draw them
        self.added += count

    def draw(self, count: int, generator: torch.Generator) -> dict[str, Tensor]:
        """`count` random items."""
        index = torch.randint(len(self), (count,), generator=generator).to(self.device)
        return {name: values[index] for name, values in self.tensors.items()}

    def wait(self, count: int, failed: Callable[[], BaseException | None]) -> None:
        """Returns when `count` items are there. Raises what `failed` gives."""
        while len(self) < min(count, self.capacity):
            if error := failed():
                raise error
            time.sleep(0.02)


@dataclass
class Harvest:
    """A thread that takes a farm's items in batches of one kind and hands them to `keep(kind, items)`.

    On a card it works in a stream of its own, so that neither copying nor `keep` waits for training or holds it up.
    """

    farm: Farm
    keep: Callable[[str, list[int], dict[str, Tensor]], None]
    batch: int
    device: torch.device
    error: BaseException | None = None
    thread: threading.Thread | None = None

    def start(self) -> Harvest:
        """Begins; gives itself."""
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def stop(self) -> None:
        """Ends the thread and the farm."""
        self.farm.closed.set()
        if self.thread is not None:
            self.thread.join()
        self.farm.close()

    def _run(self) -> None:
        try:
            if self.device.type == "cuda":
                stream = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
                with torch.cuda.device(self.device), torch.cuda.stream(stream):
                    self._take()
            else:
                self._take()
        except BaseException as error:
            self.error = error

    def _take(self) -> None:
        gathered: dict[str, list[tuple[int, Arrays]]] = {}
        for (kind, number), arrays in self.farm:
            waiting = gathered.setdefault(kind, [])
            waiting.append((number, {name: array.copy() for name, array in arrays.items()}))
            if len(waiting) == self.batch:
                names = waiting[0][1]
                items = {name: torch.from_numpy(np.stack([one[name] for _, one in waiting])) for name in names}
                self.keep(kind, [number for number, _ in waiting], {k: v.to(self.device) for k, v in items.items()})
                gathered[kind] = []


def numbered(kind: str, first: int) -> Iterator[Task]:
    """Tasks of one kind from `first` on, without end."""
    return ((kind, number) for number in itertools.count(first))
