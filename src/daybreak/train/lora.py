"""LoRAs from a folder of clips: encoded once, then trained on the frozen model's own loss (Hu et al., 2021).

What a run leaves lies in a folder beside its result: checkpoints, log, loss curve, sample sheets, encoded clips. A run
that was stopped goes on bit for bit as if it had not been (`train/loop.py`).
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import load_file, save, save_file
from torch import Tensor, nn

from daybreak import __version__
from daybreak.diffusion.guidance import guided
from daybreak.diffusion.samplers import euler
from daybreak.durable import finished_file
from daybreak.generation import Frames
from daybreak.models.lora import LowRankAdapters, attach
from daybreak.train.footage import Footage, Grid, windows
from daybreak.train.log import contact_sheet
from daybreak.train.loop import Loop, LoopConfig, step_generator
from daybreak.train.optimiser import OptimiserConfig

_PLAN_FILE = "lora.json"  # what a run was begun with
_MAY_CHANGE = ("num_steps", "sample_every", "sheet_steps")  # from one session of a run to the next
_SHEET_SEED = -1  # its noise is no step's


@dataclass(frozen=True, slots=True)
class LoraConfig:
    """How a LoRA is trained; None leaves the learning rate to the model."""

    rank: int = 16
    num_steps: int = 500
    learning_rate: float | None = None
    batch: int = 4
    unconditional_share: float = 0.1  # of captions left out, for guidance
    seed: int = 0
    sample_every: int = 250
    sheet_steps: int = 20
    trigger_words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, number, most in (
            ("rank", self.rank, 512),
            ("steps", self.num_steps, 10**6),
            ("batch", self.batch, 64),
        ):
            if not 1 <= number <= most:
                raise ValueError(f"{name} must be from 1 to {most}, not {number}")
        if self.learning_rate is not None and not 0 < self.learning_rate <= 1:
            raise ValueError(f"the learning rate must be above 0 and at most 1, not {self.learning_rate:g}")


class LoraTarget(Protocol):
    """A model that LoRAs are trained for: frozen, on one device."""

    name: str
    digest: str
    grid: Grid
    learning_rate: float
    file_dtype: torch.dtype
    header: dict[str, Any]  # what else a file says of itself
    sheet_rows: int
    sheet_guidance: float

    @property
    def network(self) -> nn.Module:
        """What is adapted."""

    def layers(self) -> dict[str, tuple[int, int]]:
        """The shape (out, in) of each layer that gets an update."""

    def embed(self, captions: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
        """Text states (L, D) and mask (L,) of each caption, all of one length, on the CPU."""

    def encode(self, frames: Frames) -> Tensor:
        """Latents (C, T, H, W) of frames (F, H, W, 3), on the CPU."""

    def ready(self) -> None:
        """Called when everything is encoded: what only encoding needed may go."""

    def loss(self, latents: Tensor, text: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        """The loss of latents (B, C, T, H, W)."""

    def velocity(self, latents: Tensor, sigmas: Tensor, text_embeds: Tensor, text_mask: Tensor) -> Tensor:
        """The velocity (B, C, T, H, W) at `sigmas` (B, T)."""

    def sheet_schedule(self, num_inference_steps: int) -> Tensor:
        """The sigmas of a sample."""

    def decode(self, latents: Tensor) -> Frames:
        """Frames of latents (C, T, H, W)."""


@dataclass(frozen=True, slots=True)
class Example:
    """One clip as the model sees it: latents (C, T, H, W), its text and which of the texts that is."""

    latents: Tensor
    caption: str


class LoraStage:
    """The loss and the samples of adapters in training."""

    def __init__(
        self,
        target: LoraTarget,
        examples: Sequence[Example],
        texts: dict[str, tuple[Tensor, Tensor]],
        config: LoraConfig,
    ) -> None:
        self.target, self.examples, self.texts, self.config = target, examples, texts, config
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.module = LowRankAdapters(target.layers(), config.rank)
        self._attachment = attach(target.network, self.module)

    def begin(self) -> None:
        """Nothing has to be measured."""

    def loss(self, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """The model's own loss on batch `step`: clips of one shape, drawn by (seed, step) alone."""
        rng = random.Random(f"lora {self.config.seed} {step}")
        first = rng.choice(self.examples)
        alike = [each for each in self.examples if each.latents.shape == first.latents.shape]
        chosen = [first, *(rng.choice(alike) for _ in range(self.config.batch - 1))]
        captions = ["" if rng.random() < self.config.unconditional_share else each.caption for each in chosen]
        latents = torch.stack([each.latents for each in chosen]).to(device).float()
        generator = step_generator(self.config.seed, step)
        return self.target.loss(latents, self._text(captions, device), generator), {}

    def sample(self, averaged: nn.Module, path: Path) -> dict[str, float]:
        """Clips for the first captions, a row each, made with the averaged adapters."""
        assert isinstance(averaged, LowRankAdapters)
        device = next(averaged.parameters()).device
        first = max(self.examples, key=lambda each: each.latents.numel())
        captions = list(dict.fromkeys(each.caption for each in self.examples))[: self.target.sheet_rows]
        self._attachment.active = averaged
        try:
            clips = [self._clip(caption, first.latents.shape, device) for caption in captions]
        finally:
            self._attachment.active = self.module
        contact_sheet([clip[:, ::2, ::2] for clip in clips], 5).save(path)
        return {}

    def _clip(self, caption: str, shape: torch.Size, device: torch.device) -> Frames:
        denoise = guided(
            self.target.velocity, self._text([caption], device), self._text([""], device), self.target.sheet_guidance
        )
        noise = torch.randn((1, *shape), generator=step_generator(self.config.seed, _SHEET_SEED)).to(device)
        ceiling = torch.ones(1, shape[1], device=device)
        sigmas = self.target.sheet_schedule(self.config.sheet_steps)
        return self.target.decode(euler(denoise, noise, sigmas, ceiling)[0])

    def _text(self, captions: Sequence[str], device: torch.device) -> tuple[Tensor, Tensor]:
        embeds, masks = zip(*(self.texts[caption] for caption in captions), strict=True)
        return torch.stack(embeds).to(device), torch.stack(masks).to(device)


def training_folder(out: Path) -> Path:
    """Where a run keeps what is not its result."""
    return out.with_name(f"{out.stem}.training")


def train_lora(
    target: LoraTarget,
    footage: Sequence[Footage],
    out: Path,
    config: LoraConfig,
    device: torch.device,
    *,
    resume: bool = False,
) -> Path:
    """`out`, now a LoRA that the engines load. Raises ValueError for files that cannot be read or another run's folder.

    Raises KeyboardInterrupt after Ctrl-C or SIGTERM, when the step in hand is saved.
    """
    folder = training_folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    plan = _plan(target, footage, config)
    if resume:
        _check_plan(folder / _PLAN_FILE, plan)
    examples = encode(target, footage, folder / "latents")
    captions = ["", *dict.fromkeys(each.caption for each in examples)]
    texts = dict(zip(captions, target.embed(captions), strict=True))
    target.ready()
    stage = LoraStage(target, examples, texts, config)
    loop = Loop(stage, _loop_config(config, target), folder, device)
    if not (resume and loop.resume()):
        (folder / _PLAN_FILE).write_text(json.dumps(plan, indent=2) + "\n", encoding="utf-8")
        loop.begin()
    averaged = loop.run()
    assert isinstance(averaged, LowRankAdapters)
    with torch.no_grad():
        stage.sample(averaged, folder / "samples.png")
    return write_lora(averaged, target, config, loop.step, out)


def encode(target: LoraTarget, footage: Sequence[Footage], folder: Path) -> list[Example]:
    """Every window of every file as latents, from `folder` where they were encoded before. Raises ValueError."""
    folder.mkdir(parents=True, exist_ok=True)
    examples = []
    for each in footage:
        kept = folder / f"{_key(each.path, target)}.safetensors"
        if not kept.exists():
            parts = {
                f"{number:05d}": target.encode(frames) for number, frames in enumerate(windows(each.path, target.grid))
            }
            save_file({name: part.half().contiguous() for name, part in parts.items()}, kept.with_suffix(".part"))
            kept.with_suffix(".part").replace(kept)
        held = load_file(kept)
        examples += [Example(held[name], each.caption) for name in sorted(held)]
    return examples


def write_lora(adapters: LowRankAdapters, target: LoraTarget, config: LoraConfig, steps: int, out: Path) -> Path:
    """Writes adapters as a file that says what it is; alpha is the rank."""
    said = {
        "made_for": target.name,
        "rank": adapters.rank,
        "alpha": adapters.rank,
        "trigger_words": list(config.trigger_words),
        "made_by": f"daybreak {__version__}",
        "steps": steps,
        **target.header,
    }
    tensors = {name: tensor.to(target.file_dtype) for name, tensor in adapters.tensors().items()}
    with finished_file(out) as part:
        # One key only: the library writes several in any order, and the same training is to give the same bytes.
        part.write_bytes(save(tensors, metadata={"daybreak": json.dumps(said, ensure_ascii=False)}))
    return out


def _loop_config(config: LoraConfig, target: LoraTarget) -> LoopConfig:
    rate = target.learning_rate if config.learning_rate is None else config.learning_rate
    return LoopConfig(
        config.num_steps,
        OptimiserConfig(rate, warmup_steps=20),
        save_every=50,
        sample_every=config.sample_every,
        log_every=10,
        seed=config.seed,
    )


def _plan(target: LoraTarget, footage: Sequence[Footage], config: LoraConfig) -> dict[str, Any]:
    """What a run must share with the one that it goes on from; it may be longer."""
    kept = {name: value for name, value in asdict(config).items() if name not in _MAY_CHANGE}
    files = [[each.path.name, _digest(each.path), each.caption] for each in footage]
    plan = {"model": target.name, "digest": target.digest, **kept, **target.header, "files": files}
    plain: dict[str, Any] = json.loads(json.dumps(plan))
    return plain


def _check_plan(file: Path, plan: dict[str, Any]) -> None:
    if not file.is_file():
        raise ValueError(f"there is nothing to resume in {file.parent}: leave out --resume")
    before = json.loads(file.read_text(encoding="utf-8"))
    changed = sorted(name for name in {*before, *plan} if before.get(name) != plan.get(name))
    if changed:
        raise ValueError(
            f"the run in {file.parent} was begun with other {', '.join(changed).replace('_', ' ')}: give the same, "
            "or leave out --resume to begin again"
        )


def _key(path: Path, target: LoraTarget) -> str:
    grid = target.grid
    plain = (
        f"{_digest(path)} {target.digest} {grid.fps} {grid.num_frames} {grid.size(1920, 1080)} {grid.size(1080, 1920)}"
    )
    return hashlib.sha256(plain.encode()).hexdigest()[:32]


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
