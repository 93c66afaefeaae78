"""How a clip is to be generated. Apart from clips themselves, so that a server can take orders without NumPy."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

MAX_SEED = 2**63 - 1
MAX_STEPS = 1000
MAX_LORAS = 8
MAX_LORA_STRENGTH = 4.0  # either way: beyond it every published LoRA makes noise
MAX_STEP_CACHE = 2.0  # the sum of changes by which nothing is left of what was cached
LORA_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class LoraUse(NamedTuple):
    """An installed LoRA and how much of it is added: 1 as it was trained, 0 nothing, below 0 its opposite."""

    name: str
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """How to generate; None leaves the choice to the model. Raises ValueError for values out of range.

    `enhance_prompt` lets a model be told the prompt in the words that it knows best, `generate_audio` gives the clip
    sound. `step_cache` is how far a network's first block may drift before the others are asked again: 0 not at all.
    """

    seed: int = 0
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    loras: tuple[LoraUse, ...] = ()
    enhance_prompt: bool | None = None
    generate_audio: bool | None = None
    step_cache: float | None = None

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
        for name, flag in (("enhance_prompt", self.enhance_prompt), ("generate_audio", self.generate_audio)):
            if flag is not None and not isinstance(flag, bool):
                raise ValueError(f"{name} must be true or false, not {flag!r}")
        if self.step_cache is not None and not 0 <= self.step_cache <= MAX_STEP_CACHE:  # NaN is not either
            raise ValueError(f"step_cache must be from 0 to {MAX_STEP_CACHE:g}, not {self.step_cache:g}")
        _check_loras(self.loras)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; the newer ones only where they say something, so that earlier clips keep their records."""
        plain = {**asdict(self), "loras": [use._asdict() for use in self.loras] or None}
        newer = ("loras", "enhance_prompt", "generate_audio", "step_cache")
        return {name: value for name, value in plain.items() if value is not None or name not in newer}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> GenerationSettings:
        """The settings of plain JSON values. Raises ValueError for unknown fields and wrong types."""
        try:
            loras = tuple(LoraUse(**use) for use in plain.get("loras", ()))
            return cls(**{**plain, "loras": loras})
        except TypeError as error:
            raise ValueError(f"not generation settings: {error}") from error


def _check_loras(loras: tuple[LoraUse, ...]) -> None:
    """Raises ValueError for a name that no LoRA can have, a strength out of range, too many, or the same one twice."""
    for name, strength in loras:
        if not isinstance(name, str) or not LORA_NAME.fullmatch(name):
            raise ValueError(f"no LoRA can be called {name!r}: small letters, digits, dots and dashes, at most 64")
        if isinstance(strength, bool) or not isinstance(strength, int | float):
            raise ValueError(f"the strength of the LoRA {name!r} must be a number, not {strength!r}")
        if not abs(strength) <= MAX_LORA_STRENGTH:  # NaN is not either
            raise ValueError(f"the strength of the LoRA {name!r} must be from -4 to 4, not {strength:g}")
    names = [use.name for use in loras]
    if len(names) > MAX_LORAS:
        raise ValueError(f"at most {MAX_LORAS} LoRAs can be mixed, not {len(names)}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the LoRA {twice!r} is named twice: name it once, with one strength")
