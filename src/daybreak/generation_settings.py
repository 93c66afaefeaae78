"""How a clip is to be generated. Apart from clips themselves, so that a server can take orders without NumPy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MAX_SEED = 2**63 - 1
MAX_STEPS = 1000


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How to generate; None leaves the choice to the model. Raises ValueError for values out of range."""

    seed: int = 0
    num_inference_steps: int | None = None
    guidance_scale: float | None = None

    def __post_init__(self) -> None:
        for name, number in (("seed", self.seed), ("steps", self.num_inference_steps)):
            if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
                raise ValueError(f"{name} must be a whole number, not {number!r}")
        if not 0 <= self.seed <= MAX_SEED:
            raise ValueError(f"seed must be from 0 to {MAX_SEED}, not {self.seed}")
        if self.num_inference_steps is not None and not 1 <= self.num_inference_steps <= MAX_STEPS:
            raise ValueError(f"steps must be from 1 to {MAX_STEPS}, not {self.num_inference_steps}")
        if self.guidance_scale is not None and not (
            math.isfinite(self.guidance_scale) and 0 <= self.guidance_scale <= 100
        ):
            raise ValueError(f"guidance must be from 0 to 100, not {self.guidance_scale:g}")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> GenerationSettings:
        """The settings of plain JSON values. Raises ValueError for unknown fields and wrong types."""
        try:
            return cls(**plain)
        except TypeError as error:
            raise ValueError(f"not generation settings: {error}") from error
