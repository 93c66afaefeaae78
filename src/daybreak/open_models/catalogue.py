"""The open video models that are known by name: where they are, what they may be used for, what they need.

The figures of `catalogue.json` are the makers' own as far as they could be read without the weights at hand; what an
owner should look up before relying on it is in each entry's `check`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from daybreak.open_models.families import PIPELINES, Family

_FILE = Path(__file__).with_name("catalogue.json")
WEIGHT_BYTES = 2  # of a parameter, as published: bfloat16


@dataclass(frozen=True, slots=True)
class Licence:
    """What a licence permits, in words, and what to look up before relying on that."""

    name: str
    permits: str
    where: str
    check: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One open model. Parameters are in billions; `token` is what one transformer token stands for."""

    name: str
    repository: str
    pipeline: str
    title: str
    licence: Licence
    transformer: float
    experts: int
    text_encoder: float
    vae: float
    width: int
    blocks: int
    token_frames: int
    token_pixels: int
    sizes: tuple[tuple[int, int], ...]  # (width, height)
    fixed_sizes: bool
    fps: float
    num_frames: int
    num_inference_steps: int
    guidance_scale: float
    audio: bool
    check: tuple[str, ...] = ()

    @property
    def family(self) -> Family:
        return PIPELINES[self.pipeline].family

    @property
    def size(self) -> int:
        """Bytes of the weights, about what a download has."""
        return round((self.transformer * self.experts + self.text_encoder + self.vae) * 1e9 * WEIGHT_BYTES)

    @property
    def seconds(self) -> float:
        """The length that it was trained on."""
        return self.num_frames / self.fps

    @property
    def frames_rule(self) -> str:
        return f"{self.family.frame_step}k + 1 frames"

    def card(self) -> dict[str, Any]:
        """What a model card takes from here."""
        return {
            "description": self.title,
            "native": {
                "sizes": [f"{width}x{height}" for width, height in self.sizes],
                "fixed": self.fixed_sizes,
                "side_step": self.token_pixels,
                "fps": self.fps,
                "num_frames": self.num_frames,
            },
            "num_inference_steps": self.num_inference_steps,
            "guidance_scale": self.guidance_scale,
            "licence": f"{self.licence.name}: {self.licence.permits}",
        }


@cache
def catalogue() -> Mapping[str, Entry]:
    """Every entry by name, in the order of the file."""
    plain = json.loads(_FILE.read_text(encoding="utf-8"))
    licences = {name: Licence(**record) for name, record in plain["licences"].items()}
    return {record["name"]: _entry(record, licences) for record in plain["models"]}


def _entry(record: Mapping[str, Any], licences: Mapping[str, Licence]) -> Entry:
    plain = dict(record)
    parameters, token = plain.pop("parameters"), plain.pop("token")
    sizes = tuple((int(width), int(height)) for width, height in (text.split("x") for text in plain.pop("sizes")))
    return Entry(
        **{**plain, "licence": licences[plain["licence"]], "check": tuple(plain["check"])},
        **parameters,
        token_frames=token["frames"],
        token_pixels=token["pixels"],
        sizes=sizes,
    )
