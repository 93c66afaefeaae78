from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from daybreak.models.text_encoder import SLOTS, TextEncoder, TextEncoderConfig


@pytest.fixture
def encoder() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(TextEncoderConfig(vocabulary_size=50, max_tokens=12, width=16, num_layers=2, num_heads=2))


def padded(*lengths: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random ids of the given lengths, and their mask."""
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return torch.randint(3, 50, mask.shape) * mask, mask


def test_slot_states_come_before_the_token_states(encoder: TextEncoder) -> None:
    ids, mask = padded(7, 4)
    states, text_mask = encoder(ids, mask)
    assert states.shape == (2, len(SLOTS) + 7, 16)
    assert text_mask[:, : len(SLOTS)].all()
    assert torch.equal(text_mask[:, len(SLOTS) :], mask)


def test_padding_changes_nothing(encoder: TextEncoder) -> None:
    ids, mask = padded(7, 4)
    states, text_mask = encoder(ids, mask)
    other = torch.where(mask, ids, 49)
    assert torch.equal(encoder(other, mask)[0][text_mask], states[text_mask])
    # As much of it as there may be: the short text alone, without any padding, has the same states.
    alone, _ = encoder(ids[1:, :4], mask[1:, :4])
    assert_close(states[1:, : len(SLOTS) + 4], alone)


def test_every_token_reaches_every_slot(encoder: TextEncoder) -> None:
    ids, mask = padded(7)
    states, _ = encoder(ids, mask)
    for place in range(7):
        changed = ids.clone()
        changed[0, place] = 1
        moved, _ = encoder(changed, mask)
        assert (moved[0, : len(SLOTS)] != states[0, : len(SLOTS)]).any(1).all()


def test_word_order_counts(encoder: TextEncoder) -> None:
    ids, mask = padded(7)
    assert not torch.allclose(encoder(ids.flip(1), mask)[0][:, :16], encoder(ids, mask)[0][:, :16])


def test_gradient_reaches_every_parameter(encoder: TextEncoder) -> None:
    encoder(torch.arange(12)[None], torch.ones(1, 12, dtype=torch.bool))[0].square().mean().backward()
    assert [name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_too_many_tokens_are_refused(encoder: TextEncoder) -> None:
    with pytest.raises(ValueError, match="13 tokens, at most 12"):
        encoder(*padded(13))
