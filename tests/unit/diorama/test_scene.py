"""The vocabulary is as wide as promised, and a scene that says something unknown is refused by name."""

import dataclasses
from typing import Any

import pytest

from daybreak.diorama import scene
from daybreak.diorama.scene import SceneSpec, Subject

DOG = Subject("dog", "brown", action="run")
CAT = Subject("cat", "black", "striped", "small", "sleep")
LISTS = {
    "SUBJECTS": 25,
    "COLOURS": 12,
    "PATTERNS": 5,
    "SIZES": 3,
    "ACTIONS": 10,
    "RELATIONS": 6,
    "ENVIRONMENTS": 10,
    "TIMES_OF_DAY": 5,
    "WEATHERS": 6,
    "CAMERAS": 10,
}


@pytest.mark.parametrize("name", LISTS)
def test_each_list_has_the_promised_length_and_no_word_twice(name: str) -> None:
    words = getattr(scene, name)
    assert len(words) >= LISTS[name]
    assert len(set(words)) == len(words)


def test_every_subject_has_actions_and_only_known_ones() -> None:
    assert set(scene.ALLOWED_ACTIONS) == set(scene.SUBJECTS)
    for actions in scene.ALLOWED_ACTIONS.values():
        assert "stand" in actions
        assert set(actions) <= set(scene.ACTIONS)
        assert len(set(actions)) == len(actions)
    assert {action for actions in scene.ALLOWED_ACTIONS.values() for action in actions} == set(scene.ACTIONS)


def test_named_groups_are_parts_of_their_lists() -> None:
    assert set(scene.ANIMALS) < set(scene.SUBJECTS)
    groups = (
        scene.WATER_ENVIRONMENTS,
        scene.INDOOR_ENVIRONMENTS,
        scene.AIRLESS_ENVIRONMENTS,
        scene.SUBMERGED_ENVIRONMENTS,
    )
    for group in groups:
        assert set(group) < set(scene.ENVIRONMENTS)


def test_a_scene_is_a_frozen_value() -> None:
    first = SceneSpec((DOG,), environment="beach", seed=4)
    assert first == SceneSpec((DOG,), environment="beach", seed=4)
    assert hash(first) == hash(SceneSpec((DOG,), environment="beach", seed=4))
    assert first != dataclasses.replace(first, seed=5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.seed = 5  # type: ignore[misc]


@pytest.mark.parametrize("relation", scene.RELATIONS)
def test_two_subjects_stand_in_any_relation(relation: str) -> None:
    assert SceneSpec((DOG, CAT), relation=relation).relation == relation


@pytest.mark.parametrize("subjects", [(), (DOG, CAT, DOG)])
def test_a_scene_has_one_or_two_subjects(subjects: tuple[Subject, ...]) -> None:
    with pytest.raises(ValueError, match=f"one or two subjects, not {len(subjects)}"):
        SceneSpec(subjects, relation="behind" if len(subjects) > 1 else None)


def test_a_relation_goes_with_two_subjects_and_with_them_only() -> None:
    with pytest.raises(ValueError, match=r"1 subject\(s\) with relation 'behind'"):
        SceneSpec((DOG,), relation="behind")
    with pytest.raises(ValueError, match=r"2 subject\(s\) with relation None"):
        SceneSpec((DOG, CAT))


@pytest.mark.parametrize("field", ["environment", "time_of_day", "weather", "camera", "style"])
def test_an_unknown_word_of_the_scene_is_named_with_the_known_ones(field: str) -> None:
    known = getattr(SceneSpec((DOG,)), field)
    wrong: dict[str, Any] = {field: "volcano"}
    with pytest.raises(ValueError, match=rf"^{field} 'volcano' is not one of .*\b{known}\b"):
        SceneSpec((DOG,), **wrong)


@pytest.mark.parametrize("field", ["kind", "colour", "pattern", "size", "action"])
@pytest.mark.parametrize("place", [0, 1])
def test_an_unknown_word_of_either_subject_is_named(field: str, place: int) -> None:
    subjects = [DOG, CAT]
    subjects[place] = dataclasses.replace(subjects[place], **{field: "volcano"})
    name = "subject" if field == "kind" else field
    with pytest.raises(ValueError, match=f"^{name} 'volcano' is not one of "):
        SceneSpec(tuple(subjects), relation="left of")


def test_an_unknown_relation_is_named() -> None:
    with pytest.raises(ValueError, match="relation 'inside' is not one of left of"):
        SceneSpec((DOG, CAT), relation="inside")
