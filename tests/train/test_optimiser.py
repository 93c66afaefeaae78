from __future__ import annotations

import pytest
import torch
from torch import nn

from daybreak.train.optimiser import Muon, Optimiser, OptimiserConfig, orthogonalise


class Net(nn.Module):
    """A matrix inside a block, one outside, and parameters that are no matrices."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Linear(4, 4)
        self.blocks = nn.ModuleList([nn.Linear(4, 4)])
        self.wide = nn.Conv2d(64, 64, 3).to(memory_format=torch.channels_last)
        self.narrow = nn.Conv2d(64, 3, 1)

    def loss(self) -> torch.Tensor:
        pixels: torch.Tensor = self.narrow(self.wide(torch.ones(1, 64, 3, 3)))
        return (self.blocks[0](self.embed(torch.eye(4))) - 1).square().sum() + pixels.square().sum()


def rates(config: OptimiserConfig, num_steps: int) -> list[float]:
    optimiser = Optimiser(Net(), config)
    return [round(optimiser.factor(step, num_steps), 6) for step in range(num_steps)]


def test_the_rate_rises_stays_and_falls() -> None:
    assert rates(OptimiserConfig(warmup_steps=4, decay_steps=4), 10) == [0.25, 0.5, 0.75, 1, 1, 1, 1, 0.75, 0.5, 0.25]


def test_without_warmup_or_decay_the_rate_is_full() -> None:
    assert rates(OptimiserConfig(warmup_steps=0), 3) == [1, 1, 1]


def test_in_a_run_shorter_than_both_the_lower_one_holds() -> None:
    assert rates(OptimiserConfig(warmup_steps=10, decay_steps=10), 4) == [0.1, 0.2, 0.2, 0.1]


def test_muon_takes_matrices_inside_blocks_and_wide_kernels_and_adamw_the_rest() -> None:
    net = Net()
    adam, muon = Optimiser(net, OptimiserConfig(1e-3, 2e-3)).parts
    by_muon = {id(net.blocks[0].weight), id(net.wide.weight)}
    assert {id(p) for p in muon.param_groups[0]["params"]} == by_muon
    assert {id(p) for p in adam.param_groups[0]["params"]} == {id(p) for p in net.parameters()} - by_muon
    assert len(Optimiser(net, OptimiserConfig(1e-3)).parts) == 1


@pytest.mark.parametrize("shape", [(16, 48), (48, 16), (32, 32)])
def test_an_orthogonalised_matrix_has_singular_values_near_1_and_the_same_axes(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, values, v = torch.linalg.svd(matrix, full_matrices=False)
    found = u.T @ orthogonalise(1000 * matrix).float() @ v.T
    large = values > values[0] / 20  # five iterations raise small ones only so far
    assert large.sum() >= 15
    assert ((found.diagonal()[large] > 0.6) & (found.diagonal()[large] < 1.3)).all()
    assert (found - found.diagonal().diag()).abs().max() < 0.05


def test_a_muon_step_has_the_size_of_an_adamw_step() -> None:
    """0.2 of the rate in the mean square, whatever the gradient's size and the matrix's shape."""
    for shape in ((64, 256), (256, 64), (64, 64, 3, 3)):
        parameter = nn.Parameter(torch.zeros(shape))
        parameter.grad = 1e-4 * torch.randn(shape, generator=torch.Generator().manual_seed(0))
        Muon([parameter], lr=0.1).step()
        assert parameter.detach().square().mean().sqrt() == pytest.approx(0.02, rel=0.25)
        assert (parameter.detach() * parameter.grad).sum() < 0  # downhill


def test_frozen_parameters_are_left_alone() -> None:
    net = Net()
    net.embed.requires_grad_(False)
    before = net.embed.weight.clone()
    optimiser = Optimiser(net, OptimiserConfig(1e-1, 1e-1, 0))
    net.loss().backward()  # type: ignore[no-untyped-call]
    optimiser.step(0, 10, net.parameters())
    assert torch.equal(net.embed.weight, before)


def test_a_step_follows_the_schedule_and_clears_the_gradients() -> None:
    net = Net()
    optimiser = Optimiser(net, OptimiserConfig(1e-2, 0, warmup_steps=10))
    before = net.embed.weight.detach().clone()
    net.loss().backward()  # type: ignore[no-untyped-call]
    norm = optimiser.step(0, 100, net.parameters())
    assert norm > 1
    # AdamW's first step has the size of its rate in every coordinate: a tenth of 1e-2 here.
    change = (net.embed.weight.detach() - before).abs()
    torch.testing.assert_close(change, torch.full((4, 4), 1e-3), rtol=1e-3, atol=0)
    assert all(p.grad is None for p in net.parameters())


def test_gradients_are_clipped_to_norm_1() -> None:
    net = nn.Linear(3, 1, bias=False)
    seen: list[torch.Tensor] = []

    class Watching(Optimiser):
        def factor(self, *_: int) -> float:
            assert net.weight.grad is not None
            seen.append(net.weight.grad.clone())
            return 0.0

    optimiser = Watching(net, OptimiserConfig())
    for size, after in ((30.0, 1.0), (0.5, 0.5)):
        net.weight.grad = torch.tensor([[0.0, size, 0.0]])
        assert optimiser.step(0, 1, net.parameters()) == pytest.approx(size)
        assert seen[-1].norm() == pytest.approx(after, rel=1e-4)


def test_saved_state_goes_on_bit_for_bit() -> None:
    def advance(net: Net, optimiser: Optimiser, steps: range) -> None:
        for step in steps:
            net.loss().backward()  # type: ignore[no-untyped-call]
            optimiser.step(step, 10, net.parameters())

    config = OptimiserConfig(1e-2, 2e-2, 3, 4, weight_decay=0.1)
    first = Net()
    optimiser = Optimiser(first, config)
    advance(first, optimiser, range(5))
    second = Net()
    second.load_state_dict(first.state_dict())
    restored = Optimiser(second, config)
    restored.load_tensors({name: tensor.clone() for name, tensor in optimiser.tensors().items()})
    advance(first, optimiser, range(5, 10))
    advance(second, restored, range(5, 10))
    for ours, theirs in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert {name.split(".")[2] for name in optimiser.tensors()} == {"step", "exp_avg", "exp_avg_sq", "momentum"}
