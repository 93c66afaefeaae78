"""The probes' training: close-ups first, then whole clips of one subject, spoilt as a generated clip may be.

Clip i is a function of i alone and batch n of n alone, so that a resumed run sees the same data.
"""

from __future__ import annotations

import copy
import random
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor, nn

from daybreak.diorama.build import build_stage
from daybreak.diorama.render import render_frames
from daybreak.diorama.sampling import sample_spec
from daybreak.evaluate.framing import HEIGHT, TUBELET, WIDTH, crops, moved, offsets, places, subject_share, windows
from daybreak.evaluate.probes import (
    ATTRIBUTES,
    CLASSES,
    PROBE_FRAMES,
    SUBJECT_ATTRIBUTES,
    Probe,
    ProbeConfig,
    SubjectView,
    load_probe,
    probe_frames,
    probe_pixels,
    save_probe,
)
from daybreak.train.augment import JITTER, UNKNOWN, augment, label_numbers, mirrored_shares
from daybreak.train.close_ups import CloseUpRecipe, CloseUpStage, offset_error
from daybreak.train.loop import Loop, LoopConfig, lower_priority, pick_device, step_generator
from daybreak.train.optimiser import OptimiserConfig
from daybreak.train.world import CLIP_FRAMES, FPS

FIRST_SCENE = 30_000_000  # far from the scenes of the VAE, the transformer and the evaluation
FIRST_CHECK = 35_000_000  # the sample sheet's, all held-out combinations
CHECKED_CLIPS = 96
FULL_SCALE = 2  # 448x256: how much larger than the probes see them the clips to check are rendered


@dataclass(frozen=True, slots=True)
class ProbeRecipe:
    """The probes and how they are trained."""

    model: ProbeConfig
    close_ups: CloseUpRecipe
    loop: LoopConfig  # of the clips that follow
    batch: int = 24
    fresh_clips: int = 24  # newly rendered ones a step: as many as are drawn, for clips seen again are learnt by heart
    pool: int = 480  # clips to draw from
    where_weight: float = 0.5  # of the loss of where the subject is
    view_weight: float = 0.0  # of what its view, told where the subject is, says of it; 0: the view is not trained


PROBES = ProbeRecipe(
    ProbeConfig(width=192),
    CloseUpRecipe(
        LoopConfig(1_600, OptimiserConfig(1.5e-3, 3e-3, 50, 700), ema_decay=0.99, save_every=50, sample_every=100)
    ),
    LoopConfig(1_200, OptimiserConfig(1.5e-3, 3e-3, 50, 600), ema_decay=0.99, save_every=20, sample_every=100),
)


# On a graphics card all of it learns at once, from clips alone: of so many the view learns what close-ups teach.
LIVE_PROBES = replace(
    PROBES,
    loop=LoopConfig(
        6_000, OptimiserConfig(1e-3, 2e-3, 100, 4_000), ema_decay=0.998, save_every=2_000, sample_every=1_000
    ),
    batch=192,
    view_weight=1.0,
)


@dataclass(frozen=True, slots=True)
class Clip:
    """What the probes learn from: frames (8, 128, 224, 3), the subject's share of every cell (T, N), labels (7,)."""

    frames: NDArray[np.uint8]
    share: NDArray[np.float32]
    labels: tuple[int, ...]


def render_clip(seed: int, *, held_out: bool = False, scale: int = 1) -> Clip:
    """The clip of scene `seed`: one subject, landscape; rendered `scale` times as large, then averaged."""
    spec = sample_spec(seed, held_out=held_out, max_subjects=1)
    stage = build_stage(spec, CLIP_FRAMES, FPS, WIDTH / HEIGHT)
    frames, entities = render_frames(stage, HEIGHT * scale, WIDTH * scale, PROBE_FRAMES)
    seen = np.empty((CLIP_FRAMES, *frames.shape[1:]), np.uint8)
    seen[list(PROBE_FRAMES)] = frames
    return Clip(probe_frames(seen), subject_share(entities == 1), label_numbers(spec))


class ClipSource(Protocol):
    """Where the probes' clips come from."""

    def batch(self, step: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (B, 3, 8, H, W) in [-1, 1], labels (B, 7), and the subject's shares (B, T, N) of step `step`."""


class ProbeStage:
    """The loss and the samples of probes in training, on clips from `source`."""

    def __init__(self, recipe: ProbeRecipe, source: ClipSource | None = None, num_threads: int = 2) -> None:
        self.recipe = recipe
        torch.manual_seed(recipe.loop.seed)
        self.module = Probe(recipe.model)
        # What close-ups have taught, a processor's far fewer clips would spoil.
        self.module.view.requires_grad_(recipe.view_weight > 0)
        self.threads = ThreadPoolExecutor(num_threads)
        self.source = source or RenderedClips(recipe, self.threads)
        self.checks: list[Clip] = []

    def begin(self) -> None:
        """Nothing to measure."""

    def loss(self, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """Cross-entropy of every attribute and of where the subject is, on batch `step`."""
        pixels, labels, share = (tensor.to(device) for tensor in self.source.batch(step, self.recipe.batch))
        generator = step_generator(self.recipe.loop.seed, step, device)
        pixels, labels, mirrored = augment(pixels, labels, generator)
        share = mirrored_shares(share, mirrored)
        logits, where = self.module(pixels)
        losses = {name: F.cross_entropy(logits[name], labels[:, i]) for i, name in enumerate(ATTRIBUTES)}
        missed = -(share * where).sum(-1).mean()
        total = torch.stack(list(losses.values())).sum() + self.recipe.where_weight * missed
        if self.recipe.view_weight:
            losses["view"] = view_error(self.module.view, pixels, labels, share, generator)
            total = total + self.recipe.view_weight * losses["view"]
        figures = {name: float(value.detach()) for name, value in losses.items()}
        return total, {**figures, "where": float(missed.detach())}

    def sample(self, averaged: nn.Module, path: Path) -> dict[str, float]:
        """Accuracy on held-out combinations; the sheet shows clips with what was missed."""
        if not self.checks:
            seeds = range(FIRST_CHECK, FIRST_CHECK + CHECKED_CLIPS)
            self.checks = list(self.threads.map(lambda seed: render_clip(seed, held_out=True, scale=FULL_SCALE), seeds))
        device = next(averaged.parameters()).device
        found = []
        for first in range(0, len(self.checks), 32):
            pixels = probe_pixels([clip.frames for clip in self.checks[first : first + 32]])
            logits, _ = averaged(pixels.to(device))
            found.append(torch.stack([logits[name].argmax(1) for name in ATTRIBUTES], 1).cpu())
        answers, labels = torch.cat(found), torch.tensor([clip.labels for clip in self.checks])
        right, known = (answers == labels), labels != UNKNOWN
        mistakes_sheet(self.checks, answers, labels).save(path)
        return {name: float(right[known[:, i], i].float().mean()) for i, name in enumerate(ATTRIBUTES)}


class RenderedClips:
    """Clips rendered ahead in threads; clip i is a function of i alone and batch n of n alone."""

    def __init__(self, recipe: ProbeRecipe, threads: ThreadPoolExecutor) -> None:
        self.recipe, self.threads = recipe, threads
        self.clips: dict[int, Future[Clip]] = {}

    def batch(self, step: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (B, 3, 8, H, W) in [-1, 1], labels (B, 7), and the subject's shares (B, T, N) of step `step`."""
        recipe = self.recipe
        first = step * recipe.fresh_clips
        for index in [index for index in self.clips if index < first]:
            del self.clips[index]
        for index in range(first, first + recipe.pool + 4 * recipe.fresh_clips):
            if index not in self.clips:
                self.clips[index] = self.threads.submit(render_clip, FIRST_SCENE + index)
        chosen = random.Random(f"probe batch {step}").sample(range(first, first + recipe.pool), size)
        clips = [self.clips[index].result() for index in chosen]
        share = torch.from_numpy(np.stack([clip.share for clip in clips]))
        return probe_pixels([clip.frames for clip in clips]), torch.tensor([clip.labels for clip in clips]), share


def view_error(view: SubjectView, pixels: Tensor, labels: Tensor, share: Tensor, generator: torch.Generator) -> Tensor:
    """What close-ups teach (`train.close_ups`), from clips: a window a moment around the subject, off the mark.

    The mean over moments of the cross-entropy of the subject's attributes and of the error of the windows' offset.
    """
    moments = share.shape[1]
    mark = windows(places(share))
    spread = torch.rand(len(mark), moments, 1, generator=generator, device=mark.device)
    drawn = torch.randn(mark.shape, generator=generator, device=mark.device)
    taken = moved(mark, JITTER.to(mark) * spread * drawn)
    seen = share.sum(-1, keepdim=True) > 0
    target = torch.where(seen, offsets(taken, mark), torch.nan)
    x = rearrange(pixels, "B C (T t) H W -> (B T) (t C) H W", t=TUBELET)
    shown = view(crops(x, taken.flatten(0, 1)), moments)
    losses = [
        F.cross_entropy(shown.logits[name].flatten(0, 1), labels[:, i].repeat_interleave(moments))
        for i, name in enumerate(SUBJECT_ATTRIBUTES)
    ]
    return torch.stack([*losses, offset_error(shown.offset, target)]).sum()


def mistakes_sheet(clips: list[Clip], answers: Tensor, labels: Tensor, rows: int = 12) -> Image.Image:
    """The first clips with mistakes, four frames each, and what was taken for what."""
    wrong = (answers != labels) & (labels != UNKNOWN)
    shown = wrong.any(1).nonzero()[:rows, 0].tolist() or [0]
    sheet = Image.new("RGB", (4 * WIDTH, len(shown) * (HEIGHT + 12)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, index in enumerate(shown):
        frames = np.concatenate(list(clips[index].frames[::2]), 1)
        sheet.paste(Image.fromarray(frames), (0, row * (HEIGHT + 12) + 12))
        mistakes = [
            f"{CLASSES[name][labels[index, i]]} as {CLASSES[name][answers[index, i]]}"
            for i, name in enumerate(ATTRIBUTES) if wrong[index, i]
        ]  # fmt: skip
        draw.text((2, row * (HEIGHT + 12)), "; ".join(mistakes), fill="black")
    return sheet


def train_probes_live(source: ClipSource, seconds: float, directory: Path, folder: Path, device: torch.device) -> None:
    """Trains the probes on a card for so many seconds, and writes them to `folder`."""
    stage = ProbeStage(LIVE_PROBES, source)
    loop = Loop(stage, replace(LIVE_PROBES.loop, seconds=seconds), directory, device)
    loop.begin()
    averaged = loop.run()
    assert isinstance(averaged, Probe)
    save_probe(averaged, folder)


def train_probes(
    directory: Path, folder: Path, *, resume: bool = False, again: bool = False, device: str = "auto"
) -> None:
    """Trains the probes under `directory`, at low priority, and writes them to `folder`.

    With `resume` from the last checkpoint; with `again` from the probes that are in `folder` already.
    """
    lower_priority()
    where = pick_device(device)
    stage = ProbeStage(PROBES)
    view = copy.deepcopy(stage.module.view).requires_grad_(True)
    close_ups = Loop(CloseUpStage(PROBES.close_ups, view), PROBES.close_ups.loop, directory / "close-ups", where)
    clips = Loop(stage, PROBES.loop, directory, where)
    if not (resume and clips.resume()):
        if again:
            clips.module.load_state_dict(load_probe(folder).state_dict())
            view.load_state_dict(stage.module.view.state_dict())
        if not (resume and close_ups.resume()):
            close_ups.begin()
        stage.module.view.load_state_dict(close_ups.run().state_dict())
        clips.begin()
    averaged = clips.run()
    assert isinstance(averaged, Probe)
    save_probe(averaged, folder)
