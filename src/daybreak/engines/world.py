"""What a prompt means in the Diorama world: its scene, a caption that says all of it, and its sound.

The procedural engine renders the scene. A model that learned from the world is told the caption, which says in the
world's own words what was asked, and fills in what was left open, as Sora's prompt rewriting did (`enhance_prompt`);
and its clips get the sound of the scene (`generate_audio`): heard is what the prompt says, not what the picture shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from daybreak.generation import Audio
from daybreak.timeline import Timeline

if TYPE_CHECKING:
    from daybreak.diorama.narrowing import Words
    from daybreak.diorama.scene import SceneSpec

SAMPLE_RATE = 48_000  # Hz


@dataclass(frozen=True, slots=True)
class Reading:
    """A shot of a timeline as a scene of the world."""

    scene: SceneSpec
    caption: str
    not_followed: tuple[str, ...]  # words of the prompt that the world has no picture for


def read_timeline(timeline: Timeline, seed: int, words: Words | None = None) -> list[Reading]:
    """Every shot as a scene, told in `words` if not all are known; the same seed answers what each prompt leaves open.

    A caption adds what was left open to a clip that is one shot and holds no media. Elsewhere another shot or the
    media have answered it, and the caption says only what was asked.
    """
    from daybreak.diorama.captions import plain_caption
    from daybreak.diorama.labels import labels
    from daybreak.diorama.narrowing import narrowed
    from daybreak.diorama.parse import parse

    alone = len(timeline.shots) == 1 and not timeline.pins
    readings = []
    for shot in timeline.shots:
        parsed = parse(shot.prompt, seed % 2**32)
        scene, bent = narrowed(parsed.spec, words) if words else (parsed.spec, ())
        said = frozenset(labels(scene) if alone else parsed.mentioned)
        readings.append(Reading(scene, plain_caption(scene, said), (*parsed.unsupported, *bent)))
    return readings


def in_captions(timeline: Timeline, readings: Sequence[Reading]) -> Timeline:
    """The timeline with every prompt in the world's words."""
    shots = (replace(shot, prompt=reading.caption) for shot, reading in zip(timeline.shots, readings, strict=True))
    return replace(timeline, shots=tuple(shots))


def reading_record(readings: Sequence[Reading], *, enhanced: bool) -> dict[str, Any]:
    """What a clip's record says of how its prompts were read; nothing of those that were not."""
    if not readings:
        return {}
    captions = [reading.caption for reading in readings]
    revised = {"revised_prompt": captions[0]} | ({"revised_prompts": captions} if captions[1:] else {})
    not_followed = [words for reading in readings for words in reading.not_followed]
    return {**(revised if enhanced else {}), "not_followed": not_followed}


def shot_frames(timeline: Timeline, num_frames: int, fps: float) -> list[slice]:
    """The frames of each shot, in order; those of a shot that begins after the end are none."""
    starts = [0, *(max(1, min(round(shot.start * fps), num_frames)) for shot in timeline.shots[1:])]
    return [slice(first, max(first, end)) for first, end in zip(starts, [*starts[1:], num_frames], strict=True)]


def soundtrack(readings: Sequence[Reading], spans: Sequence[slice], fps: float, aspect: float, seed: int) -> Audio:
    """The sound of a clip whose shots have the frames `spans`, one after the other; (2, N) at SAMPLE_RATE."""
    from daybreak.diorama.events import sound_events
    from daybreak.diorama.sound import synthesise

    parts = []
    for reading, span in zip(readings, spans, strict=True):
        if count := span.stop - span.start:
            events, beds = sound_events(reading.scene, count, fps, aspect)
            samples = round(span.stop / fps * SAMPLE_RATE) - round(span.start / fps * SAMPLE_RATE)
            sound = synthesise(events, beds, count / fps, SAMPLE_RATE, seed)[:, :samples]
            parts.append(np.pad(sound, ((0, 0), (0, samples - sound.shape[1]))))
    return np.concatenate(parts, 1)
