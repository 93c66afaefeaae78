"""What the model is asked for in an evaluation, and what a picture of it must show to count as right."""

from __future__ import annotations

import random
from dataclasses import dataclass

from daybreak.diorama.captions import caption
from daybreak.diorama.sampling import sample_spec
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


def caption_scene(index: int) -> SceneSpec:
    """Scene `index` of the evaluation: one subject, a combination of attributes that training never saw."""
    return sample_spec(FIRST_CAPTION + index, held_out=True, max_subjects=1)


def grammar_captions(count: int) -> list[Asked]:
    """One sentence for each of the first `count` scenes; only what it mentions has to be right."""
    asked = []
    for index in range(count):
        spec = caption_scene(index)
        written = caption(spec, random.Random(f"evaluated caption {index}"), "sentence")
        readable = readable_labels(spec)
        asked.append(
            Asked(written.text, index, {name: readable[name] for name in readable if name in written.mentioned})
        )
    return asked


def hand_written_captions(count: int) -> list[Asked]:
    """The first `count` sentences written by people, each with what the probes can check of it.

    Of two subjects the probes cannot say which they saw, so that only the scene around them counts.
    """
    asked = []
    for index, row in enumerate(HAND_WRITTEN):
        names = SCENE_ATTRIBUTES if "subject2" in row.labels else ATTRIBUTES
        hidden = ("colour", "time_of_day") if row.labels.get("style") in COLOURLESS_STYLES else ()
        labels = {name: row.labels[name] for name in names if name in row.labels and name not in hidden}
        if labels:
            asked.append(Asked(row.text, index, labels))
    return asked[:count]
