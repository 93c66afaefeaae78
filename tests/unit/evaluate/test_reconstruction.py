"""Boxes as masks; fidelity of a VAE that is exact."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from daybreak.checkpoint import Components
from daybreak.evaluate import reconstruction
from daybreak.evaluate.clips import Sampling
from daybreak.evaluate.reconstruction import box_mask, first_frame_fidelity, vae_fidelity


@pytest.fixture(autouse=True)
def short_clips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconstruction, "WINDOW_FRAMES", 9)


def test_a_box_covers_its_corners_and_nothing_past_its_end() -> None:
    corners = np.array([[[1, 0, 3, 2], [-1, -1, -1, -1]], [[0, 1, 1, 2], [2, 1, 4, 3]]], np.int32)
    mask = box_mask(corners, 3, 4)[0].int().tolist()
    assert mask == [
        [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]],
        [[0, 0, 0, 0], [1, 0, 1, 1], [0, 0, 1, 1]],
    ]


def test_an_exact_vae_is_as_faithful_as_can_be(components: Components, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconstruction, "reconstruct", lambda _, frames: reconstruction.to_pixels(frames[None]))
    exact = vae_fidelity(components, 1)
    assert exact.psnr == exact.psnr_boxes == pytest.approx(10 * np.log10(4 / 1e-10), abs=0.01)
    assert exact.ssim == pytest.approx(1)


def test_errors_in_the_boxes_are_told_apart_from_the_rest(
    components: Components, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half_right(_: Components, frames: np.ndarray) -> torch.Tensor:
        pixels = reconstruction.to_pixels(frames[None])
        pixels[..., :20, :] += 1  # the sky, above every subject
        return pixels

    monkeypatch.setattr(reconstruction, "reconstruct", half_right)
    found = vae_fidelity(components, 1)
    assert found.psnr == pytest.approx(10 * np.log10(4 * 256 / 20), abs=0.01)
    assert found.psnr_boxes > found.psnr


def test_a_random_model_keeps_the_pinned_frame_as_its_vae_sees_it(components: Components) -> None:
    found, shown = first_frame_fidelity(components, 2, Sampling(1, 1.0))
    assert found.clips == 2
    assert found.psnr_reconstruction > 30  # seams of random weights' blocks are levelled
    assert found.psnr_image < 25, "random weights cannot draw"
    prompt, frames = shown[0]
    assert prompt
    assert frames.shape == (6, 256, 448, 3)
