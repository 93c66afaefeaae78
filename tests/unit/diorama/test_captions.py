"""Captions say exactly what they claim, in many forms; noise leaves them readable."""

from __future__ import annotations

import random

import pytest

from daybreak.diorama import phrases, vocabulary
from daybreak.diorama.captions import KEYS, LENGTHS, augment, caption, facts
from daybreak.diorama.lexicon import match, tokenise
from daybreak.diorama.parse import parse
from daybreak.diorama.sampling import sample_spec
from daybreak.diorama.scene import (
    ACTIONS,
    CAMERAS,
    COLOURS,
    ENVIRONMENTS,
    PATTERNS,
    RELATIONS,
    SIZES,
    STYLES,
    SUBJECTS,
    TIMES_OF_DAY,
    WEATHERS,
    SceneSpec,
    Subject,
)
from daybreak.diorama.vocabulary import americanise, conjugate, with_article

SPEC = SceneSpec(
    (Subject("dog", "red", "striped", "small", "run"),), None, "meadow", "sunset", "rain", "pan left", "noir"
)
PAIR = SceneSpec((Subject("dog", "red"), Subject("cat", "blue", action="sleep")), "left of", "forest")


@pytest.mark.parametrize("length", LENGTHS)
def test_mentioned_is_what_was_asked_for(length: str) -> None:
    wanted = frozenset({"colour", "environment"})
    for seed in range(50):
        written = caption(SPEC, random.Random(seed), length, wanted)  # type: ignore[arg-type]
        assert written.mentioned == {"subject": "dog", "colour": "red", "environment": "meadow"}


def test_relation_implies_the_second_subject() -> None:
    assert caption(PAIR, random.Random(0), mention=frozenset({"relation"})).mentioned == {
        "subject": "dog",
        "subject2": "cat",
        "relation": "left of",
    }


def test_second_subject_of_a_lonely_one_is_never_mentioned() -> None:
    written = caption(SPEC, random.Random(0), mention=frozenset(KEYS))
    assert written.mentioned == facts(SPEC)
    assert not any(key.endswith("2") or key == "relation" for key in written.mentioned)


def test_same_randomness_same_caption() -> None:
    assert caption(PAIR, random.Random(7)) == caption(PAIR, random.Random(7))


def test_defaults_are_mostly_left_out() -> None:
    plain = SceneSpec((Subject("dog", "red"),))
    said = [caption(plain, random.Random(seed)).mentioned for seed in range(400)]
    assert 0.05 < sum("weather" in mentioned for mentioned in said) / 400 < 0.3
    assert all(mentioned["subject"] == "dog" for mentioned in said)


def test_more_than_fifty_forms() -> None:
    """A form is the order in which a caption names attributes."""
    forms = set()
    for seed in range(600):
        tokens = tokenise(caption(SPEC, random.Random(seed), mention=frozenset(KEYS)).text)
        order, place = [], 0
        while place < len(tokens):
            length, meaning = match(tokens, place) or (1, None)
            if meaning is not None:
                order.append(meaning.slot)
            place += length
        forms.add(tuple(order))
    assert len(forms) >= 50


def test_a_sentence_of_the_issue_can_be_written() -> None:
    """Every phrase of "a puppy dashes over the grass while the sun goes down" is in the grammar."""
    assert "puppy" in vocabulary.SUBJECT_NOUNS["dog"]
    assert conjugate("dash", "third") == "dashes"
    assert "dash" in vocabulary.VERBS["run"]
    assert phrases.Place("on", "over", "the grass") in phrases.PLACES["meadow"]
    assert "while the sun goes down" in phrases.TIME_CLAUSES["sunset"]


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (vocabulary.SUBJECT_NOUNS, SUBJECTS),
        (vocabulary.NEAREST_SUBJECTS, SUBJECTS),
        (vocabulary.COLOUR_WORDS, COLOURS),
        (vocabulary.SIZE_WORDS, SIZES),
        (vocabulary.PATTERN_ADJECTIVES, PATTERNS),
        (vocabulary.PATTERN_CLAUSES, PATTERNS),
        (vocabulary.VERBS, ACTIONS),
        (phrases.PLACES, ENVIRONMENTS),
        (phrases.TIME_CLAUSES, TIMES_OF_DAY),
        (phrases.TIME_NOUNS, TIMES_OF_DAY),
        (phrases.WEATHER_CLAUSES, WEATHERS),
        (phrases.WEATHER_ADJECTIVES, WEATHERS),
        (phrases.WEATHER_NOUNS, WEATHERS),
        (phrases.CAMERA_CLAUSES, CAMERAS),
        (phrases.CAMERA_TAGS, CAMERAS),
        (phrases.CAMERA_PREFIXES, CAMERAS),
        (phrases.STYLE_CLAUSES, STYLES),
        (phrases.STYLE_TAGS, STYLES),
        (phrases.STYLE_PREFIXES, STYLES),
        (phrases.RELATION_CLAUSES, RELATIONS),
        (phrases.INVERSE_CLAUSES, RELATIONS),
    ],
)
def test_every_value_of_the_world_has_words(table: dict[str, tuple[str, ...]], values: tuple[str, ...]) -> None:
    assert tuple(sorted(table)) == tuple(sorted(values))
    assert all(len(set(options)) == len(options) > 0 for options in table.values())


@pytest.mark.parametrize(
    ("phrase", "third", "ing", "past"),
    [
        ("turn around", "turns around", "turning around", "turned around"),
        ("dash", "dashes", "dashing", "dashed"),
        ("fly", "flies", "flying", "flew"),
        ("hurry", "hurries", "hurrying", "hurried"),
        ("hop", "hops", "hopping", "hopped"),
        ("dance", "dances", "dancing", "danced"),
        ("lie asleep", "lies asleep", "lying asleep", "lay asleep"),
        ("sway", "sways", "swaying", "swayed"),
    ],
)
def test_conjugate(phrase: str, third: str, ing: str, past: str) -> None:
    assert [conjugate(phrase, form) for form in ("base", "third", "ing", "past")] == [phrase, third, ing, past]


def test_articles_and_spelling() -> None:
    assert with_article("orange dog") == "an orange dog"
    assert with_article("one-coloured dog") == "a one-coloured dog"
    assert with_article("unicorn") == "a unicorn"
    assert americanise("a grey, solid-coloured dog") == "a gray, solid-colored dog"


def test_captions_fit_the_text_encoder() -> None:
    words = [len(caption(sample_spec(seed), random.Random(seed)).text.split()) for seed in range(500)]
    assert max(words) <= 64


def test_noise_changes_most_texts_and_seldom_what_they_say() -> None:
    changed = kept = 0
    for seed in range(200):
        rng = random.Random(seed)
        written = caption(sample_spec(seed), rng, "sentence")
        noisy = augment(written.text, rng)
        changed += noisy != written.text
        kept += parse(noisy).mentioned.get("subject") == written.mentioned["subject"]
    assert changed > 160
    assert kept > 180


def test_noise_survives_any_text() -> None:
    for seed in range(100):
        assert isinstance(augment("", random.Random(seed)), str)
        assert augment("dog", random.Random(seed))
