"""What every engine offers."""

from __future__ import annotations

from typing import Protocol

from daybreak.engines.abilities import Ability, needed_abilities, refusal
from daybreak.generation import OnStep, State, Unsupported, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.timeline import Timeline


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

    def generate(
        self, timeline: Timeline, settings: GenerationSettings, on_step: OnStep, resume: State | None = None
    ) -> Video:
        """The clip. Raises whatever `on_step` raises, within one step.

        `resume` is a state that an earlier call reported; one that doesn't fit is not used. What is pinned at strength
        1 may come out as the engine shows it: `produce_video` puts the frames of videos back.
        """
        ...


def refuse_unsupported(engine: Engine, timeline: Timeline, settings: GenerationSettings) -> None:
    """Raises Unsupported, naming everything that the engine would have to leave out."""
    missing = needed_abilities(timeline, settings) - engine.abilities
    if missing:
        raise Unsupported(refusal(engine.name, missing))
