from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from daybreak.models.vae import VAE
from daybreak.train.linear_code import fit_linear_code
from daybreak.train.loop import Loop, step_generator
from daybreak.train.recipes import Recipe
from daybreak.train.vae import (
    VAEStage,
    boxes,
    gradient_error,
    pixel_weights,
    reconstruction_errors,
    target_frames,
)
from daybreak.train.world import CropConfig, render_unit, to_pixels

CPU = torch.device("cpu")
MAPS = {"encoder.linear.weight", "encoder.linear.bias", "decoder.linear.weight", "decoder.linear.bias"}


def test_it_begins_with_the_linear_code_of_its_first_windows(
    recipe: Recipe, make_vae_stage: Callable[[], VAEStage]
) -> None:
    stage = make_vae_stage()
    stage.begin()
    windows = [to_pixels([render_unit(index, recipe.vae.crops).frames]) for index in range(recipe.vae.linear_clips)]
    alone = VAE(recipe.vae.model)
    fit_linear_code(alone, windows)
    for name in MAPS:
        torch.testing.assert_close(stage.vae.state_dict()[name], alone.state_dict()[name])
    # Already it tells more of the picture than its mean colour does.
    with torch.no_grad():
        missed = [(stage.vae.decode(stage.vae.encode(window)) - window).square().mean() for window in windows]
    plain = [(window - window.mean((2, 3, 4), keepdim=True)).square().mean() for window in windows]
    assert sum(missed) < 0.5 * sum(plain)


def test_training_moves_the_decoder_s_network_and_not_the_linear_code(
    recipe: Recipe, make_vae_stage: Callable[[], VAEStage], tmp_path: Path
) -> None:
    loop = Loop(make_vae_stage(), recipe.vae.loop, tmp_path, CPU)
    loop.begin()
    begun = {name: tensor.clone() for name, tensor in loop.module.state_dict().items()}
    loop.run(until=2)
    for module in (loop.module, loop.averaged):
        changed = {name for name, tensor in module.state_dict().items() if not torch.equal(tensor, begun[name])}
        assert "decoder.network.rest.conv.weight" in changed
        assert all(name.startswith("decoder.") for name in changed)
        assert changed & MAPS == set()


@pytest.mark.parametrize("step", range(20))
def test_decoded_frames_are_pairs_of_neighbours_in_order(step: int) -> None:
    crops = CropConfig(crop_frames=17, target_pairs=3)
    only = target_frames(crops, step_generator(0, step))
    assert only.shape == (6,)
    assert (only[1::2] - only[::2] == 1).all()
    assert (only.diff() > 0).all()
    assert only.min() >= 0
    assert only.max() <= 16


def test_every_frame_is_decoded_sooner_or_later() -> None:
    crops = CropConfig(crop_frames=9, target_pairs=1)
    assert {int(i) for step in range(100) for i in target_frames(crops, step_generator(0, step))} == set(range(9))


def test_a_subject_and_its_margin_count_more_and_the_mean_is_1() -> None:
    entities = torch.zeros(1, 1, 40, 40, dtype=torch.uint8)
    entities[0, 0, 20, 20] = 1
    weights = pixel_weights(entities, subject_weight=3.0)
    assert weights.shape == (1, 1, 1, 40, 40)
    assert weights.mean().item() == pytest.approx(1)
    ground = weights[0, 0, 0, 0, 0]
    torch.testing.assert_close(weights[0, 0, 0, 16:24, 16:24], torch.full((8, 8), 3 * float(ground)))
    torch.testing.assert_close(weights[0, 0, 0, 8, 8:32:8], torch.full((3,), 2 * float(ground)))
    assert (pixel_weights(torch.zeros_like(entities), 3.0) == 1).all()


def test_reconstruction_errors_of_a_constant_shift() -> None:
    pixels = torch.zeros(1, 3, 2, 16, 16)
    error, edges, square = reconstruction_errors(pixels + 0.5, pixels, torch.zeros(1, 2, 16, 16), 3.0)
    assert error.item() == pytest.approx(0.5 + 2 * 0.25)
    assert edges.item() == 0
    assert square.item() == pytest.approx(0.25)


def test_gradient_error_sees_steps_in_space_and_time() -> None:
    flat = torch.ones(1, 1, 2, 8, 8)
    across, down, later = flat.clone(), flat.clone(), flat.clone()
    across[..., 4:] = 3
    down[..., 4:, :] = 3
    later[:, :, 1] = 3
    ones = torch.ones_like(flat)
    assert gradient_error(across, ones).item() == pytest.approx(2 / 7)
    assert gradient_error(down, ones).item() == pytest.approx(2 / 7)
    assert gradient_error(later, ones).item() == pytest.approx(0.5 * 2)


def test_boxes_enclose_each_frame_s_subjects() -> None:
    inside = torch.zeros(1, 2, 6, 8, dtype=torch.bool)
    inside[0, 0, 1, 2] = inside[0, 0, 4, 5] = True
    found = boxes(inside)
    assert found[0, 0].sum() == 4 * 4
    assert found[0, 0, 1:5, 2:6].all()
    assert not found[0, 1].any()
