"""The hand-written sentences: enough of them, well labelled, and outside the grammar."""

from __future__ import annotations

import random

from daybreak.diorama import scene
from daybreak.diorama.captions import KEYS, caption
from daybreak.diorama.parse import parse
from daybreak.diorama.sampling import sample_spec
from daybreak.evaluate.prompts import HAND_WRITTEN
from daybreak.tokenizer import normalise

VALUES = {
    "subject": scene.SUBJECTS,
    "colour": scene.COLOURS,
    "pattern": scene.PATTERNS,
    "size": scene.SIZES,
    "action": scene.ACTIONS,
    "relation": scene.RELATIONS,
    "environment": scene.ENVIRONMENTS,
    "time_of_day": scene.TIMES_OF_DAY,
    "weather": scene.WEATHERS,
    "camera": scene.CAMERAS,
    "style": scene.STYLES,
}


def test_enough_and_all_different() -> None:
    assert len({row.text.lower() for row in HAND_WRITTEN}) == len(HAND_WRITTEN) >= 80


def test_labels_are_words_of_the_world() -> None:
    for row in HAND_WRITTEN:
        assert row.labels["subject"] in scene.SUBJECTS
        for key, value in row.labels.items():
            assert key in KEYS
            assert value in VALUES[key.rstrip("2")], row.text
        assert ("subject2" in row.labels) or not any(key.endswith("2") for key in row.labels)


def test_labelled_scenes_are_possible() -> None:
    for row in HAND_WRITTEN:
        for suffix in ("", "2"):
            if "action" + suffix in row.labels:
                kind, action = row.labels["subject" + suffix], row.labels["action" + suffix]
                assert action in scene.ALLOWED_ACTIONS[kind], row.text
        if row.labels.get("action") == "swim":
            assert row.labels.get("environment", "beach") in scene.WATER_ENVIRONMENTS


def test_every_value_of_the_main_attributes_is_asked_for() -> None:
    for key in ("subject", "colour", "environment", "time_of_day", "action"):
        assert {row.labels[key] for row in HAND_WRITTEN if key in row.labels} == set(VALUES[key])
    cameras = {row.labels["camera"] for row in HAND_WRITTEN if "camera" in row.labels}
    assert cameras == set(scene.CAMERAS)


def test_outside_the_grammar() -> None:
    """Nearly all use words that no caption has; the few others are built as no caption is."""
    rng = random.Random(0)
    spoken: set[str] = set()
    for seed in range(3000):
        spoken.update(normalise(caption(sample_spec(seed), rng).text))
    inside = [row.text for row in HAND_WRITTEN if set(normalise(row.text)) <= spoken]
    assert len(inside) <= 6


def test_the_parser_follows_most_of_them() -> None:
    """A floor, not the score: `daybreak evaluate` reports the score."""
    right = said = 0
    for row in HAND_WRITTEN:
        mentioned = parse(row.text).mentioned
        said += len(row.labels)
        right += sum(mentioned.get(key) == value for key, value in row.labels.items())
    assert right / said > 0.9
