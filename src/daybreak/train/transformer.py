"""Stage 3: the transformer, on cached latents: text to video and every pinned pattern, stills and clips."""

from __future__ import annotations

import random
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from daybreak.diffusion.conditioning import sample_ceilings, sample_sigmas
from daybreak.diffusion.flow import add_noise, per_frame, velocity
from daybreak.diffusion.guidance import guided
from daybreak.diffusion.samplers import euler
from daybreak.diffusion.schedule import shifted_schedule
from daybreak.diorama.captions import caption
from daybreak.diorama.labels import labels
from daybreak.diorama.narrowing import Words, first_known
from daybreak.diorama.scene import SceneSpec
from daybreak.models.text_encoder import TextEncoder
from daybreak.models.transformer import Transformer, TransformerConfig
from daybreak.models.vae import VAE
from daybreak.tokenizer import Tokenizer
from daybreak.train.latents import read_shard
from daybreak.train.log import contact_sheet
from daybreak.train.loop import LoopConfig, step_generator
from daybreak.train.text import tokenize
from daybreak.train.world import to_frames

SHEET_PROMPTS = (
    "a brown dog runs across a meadow at sunset",
    "a red car drives through a town at night",
    "a white rabbit jumps in the snow at noon",
    "a blue elephant stands in the desert at dawn",
    "a yellow boat floats on the sea, overcast",
    "a purple robot dances in a room",
    "a green bird flies over the forest in the rain",
    "a pink pig sleeps on the moon",
    "an orange fox walks through a forest at dawn",
    "a black cat sits in a city at night",
)


@dataclass(frozen=True, slots=True)
class TransformerRecipe:
    """A transformer and how it is trained."""

    model: TransformerConfig
    loop: LoopConfig
    still_steps: int = 0  # at the start, nothing but still images
    still_share: float = 0.25  # of the steps after that
    still_batch: int = 128
    clip_batch: int = 24
    live_batches: tuple[int, int] = (256, 1_536)  # of clips and of stills on a graphics card
    kept: tuple[int, int] = (240_000, 120_000)  # clips and stills that it keeps, mirror images counted
    first_stills: int = 32_000  # rendered before the first clip
    subject_weight: float = 2.0  # how much more a latent cell counts that a subject covers
    full_share: float = 0.6  # of captions that name every attribute
    unconditional_share: float = 0.1  # of captions left out, for guidance
    sheet_steps: int = 24
    sheet_guidance: float = 4.0


@dataclass(frozen=True, slots=True)
class Conditioner:
    """The frozen text encoder with its tokenizer."""

    tokenizer: Tokenizer
    text_encoder: TextEncoder

    def __call__(self, texts: list[str], device: torch.device) -> tuple[Tensor, Tensor]:
        """Text states (B, L, D) and their mask."""
        ids, mask = self.tokens(texts)
        return self.states(ids.to(device), mask.to(device))

    def tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """Token ids (B, L) and mask, always of the same length: compiled code then sees few shapes."""
        limit = self.text_encoder.config.max_tokens
        ids, mask = tokenize(self.tokenizer, texts, limit)
        return F.pad(ids, (0, limit - ids.shape[1])), F.pad(mask, (0, limit - mask.shape[1]))

    def states(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Text states (B, L, D) of token ids, and their mask."""
        with torch.no_grad():
            states: tuple[Tensor, Tensor] = self.text_encoder(ids, mask)
        return states


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step learns from: latents (B, C, T, H, W), coverage (B, T, H, W) in 0..255, a caption's tokens each."""

    data: Tensor
    coverage: Tensor
    ids: Tensor
    mask: Tensor


class LatentSource(Protocol):
    """Where latents with their captions come from."""

    def wait(self) -> None:
        """Returns when there are enough to begin with."""

    def deviations(self) -> Tensor:
        """Each channel's root mean square in latent frame 0 and in later ones, (2, C)."""

    def batch(self, step: int, *, still: bool) -> Batch:
        """Batch `step`: clips, or stills (first frames)."""


def flow_matching_loss(
    transformer: Transformer,
    data: Tensor,
    weights: Tensor,
    text: tuple[Tensor, Tensor],
    generator: torch.Generator,
) -> Tensor:
    """The mean weighted squared error of the velocity of `data` (B, C, T, H, W) at random sigmas and pinned patterns.

    `weights` (B, 1, T, H, W) say how much each latent cell counts; `text` is states (B, L, D) and their mask. All that
    is random comes from `generator`, of any device.
    """
    ceilings = sample_ceilings(len(data), data.shape[2], generator).to(data.device)
    sigmas = sample_sigmas(ceilings, generator)
    noise = torch.randn(data.shape, generator=generator, device=generator.device).to(data.device)
    predicted = transformer(add_noise(data, noise, sigmas), sigmas, *text)
    # A frame whose ceiling is 0 is known: there is nothing to predict in it.
    weights = per_frame((ceilings > 0).float()) * weights
    # By a channel's deviation: half-way between latents, where the many channels of fine detail would drown the
    # few that make the picture's layout, and pixels, where it is the other way about.
    channels = transformer.channel_deviations(data.shape[2])
    errors = (predicted.float() - velocity(data, noise)).square() * (channels / channels.mean(1, keepdim=True))
    errors = errors.mean(1, keepdim=True)
    loss: Tensor = (errors * weights).sum() / weights.sum()
    return loss


class ShardedLatents:
    """Latents cached in a folder (`train.latents`), for training in which every step can be repeated bit for bit."""

    def __init__(
        self, recipe: TransformerRecipe, conditioner: Conditioner, folder: Path, words: Words | None = None
    ) -> None:
        self.recipe, self.conditioner, self.words = recipe, conditioner, words
        self.clips, self.stills = (
            [read_shard(path) for path in sorted(folder.glob(f"{kind}-*.safetensors"))] for kind in ("clips", "stills")
        )
        if not self.clips:
            raise FileNotFoundError(f"no cached latents in {folder}: run this recipe's latents stage first")
        self._thread = ThreadPoolExecutor(1)
        self._ahead: dict[tuple[int, bool], Future[Batch]] = {}

    def wait(self) -> None:
        """All of them are there."""

    def deviations(self) -> Tensor:
        """Each channel's root mean square in latent frame 0 and in later ones, (2, C)."""
        frames = [[shard.latents[:64, :, some] for shard in self.clips] for some in (slice(0, 1), slice(1, None))]
        squares = [torch.cat([part.float().square().mean((2, 3, 4)) for part in parts]) for parts in frames]
        return torch.stack([square.mean(0).sqrt() for square in squares])

    def batch(self, step: int, *, still: bool) -> Batch:
        """Batch `step`; the next one is put together meanwhile, for captions take a sixth of a step."""
        batch = self._ahead.pop((step, still), None) or self._thread.submit(self._assemble, step, still)
        self._ahead = {(step + 1, still): self._thread.submit(self._assemble, step + 1, still)}
        return batch.result()

    def _assemble(self, step: int, still: bool) -> Batch:
        rng = random.Random(f"transformer {self.recipe.loop.seed} {step}")
        shard = rng.choice(self.stills or self.clips if still else self.clips)
        size = self.recipe.still_batch if still else self.recipe.clip_batch
        index = torch.tensor([rng.randrange(len(shard.latents)) for _ in range(size)])
        frames = slice(0, 1) if still else slice(None)
        specs = [first_known(int(seed), self.words) for seed in shard.seeds[index]]
        captions = [training_caption(spec, rng, self.recipe) for spec in specs]
        data, coverage = shard.latents[index][:, :, frames], shard.coverage[index][:, frames]
        return Batch(data, coverage, *self.conditioner.tokens(captions))


def training_caption(spec: SceneSpec, rng: random.Random, recipe: TransformerRecipe) -> str:
    """A caption of the scene, or none."""
    if rng.random() < recipe.unconditional_share:
        return ""
    # A full caption teaches most; one that leaves things open teaches that they may be anything.
    mention = frozenset(labels(spec)) if rng.random() < recipe.full_share else None
    return caption(spec, rng, mention=mention).text


class TransformerStage:
    """The loss and the samples of a transformer in training, on latents from `source`."""

    def __init__(self, recipe: TransformerRecipe, conditioner: Conditioner, vae: VAE, source: LatentSource) -> None:
        self.recipe, self.conditioner, self.vae, self.source = recipe, conditioner, vae, source
        torch.manual_seed(recipe.loop.seed)
        transformer = Transformer(recipe.model)
        if recipe.loop.compile:
            for block in transformer.blocks:  # compiled once, and the code shared by all of them
                block.compile()
        self.module: Transformer = transformer

    def begin(self) -> None:
        """Gives a new transformer the latents' deviations."""
        self.source.wait()
        self.module.deviations.copy_(self.source.deviations())

    def loss(self, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """Velocity error of batch `step`."""
        still = step < self.recipe.still_steps or random.Random(f"still {step}").random() < self.recipe.still_share
        batch = self.source.batch(step, still=still)
        data, coverage = batch.data.to(device).float(), batch.coverage.to(device).float() / 255
        text = self.conditioner.states(batch.ids.to(device), batch.mask.to(device))
        generator = step_generator(self.recipe.loop.seed, step, device)
        weights = 1 + (self.recipe.subject_weight - 1) * coverage[:, None]
        loss = flow_matching_loss(self.module, data, weights, text, generator)
        return loss, {"loss_stills" if still else "loss_clips": float(loss.detach())}

    def sample(self, averaged: nn.Module, path: Path) -> dict[str, float]:
        """Clips for the sheet's prompts, one row each."""
        assert isinstance(averaged, Transformer)
        recipe = self.recipe
        schedule = shifted_schedule(recipe.sheet_steps)
        sheet(averaged, self.conditioner, self.vae, schedule, recipe.sheet_guidance).save(path)
        return {}


def sheet(
    transformer: Transformer, conditioner: Conditioner, vae: VAE, schedule: Tensor, guidance_scale: float
) -> Image.Image:
    """Clips for the sheet's prompts, one row each."""
    device = next(transformer.parameters()).device
    prompt = conditioner(list(SHEET_PROMPTS), device)
    empty = conditioner([""] * len(SHEET_PROMPTS), device)
    shape = (len(SHEET_PROMPTS), transformer.config.latent_channels, 7, 8, 14)
    noise = torch.randn(shape, generator=step_generator(0, -1)).to(device)
    denoise = guided(transformer, prompt, empty, guidance_scale)
    latents = euler(denoise, noise, schedule, torch.ones(shape[0], 7, device=device))
    return contact_sheet([to_frames(vae.decode(one[None])[0])[:, ::2, ::2] for one in latents], 5)
