"""What the model is asked for in an evaluation, and what a picture of it must show to count as right."""

from __future__ import annotations

import random
from dataclasses import dataclass

from daybreak.diorama.captions import caption
from daybreak.diorama.narrowing import Words, first_known, knows
from daybreak.diorama.scene import SceneSpec
from daybreak.evaluate.probes import ATTRIBUTES, SCENE_ATTRIBUTES, readable_labels
from daybreak.evaluate.prompts import HAND_WRITTEN

FIRST_CAPTION = 40_000_000  # the scenes of the captions; far from everything that anything was trained on
COLOURLESS_STYLES = ("noir", "sepia")


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt, the seed of its noise, and the attributes that it fixes."""

    prompt: str
    seed: int
    labels: dict[str, str]


def caption_scene(index: int, words: Words | None = None) -> SceneSpec:
    """Scene `index` of the evaluation: one subject, a combination of attributes that training never saw.

    Of a model that knows some `words` of the world only, the first such scene that they can say.
    """
    return first_known(FIRST_CAPTION + index, words, held_out=True, max_subjects=1)


def grammar_captions(count: int, words: Words | None = None) -> list[Asked]:
    """One sentence for each of the first `count` scenes; only what it mentions has to be right."""
    asked = []
    for index in range(count):
        spec = caption_scene(index, words)
        written = caption(spec, random.Random(f"evaluated caption {index}"), "sentence")
        readable = readable_labels(spec)
        asked.append(
            Asked(written.text, index, {name: readable[name] for name in readable if name in written.mentioned})
        )
    return asked


def hand_written_captions(count: int, words: Words | None = None) -> list[Asked]:
    """The first `count` sentences written by people, each with what the probes can check of it.

    Of two subjects the probes cannot say which they saw, so that only the scene around them counts. What `words`
    cannot say is not asked of a model that knows no others.
    """
    asked = []
    for index, row in enumerate(HAND_WRITTEN):
        if words is not None and not knows(words, row.labels):
            continue
        names = SCENE_ATTRIBUTES if "subject2" in row.labels else ATTRIBUTES
        hidden = ("colour", "time_of_day") if row.labels.get("style") in COLOURLESS_STYLES else ()
        checked = {name: row.labels[name] for name in names if name in row.labels and name not in hidden}
        if checked:
            asked.append(Asked(row.text, index, checked))
    return asked[:count]
