"""Stage 1: the VAE on windows of rendered clips: its linear code is fitted, then its decoder trained."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from daybreak.diorama.build import build_stage
from daybreak.diorama.render import render_frames
from daybreak.diorama.sampling import sample_spec
from daybreak.evaluate.fidelity import psnr
from daybreak.models.vae import VAE, VAEConfig
from daybreak.train.linear_code import fit_context, fit_linear_code
from daybreak.train.log import contact_sheet
from daybreak.train.loop import LoopConfig, step_generator
from daybreak.train.world import (
    CLIP_FRAMES,
    FPS,
    CropConfig,
    UnitPool,
    render_picture,
    to_frames,
    to_pixels,
)

HELD_OUT_CLIPS = 6  # scenes of the sample sheet


class WindowSource(Protocol):
    """Where windows of clips come from."""

    def first(self, count: int) -> Iterable[Tensor]:
        """Pixels (n, 3, F, H, W) in [-1, 1] of `count` windows that the linear code is fitted to."""

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Pixels (B, 3, F, H, W) in [-1, 1] and entities (B, F, H, W) of step `step`."""


@dataclass(frozen=True, slots=True)
class VAERecipe:
    """A VAE and how it is trained."""

    model: VAEConfig
    loop: LoopConfig
    crops: CropConfig
    subject_weight: float = 3.0  # how much more a subject's pixel counts than the ground's
    edge_weight: float = 1.0  # L1 between the pictures' gradients, in space and time
    latent_noise: float = 0.2  # at most: each clip's latents get their own, for samplers make errors of all sizes
    linear_clips: int = 400  # windows that the linear code is fitted to
    context_clips: int = 120  # whole pictures that the decoder's context is fitted to
    power_weight: float = 0.1  # keeps the latents' mean square near 1: noise is measured against it


class VAEStage:
    """The loss and the samples of a VAE in training, on windows from `source`."""

    def __init__(self, recipe: VAERecipe, source: WindowSource | None = None) -> None:
        self.recipe = recipe
        torch.manual_seed(recipe.loop.seed)
        self.vae = VAE(recipe.model)
        self.module: nn.Module = self.vae
        self.source = source or UnitPool(recipe.crops)
        # Compiled, the elementwise passes over every pixel fuse: 0.71 s a step become 0.43 s on 2 cores.
        self._decode = torch.compile(self.vae.decoder) if recipe.loop.compile else self.vae.decoder
        self._errors = torch.compile(reconstruction_errors) if recipe.loop.compile else reconstruction_errors

    def begin(self) -> None:
        """Gives a new VAE the linear code it starts from, and its decoder the context that belongs to the code."""
        recipe = self.recipe
        fit_linear_code(self.vae, self.source.first(recipe.linear_clips))
        with ThreadPoolExecutor(2) as threads:
            if recipe.model.context_channels:
                frames = recipe.crops.crop_frames
                pictures = threads.map(lambda index: render_picture(index, frames), range(recipe.context_clips))
                fit_context(self.vae, (to_pixels([picture]) for picture in pictures))

    def loss(self, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """Weighted reconstruction error of batch `step`."""
        pixels, entities = (tensor.to(device) for tensor in self.source.batch(step))
        generator = step_generator(self.recipe.loop.seed, step)
        latents = self.vae.encode(pixels).float()
        power = latents.square().mean().log().square()
        amount = self.recipe.latent_noise * torch.rand(len(latents), 1, 1, 1, 1, generator=generator)
        latents = latents + (amount * torch.randn(latents.shape, generator=generator)).to(device)
        only = target_frames(self.recipe.crops, generator).to(device)
        decoded = self._decode(latents, only)
        reconstruction, edges, square = self._errors(
            decoded, pixels[:, :, only], entities[:, only], self.recipe.subject_weight
        )
        loss = reconstruction + self.recipe.edge_weight * edges + self.recipe.power_weight * power
        psnr_now = 10 * torch.log10(4 / square.detach())
        figures = {"reconstruction": reconstruction, "edges": edges, "psnr": psnr_now}
        return loss, {name: value.detach().item() for name, value in figures.items()}

    def sample(self, averaged: nn.Module, path: Path) -> dict[str, float]:
        """Held-out clips above their reconstructions; PSNR over the frame and inside the subjects' boxes."""
        assert isinstance(averaged, VAE)
        rows, whole, boxed = [], [], []
        device = next(averaged.parameters()).device
        for seed in range(HELD_OUT_CLIPS):
            stage = build_stage(sample_spec(seed, held_out=True), CLIP_FRAMES, FPS, 448 / 256)
            frames, entities = render_frames(stage, 256, 448, range(17))
            pixels = to_pixels([frames]).to(device)
            decoded = averaged.decode(averaged.encode(pixels)).float().clamp(-1, 1)
            whole.append(psnr(decoded, pixels))
            inside = torch.from_numpy(entities > 0).to(device)[None]
            if inside.any():
                boxed.append(psnr(decoded, pixels, boxes(inside)))
            rows += [frames, to_frames(decoded[0])]
        contact_sheet(rows, 3).save(path)
        return {"psnr": sum(whole) / len(whole), "psnr_boxes": sum(boxed) / max(len(boxed), 1)}


def target_frames(crops: CropConfig, generator: torch.Generator) -> Tensor:
    """Indices of the frames to decode: random pairs of neighbours, in order.

    Neighbouring frames teach much the same, and each costs as much as the whole of the rest of the network.
    """
    firsts = torch.randperm(crops.crop_frames // 2, generator=generator)[: crops.target_pairs].sort().values * 2
    firsts += torch.randint(0, 2, (), generator=generator)  # frame 0 is only ever a pair's first
    return torch.stack([firsts, firsts + 1], 1).flatten()


def pixel_weights(entities: Tensor, subject_weight: float) -> Tensor:
    """Weights (B, 1, F, H, W) of mean 1: the subjects and a margin around them count more."""
    # Blocks of 8 pixels that a subject touches, and their neighbours: a cheap dilation.
    blocks = F.max_pool3d((entities > 0).float()[:, None], (1, 8, 8))
    near = F.max_pool3d(blocks, (1, 3, 3), 1, (0, 1, 1))
    subject = 0.5 * (blocks + near).repeat_interleave(8, 3).repeat_interleave(8, 4)
    weights = 1 + (subject_weight - 1) * subject
    return weights / weights.mean()


def reconstruction_errors(
    decoded: Tensor, pixels: Tensor, entities: Tensor, subject_weight: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Weighted error (L1 and squared), weighted error of gradients, and plain mean squared error."""
    error = decoded.float() - pixels
    weights = pixel_weights(entities, subject_weight)
    square = error.square()
    return (weights * (error.abs() + 2 * square)).mean(), gradient_error(error, weights), square.mean()


def gradient_error(error: Tensor, weights: Tensor) -> Tensor:
    """Weighted L1 of the error's differences between neighbours in space and time."""
    across = ((error[..., 1:] - error[..., :-1]).abs() * weights[..., 1:]).mean()
    down = ((error[..., 1:, :] - error[..., :-1, :]).abs() * weights[..., 1:, :]).mean()
    in_time = ((error[:, :, 1::2] - error[:, :, ::2]).abs() * weights[:, :, 1::2]).mean()  # frames come in pairs
    return across + down + 0.5 * in_time


def boxes(inside: Tensor) -> Tensor:
    """The bounding box of each frame's True pixels, filled: (B, F, H, W) to the same."""
    rows, columns = inside.any(3, keepdim=True), inside.any(2, keepdim=True)
    return _span(rows, 2) & _span(columns, 3)


def _span(present: Tensor, axis: int) -> Tensor:
    counts = present.int()
    return (counts.cumsum(axis) > 0) & (counts.flip(axis).cumsum(axis).flip(axis) > 0)
