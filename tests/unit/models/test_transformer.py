from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from daybreak.diffusion.flow import add_noise, velocity
from daybreak.models.transformer import Block, Transformer, TransformerConfig, parameter_count

CONFIG = TransformerConfig(4, 2, width=16, num_layers=2, num_heads=2, modulation_width=8, text_width=12, num_slots=3)


@pytest.fixture
def transformer() -> Iterator[Transformer]:
    """A small transformer that has left its initial values: it starts as zero, which says nothing."""
    torch.manual_seed(0)
    model = Transformer(CONFIG)
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3)
    with torch.no_grad():
        yield model


def example(frames: int = 3, height: int = 4, width: int = 6, batch: int = 2) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Latents, sigmas, text states, and a mask that hides the last two of eight."""
    mask = torch.tensor([True] * 6 + [False] * 2).expand(batch, -1)
    return torch.randn(batch, 4, frames, height, width), torch.rand(batch, frames), torch.randn(batch, 8, 12), mask


def differs(first: Tensor, second: Tensor) -> bool:
    return bool((first - second).abs().max() > 1e-4)


@pytest.mark.parametrize(("height", "width"), [(8, 14), (14, 8), (10, 10), (2, 2)])
@pytest.mark.parametrize("frames", [1, 2, 7])
def test_the_velocity_has_the_shape_of_the_latents(
    transformer: Transformer, frames: int, height: int, width: int
) -> None:
    latents, *rest = example(frames, height, width)
    velocity = transformer(latents, *rest)
    assert velocity.shape == latents.shape
    assert velocity.isfinite().all()


def test_its_blocks_start_as_identities() -> None:
    torch.manual_seed(0)
    _, _, text, mask = example()
    block, x = Block(CONFIG), torch.randn(2, 12, 16)
    rotary = torch.zeros(12, 4)
    assert_close(block(x, torch.randn(2, 3, 16), rotary, text, mask), x, rtol=0, atol=0)


DEVIATIONS = torch.tensor([[0.2, 0.5, 1.0, 3.0], [0.3, 0.6, 1.5, 2.0]])


@pytest.fixture
def untrained() -> Iterator[Transformer]:
    """A new transformer, whose network says 0, for channels of `DEVIATIONS`."""
    torch.manual_seed(0)
    model = Transformer(CONFIG)
    model.deviations.copy_(DEVIATIONS)
    with torch.no_grad():
        yield model


def test_from_pure_noise_it_starts_with_no_guess_of_the_data(untrained: Transformer) -> None:
    latents, sigmas, text, mask = example()
    noise_alone = torch.ones_like(sigmas)
    assert torch.equal(untrained(latents, noise_alone, text, mask), latents)


def test_it_starts_as_the_best_linear_estimate_of_the_data(untrained: Transformer) -> None:
    """In closed form, frame 0 by its own deviations: (1 - sigma) s^2 / ((1 - sigma)^2 s^2 + sigma^2) x."""
    latents, _, text, mask = example()
    sigmas = torch.tensor([[0.0, 0.1, 0.35], [0.6, 0.9, 1.0]])
    data = latents - sigmas[:, None, :, None, None] * untrained(latents, sigmas, text, mask)
    for clip in range(2):
        for frame, row in enumerate((0, 1, 1)):
            for channel in range(4):
                sigma, s = sigmas[clip, frame].item(), DEVIATIONS[row, channel].item()
                share = (1 - sigma) * s**2 / ((1 - sigma) ** 2 * s**2 + sigma**2)
                expected = share * latents[clip, channel, frame]
                assert_close(data[clip, channel, frame], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 0.7, 1.0])
def test_no_regression_on_many_samples_finds_a_better_line(untrained: Transformer, sigma: float) -> None:
    """Of gaussian data: the line through (x, velocity), the size of what it misses, and the size of x."""
    scale_in, keep, scale_out = untrained.precondition(torch.full((1, 2), sigma))
    for frame in range(2):
        data = torch.randn(100_000, 4, 1, 1, 1) * DEVIATIONS[frame][None, :, None, None, None]
        noise = torch.randn_like(data)
        x = add_noise(data, noise, torch.full((100_000, 1), sigma))
        target = velocity(data, noise)
        line = (x * target).mean(0) / x.square().mean(0)
        missed = (target - line * x).square().mean(0).sqrt()
        assert_close(keep[0, :, frame], line[:, 0], rtol=0.02, atol=0.02)
        assert_close(scale_out[0, :, frame], missed[:, 0], rtol=0.02, atol=0)
        assert_close(scale_in[0, :, frame] * x.square().mean(0)[:, 0].sqrt(), torch.ones(4, 1, 1), rtol=0.02, atol=0)


def test_the_network_s_word_counts_in_units_of_the_estimate_s_error(untrained: Transformer) -> None:
    latents, sigmas, text, mask = example()
    before = untrained(latents, sigmas, text, mask)
    untrained.rest.bias.fill_(1.0)  # what the network says, everywhere
    variance = (1 - sigmas).square() * DEVIATIONS[[0, 1, 1]].T[:, None].square() + sigmas.square()  # (C, B, T)
    expected = (DEVIATIONS[[0, 1, 1]].T[:, None] / variance.sqrt()).transpose(0, 1)[..., None, None]
    said = before - untrained(latents, sigmas, text, mask)
    assert_close(said, expected.expand_as(said), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("deviation", [0.0, 1e-6, 100.0])
def test_a_channel_that_never_varies_and_a_frame_without_noise_stay_finite(
    transformer: Transformer, deviation: float
) -> None:
    transformer.deviations.fill_(deviation)
    latents, _, text, mask = example()
    sigmas = torch.tensor([[0.0, 1e-6, 0.5], [1.0, 0.0, 0.0]])
    assert transformer(latents, sigmas, text, mask).isfinite().all()
    assert all(factor.isfinite().all() for factor in transformer.precondition(sigmas))


def test_patches_come_back_where_they_were(transformer: Transformer) -> None:
    """With nothing between them, cutting into patches and joining them is the identity."""
    latents, sigmas, text, _ = example()
    torch.nn.init.eye_(transformer.embed.weight)
    torch.nn.init.zeros_(transformer.embed.bias)
    tokens, rotary = transformer.patchify(latents)
    assert tokens.shape == (2, 3 * 2 * 3, 16)
    assert rotary.shape == (18, 4)
    transformer.norm = torch.nn.Identity()
    transformer.rest.load_state_dict(transformer.embed.state_dict())
    torch.nn.init.zeros_(transformer.final_modulation.weight)
    torch.nn.init.zeros_(transformer.final_modulation.bias)
    joined = transformer.unpatchify(tokens, transformer.condition(sigmas, text), latents)
    assert_close(joined, latents, rtol=0, atol=0)


def test_a_sigma_acts_through_the_modulation_of_its_own_frame(transformer: Transformer) -> None:
    latents, sigmas, text, mask = example()
    changed = sigmas.clone()
    changed[:, 1] = 1 - changed[:, 1]
    before, after = transformer.condition(sigmas, text), transformer.condition(changed, text)
    assert_close(after[:, [0, 2]], before[:, [0, 2]])
    assert differs(after[:, 1], before[:, 1])
    # Attention then carries what it changed to the other frames...
    assert differs(transformer(latents, changed, text, mask), transformer(latents, sigmas, text, mask))
    for block in transformer.blocks:
        torch.nn.init.zeros_(block.attention.out.weight)
    # ...and nothing else does.
    before, after = transformer(latents, sigmas, text, mask), transformer(latents, changed, text, mask)
    assert_close(after[:, :, [0, 2]], before[:, :, [0, 2]])
    assert differs(after[:, :, 1], before[:, :, 1])


def test_every_frame_sees_every_other(transformer: Transformer) -> None:
    latents, sigmas, text, mask = example()
    before = transformer(latents, sigmas, text, mask)
    for frame in range(3):
        changed = latents.clone()
        changed[:, :, frame] += 1
        moved = (transformer(changed, sigmas, text, mask) - before).abs().amax((0, 1, 3, 4))
        assert (moved > 1e-5).all()


def test_text_reaches_the_velocity_and_padding_does_not(transformer: Transformer) -> None:
    latents, sigmas, text, mask = example()
    before = transformer(latents, sigmas, text, mask)
    for place, seen in ((0, True), (2, True), (5, True), (6, False), (7, False)):
        changed = text.clone()
        changed[:, place] += 1
        assert differs(transformer(latents, sigmas, changed, mask), before) == seen


def test_clips_of_a_batch_do_not_see_each_other(transformer: Transformer) -> None:
    latents, sigmas, text, mask = example()
    together = transformer(latents, sigmas, text, mask)
    alone = transformer(latents[1:], sigmas[1:], text[1:], mask[1:])
    assert_close(together[1:], alone)


def test_positions_tell_frames_rows_and_columns_apart(transformer: Transformer) -> None:
    latents, _, text, mask = example(batch=1)
    sigmas = torch.full((1, 3), 0.5)
    before = transformer(latents, sigmas, text, mask)
    for axis in (2, 3, 4):
        assert differs(transformer(latents.flip(axis), sigmas, text, mask).flip(axis), before)


@pytest.mark.parametrize(("height", "width"), [(3, 4), (4, 5), (1, 1)])
def test_odd_sizes_are_refused(transformer: Transformer, height: int, width: int) -> None:
    latents, *rest = example(3, height, width)
    with pytest.raises(ValueError, match=f"latents of {height}x{width} cells cannot be cut into 2x2 patches"):
        transformer(latents, *rest)


def test_gradient_reaches_every_parameter(transformer: Transformer) -> None:
    with torch.enable_grad():
        transformer(*example()).square().mean().backward()
    missed = [name for name, p in transformer.named_parameters() if p.grad is None or not p.grad.any()]
    assert missed == []


def test_parameters_are_counted() -> None:
    assert parameter_count(torch.nn.Linear(3, 5)) == 20


@pytest.mark.parametrize("patch", [1, 3])
def test_patches_of_other_sizes_come_back_where_they_were_too(patch: int) -> None:
    config = TransformerConfig(4, patch, 4 * patch**2, 1, 1, 8, text_width=12, num_slots=3)
    torch.manual_seed(0)
    transformer = Transformer(config)
    torch.nn.init.eye_(transformer.embed.weight)
    torch.nn.init.zeros_(transformer.embed.bias)
    transformer.norm = torch.nn.Identity()
    transformer.rest.load_state_dict(transformer.embed.state_dict())
    latents, sigmas, text, _ = example(height=3, width=6)
    tokens, _ = transformer.patchify(latents)
    assert tokens.shape == (2, 3 * (3 // patch) * (6 // patch), 4 * patch**2)
    assert_close(transformer.unpatchify(tokens, transformer.condition(sigmas, text), latents), latents)


def test_a_modulation_is_the_same_for_all_tokens_of_a_frame_and_of_no_other(transformer: Transformer) -> None:
    """A block in which nothing but the MLP speaks, said again token by token."""
    block = transformer.blocks[0]
    for layer in (block.attention.out, block.text.out):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    x, condition, (_, _, text, mask) = torch.randn(2, 12, 16), torch.randn(2, 3, 16), example()
    made = block(x, condition, torch.zeros(12, 4), text, mask)
    *_, shift, scale, gate = (part[:, :, 0] for part in block.modulation(condition))
    for token in range(12):
        frame = token // 4
        seen = block.norm_mlp(x[:, token]) * (1 + scale[:, frame]) + shift[:, frame]
        assert_close(made[:, token], x[:, token] + gate[:, frame] * block.mlp(seen))
