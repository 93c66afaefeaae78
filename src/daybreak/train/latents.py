"""The cached latents that the transformer learns from: each clip is rendered and encoded once.

A shard holds clips of one bucket as safetensors: latents (n, C, T, H, W) in half precision, each clip's
scene seed, and how much of each latent cell the subjects cover (n, T, H, W). Captions are not stored: they
are drawn anew from the scene each time a clip is visited.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from daybreak.diorama.build import build_stage
from daybreak.diorama.render import render_frames
from daybreak.diorama.sampling import sample_spec
from daybreak.models.vae import VAE
from daybreak.train.loop import autocast, evaluating
from daybreak.train.world import CLIP_FRAMES, FPS, to_pixels

SHARD_CLIPS = 240
BUCKETS = ((256, 448), (448, 256), (320, 320))
BUCKET_SHARES = (0.76, 0.12, 0.12)  # most people ask for landscape


@dataclass(frozen=True, slots=True)
class Shard:
    """Encoded clips of one bucket."""

    latents: Tensor
    seeds: Tensor
    coverage: Tensor


def shard_bucket(index: int) -> tuple[int, int]:
    """Height and width of shard `index`'s clips."""
    return random.Random(f"shard {index}").choices(BUCKETS, BUCKET_SHARES)[0]


def scene_seed(shard: int, clip: int) -> int:
    """The seed of a shard's clip; far from the VAE's and the probes' scenes."""
    return 10_000_000 + shard * SHARD_CLIPS + clip


def render_reduced(seed: int, height: int, width: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Scene `seed` as the encoder sees it: half the frame rate and resolution; with its entity map."""
    stage = build_stage(sample_spec(seed), CLIP_FRAMES, FPS, width / height)
    return render_frames(stage, height // 2, width // 2, range(0, CLIP_FRAMES, 2))


def shard_path(directory: Path, index: int) -> Path:
    """The file of shard `index`."""
    return directory / f"latents-{index:05d}.safetensors"


def write_shard(vae: VAE, index: int, directory: Path, device: torch.device, num_clips: int = SHARD_CLIPS) -> Path:
    """Renders and encodes shard `index`, or no more than its first `num_clips` clips."""
    height, width = shard_bucket(index)
    seeds = [scene_seed(index, clip) for clip in range(num_clips)]
    latents, coverage = [], []
    with ThreadPoolExecutor(2) as threads, evaluating(vae), autocast(device):
        rendered = threads.map(lambda seed: render_reduced(seed, height, width), seeds)
        for batch in _batches(rendered, 8):
            pixels = to_pixels([frames for frames, _ in batch]).to(device)
            latents.append(vae.encode_reduced(pixels).half().cpu())
            coverage += [cover(entities) for _, entities in batch]
    path = shard_path(directory, index)
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {
        "latents": torch.cat(latents).contiguous(),
        "seeds": torch.tensor(seeds),
        "coverage": torch.stack(coverage),
    }
    save_file(tensors, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)
    return path


def cover(entities: NDArray[np.uint8]) -> Tensor:
    """Share (T, H, W), 0..255, of each latent cell that subjects cover, from a reduced map (4k+1, 16H, 16W)."""
    frames, height, width = entities.shape
    present = np.concatenate([entities[:1]] * 3 + [entities]) > 0
    cells = present.reshape((frames + 3) // 4, 4, height // 16, 16, width // 16, 16).mean((1, 3, 5))
    return torch.from_numpy((cells * 255).round().astype(np.uint8))


def read_shard(path: Path) -> Shard:
    """The shard in `path`."""
    tensors = load_file(path)
    return Shard(tensors["latents"], tensors["seeds"], tensors["coverage"])


def _batches(
    items: Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]], size: int
) -> Iterator[list[tuple[NDArray[np.uint8], NDArray[np.uint8]]]]:
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
