from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from daybreak.diffusion import conditioning
from daybreak.diffusion.conditioning import PATTERN_SHARES, sample_ceilings, sample_sigmas


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(st.integers(2, 12), st.integers(0, 2**31))
def test_every_pattern_leaves_something_to_generate(latent_frames: int, seed: int) -> None:
    ceilings = sample_ceilings(16, latent_frames, generator(seed))
    assert ceilings.shape == (16, latent_frames)
    assert ((ceilings >= 0) & (ceilings <= 1)).all()
    assert (ceilings > 0).any(1).all()


def test_patterns_come_as_often_as_they_should() -> None:
    assert sum(PATTERN_SHARES.values()) == pytest.approx(1)
    ceilings = sample_ceilings(20_000, 7, generator())
    known = ceilings == 0
    free = (ceilings == 1).all(1).float().mean().item()
    both = (known[:, 0] & known[:, -1]).float().mean().item()
    last = (known[:, -1] & ~known[:, 0]).float().mean().item()
    partial = ((ceilings > 0) & (ceilings < 1)).any(1).float().mean().item()
    shares = PATTERN_SHARES
    assert free == pytest.approx(shares["free"], abs=0.02)
    assert both == pytest.approx(shares["both ends"], abs=0.01)
    assert last == pytest.approx(shares["last frames"], abs=0.01)
    assert partial == pytest.approx(shares["partial"], abs=0.01)


def test_a_still_image_is_always_free() -> None:
    assert (sample_ceilings(50, 1, generator()) == 1).all()


def test_the_same_generator_gives_the_same_patterns() -> None:
    assert torch.equal(sample_ceilings(32, 7, generator(3)), sample_ceilings(32, 7, generator(3)))
    assert not torch.equal(sample_ceilings(32, 7, generator(3)), sample_ceilings(32, 7, generator(4)))


def test_sigmas_stay_below_their_ceilings_and_are_one_number_a_clip() -> None:
    ceilings = torch.tensor([[0, 0.3, 1, 1]]).expand(2_000, -1)
    sigmas = sample_sigmas(ceilings, generator())
    assert (sigmas <= ceilings).all()
    assert (sigmas[:, 0] == 0).all()
    assert torch.equal(sigmas[:, 2], sigmas[:, 3])
    assert torch.equal(sigmas[:, 1], sigmas[:, 2].clamp(max=0.3))
    assert ((sigmas[:, 2] > 0) & (sigmas[:, 2] < 1)).all()


def test_sigmas_are_logit_normal() -> None:
    sigmas = sample_sigmas(torch.ones(50_000, 1), generator(), mean=0.4, deviation=0.7)
    logits = sigmas.logit()
    assert logits.mean().item() == pytest.approx(0.4, abs=0.02)
    assert logits.std().item() == pytest.approx(0.7, abs=0.02)


def names(latent_frames: int) -> list[tuple[str, list[float]]]:
    """Every pattern alone, with its ceilings for some draws."""
    made = []
    for name in PATTERN_SHARES:
        alone = {other: float(other == name) for other in PATTERN_SHARES}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(conditioning, "PATTERN_SHARES", alone)
            made += [(name, row) for row in sample_ceilings(200, latent_frames, generator()).tolist()]
    return made


@pytest.mark.parametrize("latent_frames", [2, 3, 7])
def test_each_pattern_pins_the_frames_that_it_names(latent_frames: int) -> None:
    free = [1.0] * latent_frames
    counts: dict[str, set[int]] = {}
    for name, row in names(latent_frames):
        known = row.count(0.0)
        if name == "free":
            assert row == free
        elif name == "first":
            assert row == [0.0, *free[1:]]
        elif name == "first frames":
            assert row == [0.0] * known + free[known:]
        elif name == "last frames":
            assert row == free[known:] + [0.0] * known
        elif name == "both ends":
            assert row == ([0.0, *free[2:], 0.0] if latent_frames > 2 else free)
        else:
            # The first frame is known, and all others half: what editing a clip looks like.
            assert row[0] == 0
            assert 0 < row[1] < 1
            assert row[1:] == [row[1]] * (latent_frames - 1)
        counts.setdefault(name, set()).add(known)
    # As many as half of the frames, and at least one.
    every = set(range(1, max(latent_frames // 2, 2)))
    assert counts["first frames"] == counts["last frames"] == every


@pytest.mark.gpu
def test_patterns_and_sigmas_are_made_where_the_generator_is() -> None:
    there = torch.Generator("cuda").manual_seed(0)
    ceilings = sample_ceilings(32, 7, there)
    assert ceilings.device.type == "cuda"
    sigmas = sample_sigmas(ceilings, there)
    assert sigmas.device.type == "cuda"
    assert (sigmas <= ceilings).all()
