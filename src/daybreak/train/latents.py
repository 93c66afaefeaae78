"""The cached latents that the transformer learns from: each clip or still is rendered and encoded once.

A shard holds clips of one bucket, or the first frames of other scenes, as safetensors: latents (n, C, T, H, W) in
half precision, each item's scene seed, and how much of each latent cell the subjects cover (n, T, H, W). Captions
are not stored: they are drawn anew from the scene each time an item is visited.
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
from daybreak.diorama.narrowing import Words, first_known
from daybreak.diorama.render import render_frames
from daybreak.models.precision import autocast
from daybreak.models.vae import VAE
from daybreak.train.loop import evaluating
from daybreak.train.world import CLIP_FRAMES, FPS, to_pixels

SHARD_CLIPS = 240
STILLS_PER_CLIP = 16  # a shard of stills holds so many more: each costs a twentieth of a clip
BUCKETS = ((256, 448), (448, 256), (320, 320))
BUCKET_SHARES = (0.76, 0.12, 0.12)  # most people ask for landscape


@dataclass(frozen=True, slots=True)
class Shard:
    """Encoded clips or stills of one bucket."""

    latents: Tensor
    seeds: Tensor
    coverage: Tensor


def shard_bucket(index: int) -> tuple[int, int]:
    """Height and width of shard `index`'s items."""
    return random.Random(f"shard {index}").choices(BUCKETS, BUCKET_SHARES)[0]


def scene_seed(shard: int, clip: int, *, still: bool = False) -> int:
    """The seed of a shard's clip or still; far from the VAE's and the probes' scenes."""
    if still:
        return 15_000_000 + shard * SHARD_CLIPS * STILLS_PER_CLIP + clip
    return 10_000_000 + shard * SHARD_CLIPS + clip


def render_reduced(
    seed: int, height: int, width: int, *, still: bool = False, words: Words | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Scene `seed`, or its first frame, as the encoder sees it: half the frame rate and resolution; its entity map."""
    stage = build_stage(first_known(seed, words), CLIP_FRAMES, FPS, width / height)
    return render_frames(stage, height // 2, width // 2, range(0, 1 if still else CLIP_FRAMES, 2))


def shard_path(directory: Path, index: int, *, still: bool = False) -> Path:
    """The file of shard `index`."""
    return directory / f"{'stills' if still else 'clips'}-{index:05d}.safetensors"


def write_shard(
    vae: VAE,
    index: int,
    directory: Path,
    device: torch.device,
    num_clips: int = SHARD_CLIPS,
    *,
    still: bool = False,
    words: Words | None = None,
) -> Path:
    """Renders and encodes shard `index` of `num_clips` clips, or of STILLS_PER_CLIP times as many stills.

    For a model that knows some `words` only, of scenes that they can say.
    """
    height, width = shard_bucket(index)
    seeds = [scene_seed(index, item, still=still) for item in range(num_clips * (STILLS_PER_CLIP if still else 1))]
    latents, coverage = [], []
    with ThreadPoolExecutor(2) as threads, evaluating(vae), autocast(device.type):
        rendered = threads.map(lambda seed: render_reduced(seed, height, width, still=still, words=words), seeds)
        for batch in _batches(rendered, 8):
            pixels = to_pixels([frames for frames, _ in batch]).to(device)
            latents.append(vae.encode_reduced(pixels).half().cpu())
            coverage += [cover(entities) for _, entities in batch]
    path = shard_path(directory, index, still=still)
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
