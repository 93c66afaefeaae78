"""Muon for the matrices inside blocks, AdamW for everything else, stepped as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from daybreak.models.precision import compute_dtype


@dataclass(frozen=True, slots=True)
class OptimiserConfig:
    """Learning rates and how they change. Muon beat AdamW clearly at this size: docs/log.md has the trials."""

    learning_rate: float = 1e-3  # AdamW's
    muon_learning_rate: float = 0.0  # 0: no Muon
    warmup_steps: int = 100
    decay_steps: int = 0  # the last steps of the run, down to zero linearly
    weight_decay: float = 0.0


class Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised (Jordan et al., 2024), for matrices and, flattened, for convolution kernels.

    torch.optim.Muon takes matrices only. The update is scaled to the size of AdamW's (Liu et al., 2025), so
    that learning rates mean the same for both.
    """

    def __init__(
        self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient; those of one shape are orthogonalised together."""
        for group in self.param_groups:
            by_shape: dict[tuple[int, int], list[Tensor]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault((len(parameter), parameter[0].numel()), []).append(parameter)
            for parameters in by_shape.values():
                self._update(parameters, group["lr"], group["momentum"], group["weight_decay"])

    def _update(self, parameters: list[Tensor], rate: float, momentum: float, weight_decay: float) -> None:
        nesterov = []
        for parameter in parameters:
            state, gradient = self.state[parameter], parameter.grad
            assert gradient is not None
            if not state:
                state["momentum"] = torch.zeros_like(parameter)
            state["momentum"].lerp_(gradient, 1 - momentum)
            nesterov.append(torch.lerp(gradient, state["momentum"], momentum).flatten(1))
        for parameter, direction in zip(parameters, orthogonalise(torch.stack(nesterov)), strict=True):
            parameter.mul_(1 - rate * weight_decay)
            scale = 0.2 * max(direction.shape) ** 0.5
            parameter.add_(direction.view_as(parameter).to(parameter.dtype), alpha=-rate * scale)


def orthogonalise(matrices: Tensor) -> Tensor:
    """The nearest matrices (..., m, n) with singular values about 1, by five Newton-Schulz iterations."""
    a, b, c = 3.4445, -4.7750, 2.0315  # Jordan's quintic: quick rather than exact, values end in 0.7..1.2
    tall = matrices.shape[-2] > matrices.shape[-1]
    x: Tensor = (matrices.mT if tall else matrices).to(compute_dtype(matrices.device.type))
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Optimiser:
    """Both optimisers over `module`'s trainable parameters, and their learning-rate schedule."""

    def __init__(self, module: nn.Module, config: OptimiserConfig) -> None:
        self.config = config
        named = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
        by_muon = {name for name, p in named if config.muon_learning_rate and _is_hidden_matrix(name, p)}
        adam = [p for name, p in named if name not in by_muon]
        self.parts: list[torch.optim.Optimizer] = []
        if adam:  # a linear decoder has nothing to train
            betas = (0.9, 0.98)
            self.parts.append(torch.optim.AdamW(adam, config.learning_rate, betas, weight_decay=config.weight_decay))
        if by_muon:
            matrices = [p for name, p in named if name in by_muon]
            self.parts.append(Muon(matrices, config.muon_learning_rate, weight_decay=config.weight_decay))
        self._rates = [part.param_groups[0]["lr"] for part in self.parts]

    def step(self, step: int, num_steps: int, parameters: Iterable[Tensor]) -> float:
        """Clips the gradients to norm 1, applies them at the rate of `step` (from 0), clears them; gives the norm."""
        norm = float(torch.nn.utils.clip_grad_norm_(parameters, 1.0))
        factor = self.factor(step, num_steps)
        for part, rate in zip(self.parts, self._rates, strict=True):
            part.param_groups[0]["lr"] = rate * factor
            part.step()
            part.zero_grad(set_to_none=True)
        return norm

    def factor(self, step: int, num_steps: int) -> float:
        """Share of the full learning rate at `step`: a linear rise, a plateau, a linear fall."""
        rise = (step + 1) / max(self.config.warmup_steps, 1)
        fall = (num_steps - step) / self.config.decay_steps if self.config.decay_steps else 1.0
        return min(1.0, rise, fall)

    def tensors(self) -> dict[str, Tensor]:
        """The optimisers' state as named tensors, for a checkpoint."""
        return {
            f"{part}.{index}.{key}": torch.as_tensor(value)
            for part, optimiser in enumerate(self.parts)
            for index, state in optimiser.state_dict()["state"].items()
            for key, value in state.items()
        }

    def load_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Restores what `tensors` gave."""
        for part, optimiser in enumerate(self.parts):
            state: dict[int, dict[str, Tensor]] = {}
            for name, value in tensors.items():
                owner, index, key = name.split(".", 2)
                if int(owner) == part:
                    state.setdefault(int(index), {})[key] = value
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _is_hidden_matrix(name: str, parameter: Tensor) -> bool:
    """Whether Muon takes a parameter: a block's linear layer, or a convolution with 64 channels or more both ways."""
    if parameter.ndim == 2:
        return "blocks." in name
    return parameter.ndim == 4 and min(parameter.shape[:2]) >= 64
