"""Each latent channel's mean and deviation, measured once and kept beside the VAE's checkpoint."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch

from daybreak.models.vae import VAE
from daybreak.train.latents import render_reduced
from daybreak.train.world import to_pixels

CLIPS = 64


def with_latent_statistics(vae: VAE, path: Path, num_clips: int = CLIPS) -> VAE:
    """`vae` rebuilt so that its latents have mean 0 and deviation 1 in every channel, by the figures in `path`.

    Measures the figures on `num_clips` rendered clips when `path` does not exist.
    """
    if not path.exists():
        path.write_text(json.dumps(_measure(vae, num_clips)))
    figures = json.loads(path.read_text())
    config = replace(vae.config, latent_shift=tuple(figures["shift"]), latent_scale=tuple(figures["scale"]))
    normalised = VAE(config)
    normalised.load_state_dict(vae.state_dict())
    return normalised


def _measure(vae: VAE, num_clips: int) -> dict[str, list[float]]:
    means = []
    with torch.no_grad():
        for seed in range(num_clips):
            pixels = to_pixels([render_reduced(20_000_000 + seed, 256, 448)[0]])
            means.append(vae.moments(pixels)[0][0])
    channels = torch.stack(means, 1).flatten(1)  # (C, clips * T * H * W)
    return {"shift": channels.mean(1).tolist(), "scale": channels.std(1).tolist()}
