"""What every engine offers, and the refusal of what one cannot honour."""

from __future__ import annotations

from typing import Literal, Protocol

from daybreak.generation import GenerationSettings, OnStep, Unsupported, Video
from daybreak.timeline import Feature, Timeline

Ability = Feature | Literal["steps", "guidance"]

# How a refusal names each ability to the person who asked.
_SAID: dict[Ability, str] = {
    "shots": "several shots",
    "image_pin": "an image",
    "video_pin": "a source video",
    "later_pin": "media later than the first frame",
    "partial_strength": "a strength below 1",
    "loop": "a loop",
    "negative_prompt": "a negative prompt",
    "steps": "a number of steps",
    "guidance": "a guidance scale",
}


class Engine(Protocol):
    """Turns a timeline into a clip in memory.

    `procedural` engines render a prompt without a learned model and are always labelled so. `abilities` is what the
    engine honours beyond one prompt for the whole clip. The clip may have the engine's own size, length and frame
    rate, nearest to what was asked: `media.fit.conform` makes it exact.
    """

    @property
    def name(self) -> str: ...

    @property
    def procedural(self) -> bool: ...

    @property
    def abilities(self) -> frozenset[Ability]: ...

    def generate(self, timeline: Timeline, settings: GenerationSettings, on_step: OnStep) -> Video:
        """The clip. Raises whatever `on_step` raises, within one step."""
        ...


def needed_abilities(timeline: Timeline, settings: GenerationSettings) -> frozenset[Ability]:
    """What an engine must honour to do exactly what is asked."""
    needed: set[Ability] = set(timeline.features())
    if settings.num_inference_steps is not None:
        needed.add("steps")
    if settings.guidance_scale is not None:
        needed.add("guidance")
    return frozenset(needed)


def refuse_unsupported(engine: Engine, timeline: Timeline, settings: GenerationSettings) -> None:
    """Raises Unsupported, naming everything that the engine would have to leave out."""
    missing = sorted(_SAID[ability] for ability in needed_abilities(timeline, settings) - engine.abilities)
    if missing:
        raise Unsupported(
            f"the model {engine.name!r} cannot use {' or '.join(missing)}: leave it out or choose another"
        )
