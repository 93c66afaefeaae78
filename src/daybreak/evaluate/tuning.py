"""How well a transformer does what captions say, by schedule and guidance: to choose both, on captions of their own."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from daybreak.diffusion.guidance import guided
from daybreak.diffusion.samplers import euler
from daybreak.diffusion.schedule import shifted_schedule
from daybreak.diorama.captions import caption
from daybreak.evaluate.asked import Asked, caption_scene
from daybreak.evaluate.probes import ATTRIBUTES, CLASSES, PROBE_FRAMES, Probe, readable_labels
from daybreak.models.precision import autocast
from daybreak.models.transformer import Transformer
from daybreak.models.vae import VAE

FIRST = 5_000  # scene of the evaluation's numbering: none that the report asks for
DECODED_TOGETHER = 16

TextStates = Callable[[list[str], torch.device], tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class Choice:
    """How a clip is sampled."""

    num_steps: int
    guidance_scale: float
    shift: float


def tuning_captions(count: int) -> list[Asked]:
    """One sentence for each of `count` scenes, none of them the report's."""
    asked = []
    for index in range(FIRST, FIRST + count):
        spec = caption_scene(index)
        written = caption(spec, random.Random(f"tuning caption {index}"), "sentence")
        labels = readable_labels(spec)
        asked.append(Asked(written.text, index, {name: labels[name] for name in labels if name in written.mentioned}))
    return asked


@torch.inference_mode()
def accuracies(
    transformer: Transformer, states: TextStates, vae: VAE, probe: Probe, asked: Sequence[Asked], choice: Choice
) -> dict[str, float]:
    """The share of what captions say that their clips show, by attribute, and the mean of all as "mean"."""
    device = next(transformer.parameters()).device
    with autocast(device.type):
        latents = sample_latents(transformer, states, asked, choice, device)
        found = [
            read(probe, vae, latents[first : first + DECODED_TOGETHER])
            for first in range(0, len(latents), DECODED_TOGETHER)
        ]
    answers = {name: [word for part in found for word in part[name]] for name in ATTRIBUTES}
    shares = {}
    for name in ATTRIBUTES:
        right = [answers[name][row] == one.labels[name] for row, one in enumerate(asked) if name in one.labels]
        shares[name] = sum(right) / max(len(right), 1)
    return {**shares, "mean": sum(shares.values()) / len(shares)}


def sample_latents(
    transformer: Transformer, states: TextStates, asked: Sequence[Asked], choice: Choice, device: torch.device
) -> Tensor:
    """A landscape clip's latents (N, C, 7, 8, 14) for each caption, each from its own noise."""
    prompt = states([one.prompt for one in asked], device)
    empty = states([""] * len(asked), device)
    shape = (transformer.config.latent_channels, 7, 8, 14)
    noise = torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(one.seed)) for one in asked])
    denoise = guided(transformer, prompt, empty, choice.guidance_scale)
    schedule = shifted_schedule(choice.num_steps, choice.shift)
    return euler(denoise, noise.to(device), schedule, torch.ones(len(asked), shape[1], device=device))


def read(probe: Probe, vae: VAE, latents: Tensor) -> dict[str, list[str]]:
    """What the probes say of clips given as latents, by attribute."""
    frames = torch.tensor(PROBE_FRAMES, device=latents.device)
    pixels = vae.decoder(latents, frames).float().clamp(-1, 1)
    seen = F.avg_pool3d(pixels, (1, 2, 2))
    logits = probe(((seen + 1) * 127.5).round() / 127.5 - 1)[0]
    return {name: [CLASSES[name][index] for index in logits[name].argmax(1).tolist()] for name in ATTRIBUTES}
