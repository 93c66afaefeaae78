from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from daybreak.models.vae import VAE, Context, VAEConfig
from daybreak.train.linear_code import CROSS, RIDGE, fit_context, fit_linear_code, neighbourhoods, principal_components

CONFIG = VAEConfig(8, decoder_widths=(8, 8, 4), decoder_blocks=(1, 1, 1))


@pytest.fixture(scope="module")
def clips() -> list[Tensor]:
    """Coloured clouds that drift and change, large ones stronger than small ones."""
    generator = torch.Generator().manual_seed(0)

    def clouds(size: tuple[int, int, int]) -> Tensor:
        noise = torch.randn(1, 3, *size, generator=generator)
        return F.interpolate(noise, (17, 64, 96), mode="trilinear", align_corners=False)

    return [0.2 + 0.4 * clouds((3, 2, 3)) + 0.2 * clouds((5, 6, 8)) + 0.05 * clouds((17, 32, 48)) for _ in range(6)]


@pytest.fixture(scope="module")
def vae(clips: list[Tensor]) -> Iterator[VAE]:
    """A VAE with the linear code of `clips`."""
    torch.manual_seed(0)
    model = VAE(CONFIG)
    fit_linear_code(model, clips)
    with torch.no_grad():
        yield model


def cells(pixels: Tensor, frames: int, size: int) -> NDArray[np.float64]:
    """What each latent cell stands for, a row each, of a clip (1, 3, F, H, W); frame 0 fills its cells alone."""
    _, _, length, height, width = pixels.shape
    groups = [[0] * frames] + [list(range(k, k + frames)) for k in range(1, length, frames)]
    rows = [
        pixels[0, :, group, top : top + size, left : left + size].flatten()
        for group in groups
        for top in range(0, height, size)
        for left in range(0, width, size)
    ]
    return torch.stack(rows).double().numpy()


def seen_by_the_encoder(clip: Tensor) -> NDArray[np.float64]:
    halved = F.avg_pool2d(clip[0, :, ::2], 2)[None]
    return cells(halved, 4, 16)


def latents_of(vae: VAE, clips: list[Tensor]) -> NDArray[np.float64]:
    """The latents of all cells, a row each, in the order of `cells`."""
    return np.concatenate([vae.encode(clip)[0].flatten(1).T.double().numpy() for clip in clips])


def test_latents_are_uncorrelated_and_vary_as_the_root_of_their_components(vae: VAE, clips: list[Tensor]) -> None:
    seen = np.concatenate([seen_by_the_encoder(clip) for clip in clips])
    latents = latents_of(vae, clips)
    assert latents.shape == (len(clips) * 3 * 2 * 3, 8)
    deviations = np.linalg.svd(seen - seen.mean(0), compute_uv=False)[:8] / len(seen) ** 0.5
    assert deviations[0] > 2 * deviations[7]  # or the next lines would say little
    expected = deviations**0.5
    expected /= np.sqrt((expected**2).mean())
    np.testing.assert_allclose(latents.mean(0), np.zeros(8), atol=1e-4)
    np.testing.assert_allclose(latents.T @ latents / len(latents), np.diag(expected**2), atol=1e-3)
    assert (latents**2).mean() == pytest.approx(1, abs=1e-4)


def test_no_linear_code_of_as_many_channels_reconstructs_better(vae: VAE, clips: list[Tensor]) -> None:
    """The same as principal components and least squares done directly, in double precision."""
    seen = np.concatenate([seen_by_the_encoder(clip) for clip in clips])
    targets = np.concatenate([cells(clip, 8, 32) for clip in clips])
    left, singular, _ = np.linalg.svd(seen - seen.mean(0), full_matrices=False)
    scores = np.concatenate([left[:, :8] * singular[:8], np.ones((len(seen), 1))], 1)
    direct = scores @ np.linalg.lstsq(scores, targets, rcond=None)[0]
    pixels = [vae.decoder.linear_pixels(vae.encode(clip)) for clip in clips]
    # These have eight frames for every latent frame; the one put before them, and its six cells, are dropped.
    ours = np.concatenate([cells(F.pad(clip, (0, 0, 0, 0, 1, 0)), 8, 32)[6:] for clip in pixels])
    missed, least = ((ours - targets) ** 2).mean(), ((direct - targets) ** 2).mean()
    assert 0.001 < least < 0.5 * targets.var()
    assert missed == pytest.approx(least, rel=1e-4)
    np.testing.assert_allclose(ours, direct, atol=5e-3)


def test_a_fresh_decoder_gives_what_the_linear_code_gives(vae: VAE, clips: list[Tensor]) -> None:
    latents = vae.encode(clips[0])
    # Not to the bit: how sums are split among threads may differ from call to call.
    torch.testing.assert_close(vae.decode(latents), vae.decoder.linear_pixels(latents)[:, :, 7:])


def test_clips_that_as_many_pictures_span_come_back(vae: VAE) -> None:
    """Every cell is a mean and a mix of eight blocks: four that stand still, for frame 0 too, and four that move."""
    generator = torch.Generator().manual_seed(1)
    still = torch.randn(4, 3, 1, 32, 32, generator=generator).expand(-1, -1, 8, -1, -1)
    moving = torch.randn(4, 3, 8, 32, 32, generator=generator)
    mean = torch.rand(3, 1, 32, 32, generator=generator)

    def clip() -> Tensor:
        frames = torch.zeros(1, 3, 24, 64, 64)
        for latent_frame in range(3):
            for top, left in ((0, 0), (0, 32), (32, 0), (32, 32)):
                amounts = 0.1 * torch.randn(8, 1, 1, 1, 1, generator=generator)
                block = mean + (amounts[:4] * still).sum(0)
                if latent_frame:
                    block = block + (amounts[4:] * moving).sum(0)
                span = slice(8 * latent_frame, 8 * latent_frame + 8)
                frames[0, :, span, top : top + 32, left : left + 32] = block
        return frames[:, :, 7:]

    of_blocks = VAE(CONFIG)
    fit_linear_code(of_blocks, [clip() for _ in range(10)])
    unseen = clip()
    with torch.no_grad():
        torch.testing.assert_close(of_blocks.decode(of_blocks.encode(unseen)), unseen, rtol=0, atol=5e-3)
        # Which no code does that was fitted to something else.
        assert (vae.decode(vae.encode(unseen)) - unseen).square().mean() > 0.01


@pytest.mark.parametrize("rows", [200, 12])
def test_principal_components_are_those_of_the_singular_values(rows: int) -> None:
    """Of many rows by the matrix of their products, of few directly."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 30, generator=generator) * torch.linspace(3, 0.1, 30)
    x = x - x.mean(0)
    variances, directions = principal_components(x, 5)
    assert directions.shape == (30, 5)
    expected = np.linalg.svd(x.double().numpy(), compute_uv=False)[:5] ** 2 / rows
    np.testing.assert_allclose(variances, expected, rtol=1e-4)
    torch.testing.assert_close(directions.T @ directions, torch.eye(5), rtol=0, atol=1e-5)
    along = x @ directions
    torch.testing.assert_close(along.T @ along / rows, torch.diag(variances), rtol=0, atol=1e-4)


def with_context(vae: VAE, channels: int) -> VAE:
    """`vae` with a new context of so many channels in its decoder."""
    model = VAE(replace(CONFIG, context_channels=channels))
    model.load_state_dict(vae.state_dict(), strict=False)
    return model


def test_neighbourhoods_are_what_the_context_s_kernel_multiplies(vae: VAE) -> None:
    context = Context(8, 5, 7)
    torch.nn.init.normal_(context.gather)
    torch.nn.init.normal_(context.spread)
    context.gather[:, :, ~CROSS] = 0
    latents = torch.randn(2, 8, 3, 2, 4)
    rows = neighbourhoods(latents) @ context.gather[:, :, CROSS].flatten(1).T @ context.spread.T
    torch.testing.assert_close(
        context(latents), rows.reshape(2, 3, 2, 4, 7).permute(0, 4, 1, 2, 3), rtol=1e-4, atol=1e-4
    )


def test_no_context_of_as_many_channels_leaves_less(vae: VAE, clips: list[Tensor]) -> None:
    """The same as the regression done directly, its fitted values cut to their principal components."""
    model = with_context(vae, 6)
    with torch.no_grad():
        fit_context(model, clips)
        seen = torch.cat([neighbourhoods(model.encode(clip)) for clip in clips]).double().numpy()
    targets = np.concatenate([cells(clip, 8, 32) for clip in clips])
    with torch.no_grad():
        plain, ours = (
            np.concatenate(
                [cells(F.pad(m.decoder.linear_pixels(m.encode(clip)), (0, 0, 0, 0, 1, 0)), 8, 32)[6:] for clip in clips]
            )
            for m in (vae, model)
        )
    lost = targets - plain
    damping = np.sqrt(RIDGE * (seen**2).mean() * len(seen)) * np.eye(seen.shape[1])
    inputs = np.concatenate([seen, damping])
    full = np.linalg.lstsq(inputs, np.concatenate([lost, np.zeros((len(damping), lost.shape[1]))]), rcond=None)[0]
    _, _, directions = np.linalg.svd(inputs @ full, full_matrices=False)
    direct = seen @ full @ directions[:6].T @ directions[:6]
    np.testing.assert_allclose(ours - plain, direct, atol=5e-3)
    assert ((targets - ours) ** 2).mean() < 0.9 * (lost**2).mean()


def test_a_decoder_without_context_has_none_to_fit(vae: VAE, clips: list[Tensor]) -> None:
    with pytest.raises(ValueError, match="0 context channels"):
        fit_context(vae, clips)


def test_without_a_linear_way_back_the_encoder_s_half_is_the_same(vae: VAE, clips: list[Tensor]) -> None:
    model = VAE(replace(CONFIG, linear_decoder=False))
    fit_linear_code(model, clips)
    assert model.decoder.linear is None
    assert torch.equal(model.encoder.linear.weight, vae.encoder.linear.weight)
    assert torch.equal(model.encoder.linear.bias, vae.encoder.linear.bias)


@pytest.mark.gpu
def test_a_card_fits_the_same_code(clips: list[Tensor]) -> None:
    here, there = VAE(replace(CONFIG, context_channels=4)), VAE(replace(CONFIG, context_channels=4)).cuda()
    with torch.no_grad():
        for model, seen in ((here, clips), (there, [clip.cuda() for clip in clips])):
            fit_linear_code(model, seen)
            fit_context(model, clips)
        # Components have no sign: the pixels that come back are what is the same.
        expected, made = here.decode(here.encode(clips[0])), there.decode(there.encode(clips[0].cuda()))
    torch.testing.assert_close(made.cpu(), expected, rtol=0, atol=2e-2)
