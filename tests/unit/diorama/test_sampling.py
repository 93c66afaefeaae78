"""Samples are repeatable, varied, allowed, and the held-out combinations are kept apart."""

import itertools
from collections import Counter

import pytest

from daybreak.diorama import sampling
from daybreak.diorama.actions import TRAVELLING
from daybreak.diorama.scene import (
    ALLOWED_ACTIONS,
    COLOURS,
    ENVIRONMENTS,
    SEAGOING,
    SUBJECTS,
    WATER_ENVIRONMENTS,
    SceneSpec,
    Subject,
)

SPECS = [sampling.sample_spec(seed) for seed in range(3000)]


def test_the_same_seed_gives_the_same_scene() -> None:
    assert [sampling.sample_spec(seed) for seed in range(50)] == SPECS[:50]
    assert len(set(SPECS)) > 2990


def test_training_and_held_out_scenes_are_disjoint() -> None:
    assert not any(sampling.is_held_out(spec) for spec in SPECS)
    assert all(sampling.is_held_out(sampling.sample_spec(seed, held_out=True)) for seed in range(300))


def test_one_triple_in_twelve_is_held_out() -> None:
    triples = list(itertools.product(SUBJECTS, COLOURS, ENVIRONMENTS))
    held_out = [t for t in triples if sampling.is_held_out(SceneSpec((Subject(t[0], t[1]),), environment=t[2]))]
    assert 0.06 < len(held_out) / len(triples) < 0.11
    # Each word is also seen in training, so that only the combination is new.
    for position, words in enumerate((SUBJECTS, COLOURS, ENVIRONMENTS)):
        counts = Counter(triple[position] for triple in held_out)
        assert all(0 < counts[word] < len(triples) / len(words) / 3 for word in words)


def test_the_split_never_changes() -> None:
    """A model that was published must not find its test scenes in a later training set."""
    fixed = [SceneSpec((Subject(kind, "red"),), environment=place) for kind in SUBJECTS for place in ENVIRONMENTS]
    bits = "".join(str(int(sampling.is_held_out(spec))) for spec in fixed)
    assert bits == SPLIT


SPLIT = (
    "0000000000000000000000000010000000100000010001000000000000000000000000000100000000010000000000100010"
    "0100000000000000000000000000000000000000000000000000010000000000100000000000000000000000010001010000"
    "00000100000000000000001001000000000100001000000000"
)


def test_every_scene_is_possible() -> None:
    for spec in SPECS:
        for subject in spec.subjects:
            assert subject.action in ALLOWED_ACTIONS[subject.kind]
            assert subject.action != "swim" or spec.environment in ("beach", "underwater")
        if spec.environment == "underwater":
            assert all(
                subject.action != "fly" or "swim" not in ALLOWED_ACTIONS[subject.kind] for subject in spec.subjects
            )
        assert spec.weather == "clear" or spec.environment not in ("room", "moon", "underwater")
        assert spec.weather != "fireflies" or spec.time_of_day == "night"
        if spec.camera == "follow":
            assert all(subject.action in TRAVELLING for subject in spec.subjects)
        if spec.relation == "following":
            assert spec.subjects[0].action == spec.subjects[1].action


@pytest.mark.parametrize(
    ("share", "chance"),
    [
        (sum(len(spec.subjects) == 2 for spec in SPECS), sampling.TWO_SUBJECTS),
        (sum(spec.style != "toy" for spec in SPECS), sampling.OTHER_STYLE),
        (sum(spec.camera == "static" for spec in SPECS), sampling.STATIC_CAMERA),
        (sum(spec.subjects[0].pattern == "plain" for spec in SPECS), sampling.PLAIN_PATTERN),
        (sum(spec.subjects[0].size == "medium" for spec in SPECS), sampling.MEDIUM_SIZE),
    ],
)
def test_the_mix_is_as_stated(share: int, chance: float) -> None:
    assert share / len(SPECS) == pytest.approx(chance, abs=0.035)


def test_every_word_occurs_and_boats_and_fish_are_mostly_at_sea() -> None:
    assert {spec.subjects[0].kind for spec in SPECS} == set(SUBJECTS)
    many = [*SPECS, *(sampling.sample_spec(seed, max_subjects=1) for seed in range(20000))]
    assert {(s.subjects[0].kind, s.subjects[0].action) for s in many} == {
        (kind, action) for kind in SUBJECTS for action in ALLOWED_ACTIONS[kind]
    }
    for kind in SEAGOING:
        places = [spec.environment for spec in SPECS if spec.subjects[0].kind == kind]
        assert sum(place in WATER_ENVIRONMENTS for place in places) / len(places) > 0.5


def test_simple_scenes_are_simple() -> None:
    for seed in range(200):
        spec = sampling.sample_spec(seed, simple=True)
        (subject,) = spec.subjects
        assert (subject.pattern, subject.size, spec.weather, spec.camera, spec.style) == (
            "plain", "medium", "clear", "static", "toy",
        )  # fmt: skip


def test_max_subjects() -> None:
    assert all(len(sampling.sample_spec(seed, max_subjects=1).subjects) == 1 for seed in range(200))
