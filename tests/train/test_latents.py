from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from daybreak.models.precision import autocast
from daybreak.models.vae import VAE
from daybreak.train.latents import (
    BUCKET_SHARES,
    BUCKETS,
    SHARD_CLIPS,
    STILLS_PER_CLIP,
    cover,
    read_shard,
    render_reduced,
    scene_seed,
    shard_bucket,
    shard_path,
    write_shard,
)
from daybreak.train.recipes import RECIPES, Recipe
from daybreak.train.world import to_pixels

CPU = torch.device("cpu")


def test_a_shard_holds_clips_seeds_and_coverage_of_one_bucket(latents: Path, recipe: Recipe) -> None:
    shard = read_shard(shard_path(latents, 0))
    height, width = shard_bucket(0)
    cells = (recipe.shard_clips, 7, height // 32, width // 32)
    assert shard.latents.shape == (cells[0], 4, *cells[1:])
    assert shard.latents.dtype == torch.float16
    assert shard.seeds.tolist() == [scene_seed(0, clip) for clip in range(recipe.shard_clips)]
    assert shard.coverage.shape == cells
    assert shard.coverage.dtype == torch.uint8
    assert shard.coverage.any()
    assert {path.name for path in latents.iterdir()} == {"clips-00000.safetensors", "stills-00000.safetensors"}


def test_a_shard_of_stills_holds_so_many_more_single_frames(latents: Path, tiny_vae: VAE, recipe: Recipe) -> None:
    path = shard_path(latents, 0, still=True)
    assert path.name == "stills-00000.safetensors"
    shard, count = read_shard(path), recipe.shard_clips * STILLS_PER_CLIP
    height, width = shard_bucket(0)
    assert shard.latents.shape == (count, 4, 1, height // 32, width // 32)
    assert shard.coverage.shape == (count, 1, height // 32, width // 32)
    assert shard.seeds.tolist() == [scene_seed(0, item, still=True) for item in range(count)]
    frames, entities = render_reduced(int(shard.seeds[-1]), height, width, still=True)
    with autocast("cpu"):
        expected = tiny_vae.encode_reduced(to_pixels([frames]))[0]
    torch.testing.assert_close(shard.latents[-1].float(), expected.float(), rtol=0.05, atol=0.05)
    assert torch.equal(shard.coverage[-1], cover(entities))


def test_a_still_is_the_first_frame_of_its_scene_s_clip(tiny_vae: VAE) -> None:
    clip, entities = render_reduced(5, 320, 320)
    still, seen = render_reduced(5, 320, 320, still=True)
    np.testing.assert_array_equal(still, clip[:1])
    np.testing.assert_array_equal(seen, entities[:1])
    latents = tiny_vae.encode_reduced(to_pixels([clip]))[:, :, :1]
    torch.testing.assert_close(tiny_vae.encode_reduced(to_pixels([still])), latents)


def test_latents_are_what_the_vae_makes_of_the_scene_of_that_seed(latents: Path, tiny_vae: VAE) -> None:
    shard = read_shard(shard_path(latents, 0))
    frames, entities = render_reduced(int(shard.seeds[1]), *shard_bucket(0))
    with autocast("cpu"):
        expected = tiny_vae.encode_reduced(to_pixels([frames]))[0]
    torch.testing.assert_close(shard.latents[1].float(), expected.float(), rtol=0.05, atol=0.05)
    assert torch.equal(shard.coverage[1], cover(entities))


def test_fewer_clips_are_the_first_of_the_whole_shard(latents: Path, tiny_vae: VAE, tmp_path: Path) -> None:
    part = read_shard(write_shard(tiny_vae, 0, tmp_path, CPU, num_clips=1))
    whole = read_shard(shard_path(latents, 0))
    assert part.seeds.tolist() == whole.seeds[:1].tolist()
    torch.testing.assert_close(part.latents, whole.latents[:1], rtol=0.05, atol=0.05)


def test_no_two_clips_and_no_clip_and_still_share_a_scene() -> None:
    clips = [scene_seed(shard, clip) for shard in range(4) for clip in range(SHARD_CLIPS)]
    stills = [
        scene_seed(shard, item, still=True) for shard in range(4) for item in range(SHARD_CLIPS * STILLS_PER_CLIP)
    ]
    assert len(set(clips + stills)) == len(clips) + len(stills)
    assert min(clips) >= 10_000_000
    for recipe in RECIPES.values():
        assert scene_seed(recipe.num_shards, 0) <= scene_seed(0, 0, still=True)
        assert scene_seed(recipe.num_still_shards, 0, still=True) <= 30_000_000  # where the probes' scenes begin
        assert recipe.shard_clips <= SHARD_CLIPS


def test_buckets_come_as_often_as_they_should() -> None:
    counts = Counter(shard_bucket(index) for index in range(3000))
    for bucket, share in zip(BUCKETS, BUCKET_SHARES, strict=True):
        assert counts[bucket] / 3000 == pytest.approx(share, abs=0.03)


def test_the_encoder_s_view_is_half_of_the_rate_and_the_size() -> None:
    frames, entities = render_reduced(3, 256, 448)
    assert frames.shape == (25, 128, 224, 3)
    assert entities.shape == (25, 128, 224)


def test_coverage_counts_a_cell_s_pixels_over_its_frames() -> None:
    entities = np.zeros((5, 32, 32), np.uint8)
    entities[0, :16, :16] = 1  # frame 0 fills its latent frame alone
    entities[1:3, 16:, 16:] = 2  # two of the four frames of the next
    entities[4, 0, 16] = 1  # one pixel of one frame: 1 / (4 x 256), not quite one 255th
    covered = cover(entities)
    assert covered.shape == (2, 2, 2)
    assert covered[0].tolist() == [[255, 0], [0, 0]]
    assert covered[1].tolist() == [[0, 0], [0, 128]]
    entities[4, :2, 16:] = 1
    assert cover(entities)[1, 0, 1] == round(255 * 32 / 1024)
