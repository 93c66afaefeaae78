from __future__ import annotations

import pytest
import torch

from daybreak.models.wan.int8 import Int8Linear, quantise
from daybreak.models.wan.layers import gelu_
from daybreak.models.wan.transformer import WanConfig, WanTransformer

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.skipif(torch.backends.quantized.engine == "none", reason="this torch has no 8-bit products"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@torch.no_grad()
def test_one_product_is_near_that_of_floating_point() -> None:
    torch.manual_seed(0)
    linear, x = torch.nn.Linear(256, 64), torch.randn(3, 5, 256)
    expected = linear(x)
    assert (Int8Linear(linear)(x) - expected).norm() < 0.04 * expected.norm()


@torch.no_grad()
def test_a_quantised_transformer_is_near_the_same_one() -> None:
    torch.manual_seed(0)
    config = WanConfig(
        num_attention_heads=4, attention_head_dim=32, text_dim=16, ffn_dim=256, num_layers=3, freq_dim=64
    )
    model = WanTransformer(config).eval()
    text = model.text_states([torch.randn(5, 16), torch.randn(2, 16)], 16)
    latents, moment = torch.randn(1, 16, 2, 8, 8), torch.tensor([400.0])
    expected = model(latents, moment, text)
    found = quantise(model)(latents, moment, text)
    assert sum(isinstance(module, Int8Linear) for module in model.modules()) == 6 * 3
    error = (found - expected).norm() / expected.norm()
    assert 0 < error < 0.05


def test_only_float32_is_quantised() -> None:
    model = WanTransformer(WanConfig(num_attention_heads=1, attention_head_dim=12, text_dim=8, ffn_dim=8, num_layers=1))
    model.dtype = torch.bfloat16
    with pytest.raises(ValueError, match="8-bit products need a processor"):
        quantise(model)


def test_gelu_is_that_of_torch() -> None:
    x = torch.linspace(-12, 12, 4001)
    expected = torch.nn.functional.gelu(x, approximate="tanh")
    assert (gelu_(x.clone()) - expected).abs().max() < 1e-6
