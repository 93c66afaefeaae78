from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from daybreak.models.lora import (
    LowRank,
    LowRankAdapters,
    attach,
    check_low_rank,
    linear_layers,
    read_low_rank,
    with_low_rank,
)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.GELU(), nn.Linear(6, 3))


def update(out_width: int, in_width: int, rank: int = 2, seed: int = 1, scale: float = 1.0) -> LowRank:
    generator = torch.Generator().manual_seed(seed)
    down, up = (torch.randn(shape, generator=generator) for shape in ((rank, in_width), (out_width, rank)))
    return LowRank(down, up, scale)


def tensors(prefix: str = "", a: str = "lora_A", b: str = "lora_B") -> dict[str, Tensor]:
    first = update(6, 4)
    return {f"{prefix}0.{a}.weight": first.down, f"{prefix}0.{b}.weight": first.up}


def test_a_merged_weight_is_the_sum_in_float32() -> None:
    module, first, second = network(), update(6, 4, scale=0.5), update(6, 4, seed=2)
    merged = with_low_rank(module, [({"0": first}, 0.75), ({"0": second}, -1.0)])
    expected = module[0].weight + (first.up @ first.down) * 0.375 - second.up @ second.down
    torch.testing.assert_close(merged[0].weight, expected)
    assert merged[2].weight is module[2].weight  # what nothing changes is shared
    assert merged[0].bias is module[0].bias


def test_the_module_itself_is_never_changed() -> None:
    module, x = network(), torch.ones(1, 4)
    before = module(x)
    changed = with_low_rank(module, [({"0": update(6, 4)}, 1.0)])
    assert not torch.equal(changed(x), before)
    assert torch.equal(module(x), before)
    assert torch.equal(with_low_rank(module, [({"0": update(6, 4)}, 0.0)])(x), before)


@pytest.mark.parametrize("prefix", ["", "transformer.", "diffusion_model.", "base_model.model.transformer."])
@pytest.mark.parametrize(
    "parts", [("lora_A", "lora_B"), ("lora_down", "lora_up"), ("lora_A.default", "lora_B.default")]
)
def test_every_layout_is_read(prefix: str, parts: tuple[str, str]) -> None:
    read = read_low_rank(tensors(prefix, *parts))
    assert list(read) == ["0"]
    assert torch.equal(read["0"].delta(), update(6, 4).delta())


def test_alpha_over_rank_is_the_scale() -> None:
    assert read_low_rank(tensors())["0"].scale == 1
    assert read_low_rank(tensors(), alpha=6)["0"].scale == 3
    assert read_low_rank({**tensors(), "0.alpha": torch.tensor(1.0)}, alpha=6)["0"].scale == 0.5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"0.weight": torch.ones(1)}, "the tensor 0.weight is no part of a LoRA"),
        ({"7.lora_A.weight": torch.ones(2, 4)}, "the tensors of 7 are not whole"),
        ({"0.lora_B.weight": torch.ones(6, 3)}, r"the tensors of 0 do not fit: \[6, 3\] after \[2, 4\]"),
        ({"0.lora_B.weight": torch.ones(6)}, "the tensors of 0 do not fit"),
    ],
)
def test_what_is_no_lora_is_named(change: dict[str, Tensor], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_low_rank({**tensors(), **change})


def test_an_update_that_does_not_fit_is_named() -> None:
    shapes = {"0.weight": (6, 4)}
    check_low_rank({"0": update(6, 4)}, shapes, "dawn")
    with pytest.raises(ValueError, match=r"it changes 0\.weight as \[6, 5\], but in 'dawn' that is \[6, 4\]"):
        check_low_rank({"0": update(6, 5)}, shapes, "dawn")
    with pytest.raises(ValueError, match=r"the tensor 2\.weight, which 'dawn' does not have"):
        check_low_rank({"2": update(6, 4)}, shapes, "dawn")
    with pytest.raises(ValueError, match="does not have"):
        with_low_rank(network(), [({"9": update(6, 4)}, 1.0)])


def test_adapters_start_at_nothing_and_train_to_what_merging_gives() -> None:
    module, x = network().requires_grad_(False), torch.randn(5, 4)
    before = module(x)
    adapters = LowRankAdapters(linear_layers(module, r"\d"), rank=2)
    attachment = attach(module, adapters)
    assert torch.equal(module(x), before)
    optimiser = torch.optim.SGD(adapters.parameters(), 0.1)
    for _ in range(3):
        module(x).square().mean().backward()
        optimiser.step()
    assert all(parameter.grad is not None for parameter in adapters.parameters())
    trained = module(x)
    assert not torch.equal(trained, before)
    attachment.active = None
    assert torch.equal(module(x), before)
    merged = with_low_rank(network(), [(read_low_rank(adapters.tensors()), 1.0)])
    torch.testing.assert_close(merged(x), trained)


def test_only_linear_layers_that_are_named_are_taken() -> None:
    assert linear_layers(network(), "0") == {"0": (6, 4)}
    named: dict[str, Any] = linear_layers(network(), ".*")
    assert list(named) == ["0", "2"]
