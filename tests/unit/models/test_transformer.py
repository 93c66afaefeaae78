from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from daybreak.models.transformer import Block, Transformer, TransformerConfig, parameter_count

CONFIG = TransformerConfig(4, width=16, num_layers=2, num_heads=2, modulation_width=8, text_width=12, num_slots=3)


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


def test_it_starts_as_zero_and_its_blocks_as_identities() -> None:
    torch.manual_seed(0)
    latents, sigmas, text, mask = example()
    assert (Transformer(CONFIG)(latents, sigmas, text, mask) == 0).all()
    block, x = Block(CONFIG), torch.randn(2, 12, 16)
    rotary = torch.zeros(12, 4)
    assert_close(block(x, torch.randn(2, 3, 16), rotary, text, mask), x, rtol=0, atol=0)


def test_patches_come_back_where_they_were(transformer: Transformer) -> None:
    """With nothing between them, cutting into patches and joining them is the identity."""
    latents, sigmas, text, _ = example()
    torch.nn.init.eye_(transformer.embed.weight)
    torch.nn.init.zeros_(transformer.embed.bias)
    tokens, rotary = transformer.patchify(latents)
    assert tokens.shape == (2, 3 * 2 * 3, 16)
    assert rotary.shape == (18, 4)
    transformer.norm = torch.nn.Identity()
    transformer.velocity.load_state_dict(transformer.embed.state_dict())
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
