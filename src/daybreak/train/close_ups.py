"""The probes' first lesson: close-ups of subjects, two moments of a scene each, from which to name them.

What tells a bear from a pig is a few pixels of snout and ear, so it takes many scenes to learn. Only a window around
the subject is drawn, and only the part of the network that sees it learns: a close-up costs a fifth of a clip.
Close-up i is a function of i alone and batch n of n alone, as in all of training.
"""

from __future__ import annotations

import random
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from numpy.typing import NDArray
from torch import Tensor, nn

from daybreak.diorama.build import build_stage
from daybreak.diorama.render import Stage, render_frames
from daybreak.diorama.sampling import sample_spec
from daybreak.evaluate.framing import HEIGHT, TUBELET, WIDTH, crops, moved, offsets, places, subject_share, windows
from daybreak.evaluate.probes import PROBE_FRAMES, SUBJECT_ATTRIBUTES, Seen, SubjectView
from daybreak.train.augment import UNKNOWN, augment, jitter, label_numbers
from daybreak.train.log import contact_sheet
from daybreak.train.loop import LoopConfig, step_generator
from daybreak.train.world import CLIP_FRAMES, FPS

FIRST_SCENE = 45_000_000  # far from all others', the evaluation's among them
FIRST_CHECK = 39_000_000  # held-out combinations
CHECKED = 384
MOMENTS = 2  # of a scene; neighbours, so that the network mixes them in time as it does a clip's
SEARCH = 4  # how much smaller than what the probes see the picture is in which the subject is looked for


@dataclass(frozen=True, slots=True)
class CloseUpRecipe:
    """How long the probes look at close-ups."""

    loop: LoopConfig
    batch: int = 96
    fresh: int = 48  # newly drawn ones a step: each is seen twice
    pool: int = 2_400  # to draw from; a resumed run renders them anew


@dataclass(frozen=True, slots=True)
class CloseUp:
    """Frames (4, CROP, CROP, 3) of two moments around the subject, and the scene's labels (7,).

    `offset` is what would move its windows to the mark, (2, 3); NaN where the subject is not seen.
    """

    frames: NDArray[np.uint8]
    labels: tuple[int, ...]
    offset: NDArray[np.float32]


def render_close_up(seed: int, *, held_out: bool = False) -> CloseUp:
    """The close-up of scene `seed`: what `Probe` would cut out of the picture, a little off the mark."""
    rng = random.Random(f"close-up {seed}")
    spec = sample_spec(seed, held_out=held_out, max_subjects=1)
    stage = build_stage(spec, CLIP_FRAMES, FPS, WIDTH / HEIGHT)
    first = rng.randrange(len(PROBE_FRAMES) // TUBELET - MOMENTS + 1) * TUBELET
    off = jitter(torch.Generator().manual_seed(seed))
    moments = [PROBE_FRAMES[first + i * TUBELET : first + (i + 1) * TUBELET] for i in range(MOMENTS)]
    frames, offset = zip(*(_look_at_subject(stage, moment, off) for moment in moments), strict=True)
    return CloseUp(np.concatenate(frames), label_numbers(spec), np.concatenate(offset))


def _look_at_subject(
    stage: Stage, moment: tuple[int, ...], off: Tensor
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The frames of one moment, (2, CROP, CROP, 3): a window around the subject, scaled; and its offset (1, 3)."""
    _, found = render_frames(stage, HEIGHT // SEARCH, WIDTH // SEARCH, moment[:1])
    top, bottom, left, right = window = _around(found[0] == 1)
    drawn, entities = render_frames(stage, HEIGHT, WIDTH, moment, window)
    inside = np.zeros((TUBELET, HEIGHT, WIDTH), np.bool_)
    inside[:, top:bottom, left:right] = entities == 1
    mark = windows(places(torch.from_numpy(subject_share(inside))))
    taken = moved(mark, off)
    offset = offsets(taken, mark if inside.any() else mark * torch.nan)
    # `crops` measures in whole pictures: the window is laid into one, its edges drawn out.
    margins = ((0, 0), (top, HEIGHT - bottom), (left, WIDTH - right), (0, 0))
    picture = torch.from_numpy(np.pad(drawn, margins, "edge")).float()
    cut = crops(rearrange(picture, "t H W C -> 1 (t C) H W"), taken)[0]
    return rearrange(cut, "(t C) h w -> t h w C", t=TUBELET).round().byte().numpy(), offset.numpy()


def _around(found: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """The window (top, bottom, left, right) of the probes' picture around the subject seen in a smaller one."""
    rows, columns = (np.flatnonzero(found.any(axis)) for axis in (1, 0))
    if not len(rows):
        return 0, HEIGHT, 0, WIDTH
    margin = max(len(rows), len(columns)) * SEARCH * 3 // 4 + 16
    top, left = (max(0, int(line[0]) * SEARCH - margin) for line in (rows, columns))
    bottom, right = ((int(line[-1]) + 1) * SEARCH + margin for line in (rows, columns))
    return top, min(bottom, HEIGHT), left, min(right, WIDTH)


class CloseUpStage:
    """The loss and the samples of probes that learn from close-ups."""

    def __init__(self, recipe: CloseUpRecipe, view: SubjectView, num_threads: int = 2) -> None:
        self.recipe, self.module = recipe, view
        self.threads = ThreadPoolExecutor(num_threads)
        self.close_ups: dict[int, Future[CloseUp]] = {}
        self.checks: list[CloseUp] = []

    def begin(self) -> None:
        """Nothing to measure."""

    def loss(self, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """Cross-entropy of the subject's attributes, from every moment by itself, and the error of its offset."""
        chosen = self._batch(step)
        labels = torch.tensor([close_up.labels for close_up in chosen])
        generator = step_generator(self.recipe.loop.seed, step)
        pixels, labels, mirrored = augment(close_up_pixels(chosen), labels, generator)
        offset = torch.from_numpy(np.stack([close_up.offset for close_up in chosen]))
        offset[..., 0] *= torch.where(mirrored, -1, 1)[:, None]
        seen, labels = look(self.module, pixels.to(device)), labels.to(device)
        losses = {
            name: F.cross_entropy(seen.logits[name].flatten(0, 1), labels[:, i].repeat_interleave(MOMENTS))
            for i, name in enumerate(SUBJECT_ATTRIBUTES)
        }
        losses["offset"] = offset_error(seen.offset, offset.to(device))
        return torch.stack(list(losses.values())).sum(), {name: float(value.detach()) for name, value in losses.items()}

    def sample(self, averaged: nn.Module, path: Path) -> dict[str, float]:
        """Accuracy on held-out combinations, both moments together; the sheet shows those taken for another subject."""
        assert isinstance(averaged, SubjectView)
        if not self.checks:
            seeds = range(FIRST_CHECK, FIRST_CHECK + CHECKED)
            self.checks = list(self.threads.map(lambda seed: render_close_up(seed, held_out=True), seeds))
        device = next(averaged.parameters()).device
        found = []
        for first in range(0, len(self.checks), 128):
            logits = look(averaged, close_up_pixels(self.checks[first : first + 128]).to(device)).logits
            found.append(torch.stack([logits[name].mean(1).argmax(1) for name in SUBJECT_ATTRIBUTES], 1).cpu())
        answers = torch.cat(found)
        labels = torch.tensor([close_up.labels for close_up in self.checks])[:, : len(SUBJECT_ATTRIBUTES)]
        wrong = (answers[:, 0] != labels[:, 0]).nonzero()[:16, 0].tolist() or [0]
        contact_sheet([self.checks[index].frames for index in wrong], 2 * MOMENTS).save(path)
        right, known = answers == labels, labels != UNKNOWN
        return {name: float(right[known[:, i], i].float().mean()) for i, name in enumerate(SUBJECT_ATTRIBUTES)}

    def _batch(self, step: int) -> list[CloseUp]:
        recipe = self.recipe
        first = step * recipe.fresh
        # The pool grows at first, so that no step has to wait for all of it.
        size = min(recipe.pool, recipe.batch + first)
        begin = max(0, first + recipe.batch - size)
        for index in [index for index in self.close_ups if index < begin]:
            del self.close_ups[index]
        for index in range(begin, begin + size + 4 * recipe.fresh):
            if index not in self.close_ups:
                self.close_ups[index] = self.threads.submit(render_close_up, FIRST_SCENE + index)
        chosen = random.Random(f"close-ups {step}").sample(range(begin, begin + size), recipe.batch)
        return [self.close_ups[index].result() for index in chosen]


def close_up_pixels(chosen: list[CloseUp]) -> Tensor:
    """Close-ups as one batch (B, 3, 4, CROP, CROP) in [-1, 1]."""
    frames = torch.from_numpy(np.stack([close_up.frames for close_up in chosen]))
    return rearrange(frames, "B F h w C -> B C F h w").float() / 127.5 - 1


def look(view: SubjectView, pixels: Tensor) -> Seen:
    """What each moment of close-ups (B, 3, 4, CROP, CROP) shows."""
    seen: Seen = view(rearrange(pixels, "B C (T t) H W -> (B T) (t C) H W", t=TUBELET), MOMENTS)
    return seen


def offset_error(offset: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of offsets (B, T, 3), where the target is known, which is where it is not NaN."""
    known = ~target.isnan()
    return torch.where(known, offset - target.nan_to_num(), 0).abs().sum() / known.sum().clamp(min=1)
