"""Stage 4: a network that needs few steps and no guidance, by distillation of the many-step transformer.

The teacher denoises with guidance along a fine schedule that goes through every sigma of the student's coarse one. In
each of the student's steps the teacher thus covers a stretch of its path, and the student learns the mean velocity of
that stretch: one Euler step then ends where the teacher's many did (progressive distillation, Salimans & Ho, 2022,
done at once from many steps to few, along the teacher's own paths instead of from noised data).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from daybreak.diffusion.conditioning import sample_ceilings
from daybreak.diffusion.flow import add_noise, per_frame
from daybreak.diffusion.guidance import guided
from daybreak.diffusion.samplers import euler
from daybreak.diffusion.schedule import shifted_schedule
from daybreak.models.transformer import Transformer
from daybreak.models.vae import VAE
from daybreak.train.farm import DevicePool
from daybreak.train.loop import LoopConfig, step_generator
from daybreak.train.transformer import Batch, Conditioner, LatentSource, sheet


@dataclass(frozen=True, slots=True)
class DistilRecipe:
    """How the few-step network is made."""

    loop: LoopConfig
    num_steps: int = 4  # of the student
    substeps: int = 5  # of the teacher in each of them
    guidance: float = 4.0
    shift: float = 40.0  # of both schedules
    batch: int = 256  # stretches a step
    paths: int = 128  # new ones every `gather_every` steps
    gather_every: int = 6
    kept: int = 1_536  # paths to draw from


class DistilStage:
    """The loss and the samples of a student in training; paths are made as it learns."""

    def __init__(
        self, recipe: DistilRecipe, teacher: Transformer, conditioner: Conditioner, vae: VAE, source: LatentSource
    ) -> None:
        self.recipe, self.teacher, self.conditioner, self.vae, self.source = recipe, teacher, conditioner, vae, source
        self.module: Transformer = copy.deepcopy(teacher).requires_grad_(True)
        if recipe.loop.compile:
            for block in [*self.teacher.blocks, *self.module.blocks]:
                block.compile()
        self.pools: dict[torch.Size, DevicePool] = {}  # by the shape of latents
        self.schedule = shifted_schedule(recipe.num_steps, recipe.shift)

    def begin(self) -> None:
        """Waits for latents to pin, and makes the first paths."""
        self.source.wait()

    def loss(self, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """The error of the mean velocity over random stretches of the teacher's paths."""
        recipe = self.recipe
        if step % recipe.gather_every == 0:
            for batch_number in range(2 if step == 0 else 1):
                self._gather(self.source.batch(2 * step + batch_number, still=False), step, device)
        generator = step_generator(recipe.loop.seed, step, device)
        newest = max(self.pools.values(), key=lambda pool: pool.added) if step % 5 else self._some_pool(step)
        drawn = newest.draw(recipe.batch, step_generator(4, step))
        rows = torch.arange(recipe.batch, device=device)
        stretch = torch.randint(recipe.num_steps, (recipe.batch,), generator=generator, device=device)
        ceilings = drawn["ceilings"]
        schedule = self.schedule.to(device)
        now, after = (torch.minimum(schedule[stretch + ahead][:, None], ceilings) for ahead in (0, 1))
        latents, target = (drawn[name][rows, stretch].float() for name in ("states", "velocities"))
        text = self.conditioner.states(drawn["ids"].long(), drawn["mask"])
        predicted = self.module(latents, now, *text).float()
        channels = self.module.channel_deviations(latents.shape[2])
        errors = (predicted - target).square() * (channels / channels.mean(1, keepdim=True))
        moving = per_frame((now > after).float())
        loss = (errors.mean(1, keepdim=True) * moving).sum() / (moving.sum() * latents.shape[3] * latents.shape[4])
        return loss, {}

    def _some_pool(self, step: int) -> DevicePool:
        pools = list(self.pools.values())
        return pools[step // 5 % len(pools)]

    @torch.no_grad()
    def _gather(self, batch: Batch, step: int, device: torch.device) -> None:
        """Adds the teacher's paths for a batch's captions; some frames of some are pinned to the batch's latents."""
        recipe = self.recipe
        some = slice(0, recipe.paths)
        data, ids, mask = batch.data[some].to(device).float(), batch.ids[some].to(device), batch.mask[some].to(device)
        generator = step_generator(recipe.loop.seed + 1, step, device)
        ceilings = sample_ceilings(len(data), data.shape[2], generator).to(device)
        noise = torch.randn(data.shape, generator=generator, device=device)
        prompt = self.conditioner.states(ids, mask)
        empty = self.conditioner([""], device)
        negative = tuple(part.expand(len(data), *part.shape[1:]) for part in empty)
        denoise = guided(self.teacher, prompt, (negative[0], negative[1]), recipe.guidance)
        latents = add_noise(data, noise, ceilings)
        states, velocities = [], []
        for first, last in zip(self.schedule, self.schedule[1:], strict=False):
            fine = refined(first, last, recipe.substeps, recipe.shift).to(device)
            reached = euler(denoise, latents, fine, ceilings)
            moved = per_frame(torch.minimum(first.to(device), ceilings) - torch.minimum(last.to(device), ceilings))
            states.append(latents)
            velocities.append(torch.where(moved > 0, (latents - reached) / moved.clamp_min(1e-6), 0))
            latents = reached
        pool = self.pools.setdefault(data.shape[1:], DevicePool(recipe.kept, device))
        pool.add(
            {
                "states": torch.stack(states, 1).half(),
                "velocities": torch.stack(velocities, 1).half(),
                "ceilings": ceilings,
                "ids": ids.short(),
                "mask": mask,
            }
        )

    def sample(self, averaged: nn.Module, path: Path) -> dict[str, float]:
        """Clips for the sheet's prompts, in the student's few steps."""
        assert isinstance(averaged, Transformer)
        sheet(averaged, self.conditioner, self.vae, self.schedule, 1.0).save(path)
        return {}


def refined(first: Tensor, last: Tensor, substeps: int, shift: float) -> Tensor:
    """Sigmas from `first` to `last`, evenly spaced where the schedule of `shift` is even."""
    ends = torch.stack([first, last]).double()
    even = ends / (shift - (shift - 1) * ends)
    between = torch.linspace(float(even[0]), float(even[1]), substeps + 1, dtype=torch.float64)
    sigmas = shift * between / (1 + (shift - 1) * between)
    sigmas[0], sigmas[-1] = ends
    return sigmas.float()
