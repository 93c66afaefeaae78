from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from daybreak.models.vae import (
    VAE,
    Context,
    FixedLinear,
    Resample,
    ResBlock,
    SpaceConv,
    TimeConv,
    VAEConfig,
    encoder_blocks,
    reduce_pixels,
    zeroed,
)

CONFIG = VAEConfig(4, decoder_widths=(8, 8, 4), decoder_blocks=(2, 2, 1))
KINDS = {
    "linear code and network": CONFIG,
    "with context": replace(CONFIG, context_channels=3),
    "networks both ways": replace(CONFIG, encoder_widths=(2, 8), encoder_blocks=(1, 2), linear_decoder=False),
    "linear alone": replace(CONFIG, decoder_widths=(), decoder_blocks=()),
}


with_linear_decoder = pytest.mark.parametrize(
    "vae", [config for config in KINDS.values() if config.linear_decoder], indirect=True
)


def exact(actual: torch.Tensor, expected: torch.Tensor) -> None:
    assert_close(actual, expected, rtol=0, atol=0)


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def vae(request: pytest.FixtureRequest) -> Iterator[VAE]:
    """A small VAE that has left its initial values: blocks that start as identities would hide their mistakes."""
    torch.manual_seed(0)
    model = VAE(request.param)
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    for linear in (model.encoder.linear, model.decoder.linear):
        if linear is not None:
            torch.nn.init.normal_(linear.bias, std=0.2)
    if model.decoder.context is not None:
        torch.nn.init.normal_(model.decoder.context.gather, std=0.2)
        torch.nn.init.normal_(model.decoder.context.spread, std=0.2)
    with torch.no_grad():
        yield model


def test_a_block_starts_as_the_identity() -> None:
    x = torch.randn(1, 3, 4, 4, 8)
    exact(ResBlock(8)(x), x)
    exact(ResBlock(8, temporal=False)(x), x)


def test_a_convolution_in_space_is_that_of_each_frame_alone() -> None:
    layer, x = SpaceConv(3, 5), torch.randn(2, 4, 6, 7, 3)
    for frame in range(4):
        alone = torch.nn.functional.conv2d(x[:, frame].movedim(-1, 1), layer.conv.weight, layer.conv.bias, padding=1)
        assert_close(layer(x)[:, frame], alone.movedim(1, -1))


def test_a_map_over_time_is_a_causal_convolution_that_repeats_the_first_frame() -> None:
    layer, x = TimeConv(3), torch.randn(2, 4, 2, 2, 3)
    kernel = layer.linear.weight.reshape(3, 3, 3).movedim(1, 2)  # out, in, frame
    rows = x.permute(0, 2, 3, 4, 1).flatten(0, 2)  # a sequence for each place
    padded = torch.cat([rows[..., :1], rows[..., :1], rows], -1)
    expected = torch.nn.functional.conv1d(padded, kernel, layer.linear.bias)
    assert_close(layer(x), expected.reshape(2, 2, 2, 3, 4).permute(0, 4, 1, 2, 3))


def test_shapes_of_latents_and_pixels(vae: VAE) -> None:
    latents = vae.encode(torch.rand(2, 3, 17, 64, 96) * 2 - 1)
    assert latents.shape == (2, 4, 3, 2, 3)
    assert vae.decode(latents).shape == (2, 3, 17, 64, 96)


def test_a_still_image_is_a_one_frame_video(vae: VAE) -> None:
    image = torch.rand(1, 3, 1, 64, 64) * 2 - 1
    latents = vae.encode(image)
    assert latents.shape == (1, 4, 1, 2, 2)
    assert vae.decode(latents).shape == image.shape
    # And it is the first frame of any clip that begins with it.
    clip = torch.cat([image, torch.rand(1, 3, 16, 64, 64)], 2)
    assert_close(vae.encode(clip)[:, :, :1], latents)
    assert_close(vae.decode(vae.encode(clip))[:, :, :1], vae.decode(latents))


def test_a_clip_that_stands_still_has_latents_that_stand_still(vae: VAE) -> None:
    clip = (torch.rand(1, 3, 1, 32, 32) * 2 - 1).expand(-1, -1, 25, -1, -1)
    latents = vae.encode(clip)
    assert_close(latents, latents[:, :, :1].expand_as(latents))


@pytest.mark.parametrize("changed", [2, 8, 10, 16, 17, 18, 24])
def test_encoding_never_looks_ahead(vae: VAE, changed: int) -> None:
    """Latent frame 0 holds pixel frame 0, latent frame k the pixel frames 8k-7..8k."""
    clip = torch.rand(1, 3, 25, 32, 64) * 2 - 1
    after = clip.clone()
    after[:, :, changed] = 0.9
    before, moved = vae.encode(clip), vae.encode(after)
    holder = (changed + 7) // 8
    exact(moved[:, :, :holder], before[:, :, :holder])
    if changed % 2 == 0:  # the encoder sees every other frame
        assert (moved[:, :, holder] != before[:, :, holder]).any()
    else:
        exact(moved, before)


@pytest.mark.parametrize("changed", [0, 1, 2, 3])
def test_decoding_never_looks_ahead(vae: VAE, changed: int) -> None:
    latents = torch.randn(1, 4, 4, 2, 1)
    after = latents.clone()
    after[:, :, changed] += 1
    before, moved = vae.decode(latents), vae.decode(after)
    first = 8 * changed - 7 if changed else 0
    exact(moved[:, :, :first], before[:, :, :first])
    assert (moved[:, :, first] != before[:, :, first]).any()


def test_decoding_only_some_frames_gives_those_of_the_whole_clip(vae: VAE) -> None:
    latents = torch.randn(2, 4, 3, 1, 2)
    whole = vae.decoder(latents)
    for chosen in ([0], [16], [0, 1, 6, 7, 12], list(range(17))):
        only = torch.tensor(chosen)
        assert_close(vae.decoder(latents, only), whole[:, :, only])


def test_a_fixed_linear_map_is_a_matrix_and_an_offset_over_channels() -> None:
    linear, x = FixedLinear(5, 3), torch.randn(2, 5, 2, 4, 3)
    torch.nn.init.normal_(linear.bias)
    expected = torch.einsum("oi,bithw->bothw", linear.weight, x) + linear.bias[:, None, None, None]
    assert_close(linear(x), expected)
    assert linear(x.bfloat16()).dtype == torch.bfloat16


def test_the_linear_code_is_saved_and_never_trained(vae: VAE) -> None:
    maps = {"encoder.linear.weight", "encoder.linear.bias"}
    if vae.config.linear_decoder:
        maps |= {"decoder.linear.weight", "decoder.linear.bias"}
    if vae.config.context_channels:
        maps |= {"decoder.context.gather", "decoder.context.spread"}
    assert maps <= vae.state_dict().keys()
    assert maps == vae.state_dict().keys() - dict(vae.named_parameters()).keys()


def test_a_block_of_the_encoder_is_four_frames_of_16_pixels_and_frame_0_four_times() -> None:
    pixels = torch.rand(2, 3, 9, 32, 48)
    blocks = encoder_blocks(pixels)
    assert blocks.shape == (2, 3 * 4 * 16 * 16, 3, 2, 3)
    first = blocks[1, :, 0, 1, 2].reshape(3, 4, 16, 16)
    exact(first, pixels[1, :, :1, 16:, 32:].expand(3, 4, 16, 16))
    exact(blocks[1, :, 2, 0, 1].reshape(3, 4, 16, 16), pixels[1, :, 5:9, :16, 16:32])


@with_linear_decoder
def test_the_linear_way_back_puts_a_cell_s_block_in_its_place(vae: VAE) -> None:
    latents = torch.randn(2, 4, 3, 2, 3)
    pixels = vae.decoder.linear_pixels(latents)
    assert pixels.shape == (2, 3, 24, 64, 96)
    block = vae.decoder.linear.weight @ latents[1, :, 2, 0, 1] + vae.decoder.linear.bias
    if vae.decoder.context is not None:
        block = block + vae.decoder.context(latents)[1, :, 2, 0, 1]
    assert_close(pixels[1, :, 16:, :32, 32:64], block.reshape(3, 8, 32, 32))


def test_a_decoder_needs_a_linear_way_back_or_a_network() -> None:
    with pytest.raises(ValueError, match="a linear way back, a network, or both"):
        VAEConfig(decoder_widths=(), decoder_blocks=(), linear_decoder=False)


def test_a_new_encoder_is_the_linear_code_alone() -> None:
    fresh, pixels = VAE(KINDS["networks both ways"]), torch.rand(1, 3, 9, 32, 64)
    exact(fresh.encode(pixels), fresh.encoder.linear(encoder_blocks(reduce_pixels(pixels))))


def test_a_new_decoder_is_the_linear_code_alone() -> None:
    fresh, latents = VAE(CONFIG), torch.randn(1, 4, 3, 1, 2)
    # Other memory layouts give other sums.
    assert_close(fresh.decode(latents), fresh.decoder.linear_pixels(latents)[:, :, 7:], rtol=0, atol=1e-6)
    layer = zeroed(torch.nn.Conv2d(4, 4, 1))
    assert not layer.weight.any()
    assert not layer.bias.any()


@pytest.mark.parametrize("vae", [CONFIG, KINDS["with context"]], indirect=True)
def test_what_the_network_adds_to_the_linear_code_depends_on_its_pixels(vae: VAE) -> None:
    """Both finer scales see them: alone, each changes what is added."""
    latents = torch.randn(1, 4, 2, 1, 1)
    before = vae.decode(latents)
    for layer in (vae.decoder.network.see_middle, vae.decoder.network.see_fine):
        weight = layer.weight.clone()
        layer.weight.zero_()
        assert (vae.decode(latents) - before).abs().max() > 1e-3
        layer.weight.copy_(weight)
    exact(vae.decode(latents), before)


def test_what_the_encoder_sees_is_half_of_everything(vae: VAE) -> None:
    pixels = torch.rand(1, 3, 9, 32, 64)
    reduced = reduce_pixels(pixels)
    assert reduced.shape == (1, 3, 5, 16, 32)
    assert_close(reduced[0, 0, 1, 2, 3], pixels[0, 0, 2, 4:6, 6:8].mean())
    exact(vae.encode(pixels), vae.encode_reduced(reduced))


@pytest.mark.parametrize("shape", [(8, 64, 64), (2, 64, 64), (9, 48, 64), (9, 64, 65), (0, 64, 64)])
def test_sizes_without_whole_latents_are_refused(vae: VAE, shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=f"cannot encode {shape[0]} frames of {shape[2]}x{shape[1]}"):
        vae.encode(torch.zeros(1, 3, *shape))


def test_a_change_of_channels_starts_from_averages_and_repetition() -> None:
    x = torch.randn(1, 2, 3, 3, 6)
    fewer, more = Resample(6, 3), Resample(6, 12, 3)
    zeroed(fewer.map)
    zeroed(more.map.conv)
    exact(fewer(x)[..., 1], (x[..., 2] + x[..., 3]) / 2)
    exact(more(x)[..., ::2], x)
    exact(more(x)[..., 1::2], x)
    with pytest.raises(ValueError, match="6 and 4 channels"):
        Resample(6, 4)


@pytest.mark.parametrize("vae", [config for config in KINDS.values() if config.decoder_widths], indirect=True)
def test_gradient_reaches_every_parameter(vae: VAE) -> None:
    with torch.enable_grad():
        vae.decode(vae.encode(torch.rand(1, 3, 9, 64, 64))).square().mean().backward()
    assert [name for name, p in vae.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_a_new_context_adds_nothing() -> None:
    assert not Context(4, 3, 5)(torch.randn(2, 4, 3, 2, 2)).any()


def test_a_context_sees_the_cells_around_now_and_before_and_no_others() -> None:
    context = Context(1, 1, 1)
    context.gather.fill_(1.0)
    context.spread.fill_(1.0)
    for cell in ((1, 2, 2), (2, 2, 2), (1, 1, 3), (2, 3, 1)):
        latents = torch.zeros(1, 1, 4, 5, 5)
        latents[0, 0][cell] = 1
        assert context(latents)[0, 0, 2, 2, 2] == 1
    for cell in ((0, 2, 2), (3, 2, 2), (2, 0, 2), (2, 2, 4)):
        latents = torch.zeros(1, 1, 4, 5, 5)
        latents[0, 0][cell] = 1
        assert context(latents)[0, 0, 2, 2, 2] == 0
    # Beyond the edges the outermost cells repeat: everywhere a cell sees eighteen.
    assert_close(context(torch.ones(1, 1, 2, 2, 3)), torch.full((1, 1, 2, 2, 3), 18.0))
