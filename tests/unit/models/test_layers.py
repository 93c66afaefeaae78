from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from jaxtyping import TypeCheckError
from torch.testing import assert_close

from daybreak.models.layers import (
    MLP,
    CrossAttention,
    RMSNorm,
    SelfAttention,
    apply_rotary,
    attend,
    rotary_angles,
    sinusoidal,
)


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    torch.manual_seed(0)


def test_rms_norm_gives_unit_power_times_its_gain() -> None:
    norm = RMSNorm(16)
    norm.weight.data.fill_(3.0)
    x = torch.randn(4, 5, 16) * torch.tensor([0.1, 1, 10, 100])[:, None, None]
    assert_close(norm(x).square().mean(-1), torch.full((4, 5), 9.0), rtol=1e-3, atol=0)
    assert_close(norm(7 * x), norm(x), rtol=1e-3, atol=1e-4)


def test_mlp_treats_every_token_alone() -> None:
    mlp = MLP(8)
    x = torch.randn(2, 5, 8)
    assert_close(mlp(x)[:, 3], mlp(x[:, 3]))


def test_self_attention_without_positions_does_not_care_for_order() -> None:
    attention = SelfAttention(16, 4)
    x, order = torch.randn(2, 7, 16), torch.randperm(7)
    assert_close(attention(x[:, order]), attention(x)[:, order])


def test_self_attention_refuses_a_width_that_its_heads_cannot_share() -> None:
    with pytest.raises(ValueError, match="width 10 is not a multiple of 4 heads"):
        SelfAttention(10, 4)


def test_self_attention_with_one_token_is_its_value() -> None:
    attention = SelfAttention(8, 2)
    x = torch.randn(3, 1, 8)
    assert_close(attention(x), attention.out(attention.qkv(x)[..., 16:]))


def test_cross_attention_sees_no_masked_token() -> None:
    attention = CrossAttention(16, 4, text_width=12)
    x, text = torch.randn(2, 5, 16), torch.randn(2, 6, 12)
    mask = torch.tensor([[True] * 4 + [False] * 2, [True] * 6])
    changed = text.clone()
    changed[0, 4:] = 1000
    torch.testing.assert_close(attention(x, changed, mask), attention(x, text, mask), rtol=0, atol=0)
    changed[1, 5] = 1000
    assert (attention(x, changed, mask)[1] != attention(x, text, mask)[1]).any()


@pytest.mark.parametrize("masked", [False, True])
def test_attention_written_out_is_torch_s_own_and_so_are_its_gradients(masked: bool) -> None:
    q, k, v = torch.randn(2, 3, 7, 8), torch.randn(2, 3, 5, 8), torch.randn(2, 3, 5, 8)
    mask = torch.tensor([[True] * 3 + [False] * 2, [True] * 5])[:, None, None] if masked else None
    inputs = [x.requires_grad_() for x in (q, k, v)]
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    written_out = attend(q, k, v, mask)
    with torch.no_grad():
        kernel = attend(q, k, v, mask)
    assert torch.equal(kernel, expected)  # without gradients it is torch's
    assert type(written_out.grad_fn) is not type(expected.grad_fn)  # and with them it is not
    assert_close(written_out, expected)
    weights = torch.randn_like(expected)
    ours, theirs = (torch.autograd.grad((out * weights).sum(), inputs) for out in (written_out, expected))
    for one, other in zip(ours, theirs, strict=True):
        assert other.abs().max() > 0.1
        assert_close(one, other, rtol=1e-4, atol=1e-5)
    if masked:
        assert (ours[1][0, :, 3:] == 0).all()
        assert (ours[2][0, :, 3:] == 0).all()


def test_rotary_keeps_lengths_and_turns_with_relative_position_only() -> None:
    angles = rotary_angles(4, 3, 5, head_width=16)
    assert angles.shape == (60, 8)
    q, k = torch.randn(1, 1, 1, 16), torch.randn(1, 1, 1, 16)
    everywhere_q, everywhere_k = (apply_rotary(x.expand(1, 1, 60, 16), angles)[0, 0] for x in (q, k))
    assert_close(everywhere_q.norm(dim=-1), q.norm().expand(60))
    products = (everywhere_q @ everywhere_k.T).reshape(4, 3, 5, 4, 3, 5)
    # One frame later, one row lower and one column to the right, wherever that is in the clip.
    assert_close(products[0, 0, 0, 1, 1, 1], products[2, 1, 3, 3, 2, 4])
    assert not torch.isclose(products[0, 0, 0, 1, 1, 1], products[0, 0, 0, 1, 1, 2])


def test_rotary_angles_are_zero_in_the_middle_of_the_first_frame() -> None:
    angles = rotary_angles(3, 5, 7, head_width=32).reshape(3, 5, 7, 16)
    assert (angles[0, 2, 3] == 0).all()
    # The quarter of the pairs that turns with time: the same over a whole frame.
    assert (angles[1, :, :, :4] == angles[1, 0, 0, :4]).all()
    assert angles[1, 0, 0, 0] == 1
    # Nothing else turns with time.
    assert (angles[1, ..., 4:] == angles[0, ..., 4:]).all()


def test_the_middle_of_a_picture_has_the_same_angles_in_every_bucket() -> None:
    landscape, portrait = rotary_angles(2, 4, 7, 16), rotary_angles(2, 7, 4, 16)
    rows = landscape.reshape(2, 4, 7, 8).mean(2), portrait.reshape(2, 7, 4, 8).mean(2)
    assert_close(rows[0].mean(1), rows[1].mean(1), rtol=0, atol=1e-6)


def test_sinusoidal_tells_sigmas_apart() -> None:
    features = sinusoidal(torch.tensor([0.0, 0.5, 1.0]), 32)
    assert features.shape == (3, 32)
    assert_close(features[0], torch.cat([torch.ones(16), torch.zeros(16)]))
    assert features[1, 0] == pytest.approx(math.cos(500), abs=1e-4)
    assert torch.cdist(features, features).fill_diagonal_(9).min() > 1


def test_shapes_that_disagree_are_found_under_pytest() -> None:
    with pytest.raises(TypeCheckError, match="angles"):
        apply_rotary(torch.zeros(1, 1, 5, 8), torch.zeros(4, 4))
