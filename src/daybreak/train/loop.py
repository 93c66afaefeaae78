"""The training loop that every stage shares: step, average, log, save, resume.

Everything random in step n comes from (seed, n), and batches too: a resumed run repeats, bit for bit on a
CPU, what an uninterrupted one would have done, with no generator state to keep.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from daybreak.models.precision import autocast
from daybreak.train.log import RunLog
from daybreak.train.optimiser import Optimiser, OptimiserConfig


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """How long a stage runs and what it keeps."""

    num_steps: int
    optimiser: OptimiserConfig
    ema_decay: float = 0.999
    save_every: int = 500  # like `sample_every` in steps of the recipe, so that a timed run saves as often
    sample_every: int = 500
    log_every: int = 20
    seed: int = 0
    compile: bool = False  # worth its half minute in a long run
    seconds: float = 0.0  # of training, instead of `num_steps`, in which the rates' schedule is still told; 0: no limit


class Stage(Protocol):
    """What a stage brings to the loop."""

    @property
    def module(self) -> nn.Module:
        """The network in training."""

    def begin(self) -> None:
        """Measures what a new module needs to know of its data before the first step."""

    def loss(self, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """The loss of batch `step` and figures to log."""

    def sample(self, averaged: nn.Module, path: Path) -> dict[str, float]:
        """Writes a sheet of what the averaged module does now to `path`; gives figures to log."""


def pick_device(name: str = "auto") -> torch.device:
    """The named device; "auto" is CUDA where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


@contextlib.contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """`module` in evaluation mode without gradients, then back."""
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(was_training)


@contextlib.contextmanager
def finishing_steps() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets instead of stopping the process; they act as before afterwards."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # signals only ever reach the main thread
        yield asked
        return
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Loop:
    """One stage's run in `directory`; `on_save` is called whenever its checkpoint has been written."""

    def __init__(
        self,
        stage: Stage,
        config: LoopConfig,
        directory: Path,
        device: torch.device,
        on_save: Callable[[], None] = lambda: None,
    ) -> None:
        self.stage, self.config, self.directory, self.device = stage, config, directory, device
        self.on_save = on_save
        self.module = stage.module.to(device)
        self.averaged = copy.deepcopy(self.module).requires_grad_(False)
        self.optimiser = Optimiser(self.module, config.optimiser)
        self.step = 0
        self.seconds = 0.0  # training time of all sessions together

    def begin(self) -> None:
        """Readies a new module; not for one that is resumed."""
        self.stage.begin()
        self.averaged.load_state_dict(self.module.state_dict())

    def run(self, until: int | None = None) -> nn.Module:
        """Trains to `until` (default: the recipe's last step), saving as it goes; gives the averaged module.

        Ctrl-C and SIGTERM let the step in hand finish, save, and then raise KeyboardInterrupt.
        """
        last = min(until or self.config.num_steps, self.config.num_steps)
        self.directory.mkdir(parents=True, exist_ok=True)
        written = contextlib.closing(RunLog(self.directory, self.step, self.position, last))
        with written as log, finishing_steps() as asked_to_stop:
            while self.position < last and not asked_to_stop.is_set():
                self._advance(log)
        self.save()
        if asked_to_stop.is_set():
            raise KeyboardInterrupt
        return self.averaged

    @property
    def position(self) -> int:
        """How far the run has come, in steps of the recipe: in a timed one as its seconds have."""
        if not self.config.seconds:
            return self.step
        return int(self.config.num_steps * min(1.0, self.seconds / self.config.seconds))

    def _advance(self, log: RunLog) -> None:
        started, before = time.monotonic(), self.position
        self.module.train()
        with autocast(self.device.type):
            loss, figures = self.stage.loss(self.step, self.device)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = self.optimiser.step(before, self.config.num_steps, self.module.parameters())
        self._average()
        self.step += 1
        self.seconds += time.monotonic() - started
        log.step(self.position, {"loss": loss.item(), "gradient_norm": norm, **figures})
        if self.step % self.config.log_every == 0:
            log.write(self.step, self.seconds)
        if self._passed(self.config.sample_every, before):
            with evaluating(self.averaged), autocast(self.device.type):
                log.samples(self.step, self.stage.sample(self.averaged, self.directory / f"sample-{self.step:06d}.png"))
            log.plot()
        if self._passed(self.config.save_every, before):
            self.save()

    def _passed(self, every: int, before: int) -> bool:
        return self.position // every > before // every

    def _average(self) -> None:
        # A short memory at first, so that the average is not made of the initial weights.
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        ours = [parameter.data for parameter in self.averaged.parameters()]
        theirs = [parameter.detach() for parameter in self.module.parameters()]
        torch._foreach_lerp_(ours, theirs, 1 - decay)  # as torch's own averaged models do

    def save(self) -> None:
        """Writes the checkpoint, then swaps it in, so that there is always a whole one."""
        tensors = {f"module.{k}": v for k, v in self.module.state_dict().items()}
        tensors |= {f"averaged.{k}": v for k, v in self.averaged.state_dict().items()}
        tensors |= {f"optimiser.{k}": v for k, v in self.optimiser.tensors().items()}
        plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        position = {"step": str(self.step), "seconds": str(self.seconds)}
        partial = self.directory / "state.safetensors.part"
        save_file(plain, partial, metadata=position)
        partial.replace(self.directory / "state.safetensors")
        self.on_save()

    def resume(self) -> bool:
        """Goes on from the saved checkpoint; False when there is none."""
        path = self.directory / "state.safetensors"
        if not path.exists():
            return False
        tensors = load_file(path)
        self.module.load_state_dict(under("module.", tensors))
        self.averaged.load_state_dict(under("averaged.", tensors))
        if kept := under("optimiser.", tensors):  # none in a checkpoint that was made of published weights
            self.optimiser.load_tensors(kept)
        position = read_metadata(path)
        self.step, self.seconds = int(position["step"]), float(position["seconds"])
        return True


def averaged_weights(directory: Path) -> dict[str, Tensor]:
    """The averaged module's weights from a stage's checkpoint. Raises FileNotFoundError when it has not trained."""
    path = directory / "state.safetensors"
    if not path.exists():
        raise FileNotFoundError(f"{path}: this stage has not been trained yet")
    return under("averaged.", load_file(path))


def read_metadata(path: Path) -> dict[str, str]:
    """The text metadata in a safetensors file's header."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    metadata: dict[str, str] = header.get("__metadata__", {})
    return metadata


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def step_generator(seed: int, step: int, device: torch.device | None = None) -> torch.Generator:
    """The source of everything random in one step, on a device (default: the CPU)."""
    return torch.Generator(device or torch.device("cpu")).manual_seed(seed * 1_000_003 + step)


def lower_priority() -> None:
    """Lets every other process of this machine go first; training only uses what is left."""
    if hasattr(os, "nice"):
        os.nice(max(0, 15 - os.nice(0)))
