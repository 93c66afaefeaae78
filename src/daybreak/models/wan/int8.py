"""The Wan transformer's large products in 8-bit whole numbers: half the time on a processor, at an error that shows.

Weights have a scale for each row, set once; activations one for each product, taken from their largest number as they
come (fbgemm's and oneDNN's dynamic quantisation). Without VNNI instructions, sums of two products must fit in 16 bits,
so activations have 7 bits there. Products whose result is used once a clip or that are small stay as they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from daybreak.models.wan.layers import Linear
from daybreak.models.wan.transformer import WanTransformer

_LAYERS = ("attention.qkv", "attention.out", "text.query", "text.out", "mlp.up", "mlp.down")


class Int8Linear(nn.Module):
    """A linear layer whose weights are 8-bit numbers, on a processor, float32 to float32."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach().float().cpu()
        scales = weight.abs().amax(1).clamp_min(1e-12) / 127
        with warnings.catch_warnings():
            # To be removed from some torch (pytorch/pytorch#184982); until then nothing else reaches these kernels.
            warnings.simplefilter("ignore")
            zeros = torch.zeros(len(weight), dtype=torch.long)
            rows = torch.quantize_per_channel(weight, scales, zeros, 0, torch.qint8)
        self.packed = torch.ops.quantized.linear_prepack(rows, linear.bias.detach().float().cpu())
        self.reduced = not torch.cpu._is_vnni_supported()

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = torch.ops.quantized.linear_dynamic(x, self.packed, self.reduced)
        return result


def quantise(transformer: WanTransformer) -> WanTransformer:
    """The same transformer, its large products now in 8-bit numbers. Raises ValueError where no library has them."""
    missing = torch.backends.quantized.engine == "none" or not hasattr(torch, "quantize_per_channel")
    if missing or transformer.dtype != torch.float32:
        raise ValueError("8-bit products need a processor with float32 arithmetic, and fbgemm or oneDNN")
    for owner, name, linear in list(_large(transformer)):
        setattr(owner, name, Int8Linear(linear))
    return transformer


def _large(transformer: WanTransformer) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    for block in transformer.blocks:
        for layer in _LAYERS:
            owner, name = layer.split(".")
            linear = block.get_submodule(layer)
            if isinstance(linear, Linear):
                yield block.get_submodule(owner), name, linear
