from __future__ import annotations

import json
from dataclasses import replace

import pytest

from daybreak.catalog import PACKAGED_WEIGHTS
from daybreak.diorama import scene
from daybreak.diorama.labels import labels
from daybreak.diorama.narrowing import NEAREST, Words, first_known, knows, narrowed
from daybreak.diorama.sampling import allowed_actions, allowed_weathers, is_held_out, sample_spec
from daybreak.diorama.scene import SceneSpec, Subject
from daybreak.train.text import VALUES

DAWN: Words = json.loads((PACKAGED_WEIGHTS / "dawn" / "model.json").read_text())["words"]


def test_a_scene_that_all_words_are_known_of_stays_as_it_is() -> None:
    spec = SceneSpec((Subject("dog", "brown", action="run"),), environment="meadow", time_of_day="sunset")
    assert narrowed(spec, DAWN) == (spec, ())
    assert knows(DAWN, labels(spec))


def test_what_is_not_known_gives_way_to_what_comes_nearest_and_that_is_said() -> None:
    fox = Subject("fox", "grey", "patched", action="approach")
    spec = SceneSpec((fox,), environment="city", weather="storm", camera="handheld", style="cel")
    assert not knows(DAWN, labels(spec))
    found, bent = narrowed(spec, DAWN)
    assert found == SceneSpec((Subject("dog", "white", "spotted", action="walk"),), environment="town", weather="rain")
    assert bent == (
        "city (shown: town)", "fox (shown: dog)", "approach (shown: walk)", "grey (shown: white)",
        "patched (shown: spotted)", "storm (shown: rain)", "handheld (shown: static)", "cel (shown: toy)",
    )  # fmt: skip


def test_the_nearest_action_is_one_that_the_nearest_kind_can_do() -> None:
    swimming = SceneSpec((Subject("fish", "orange", action="swim"),), environment="underwater")
    assert narrowed(swimming, DAWN)[0] == replace(
        swimming, subjects=(Subject("penguin", "orange", action="swim"),), environment="beach"
    )
    sliding = SceneSpec((Subject("truck", "red", action="slide"),), environment="town")
    assert narrowed(sliding, DAWN)[0].subjects == (Subject("car", "red", action="drive"),)


@pytest.mark.parametrize("seed", range(0, 3_000, 10))
def test_any_scene_becomes_one_that_the_model_knows_and_the_world_can_show(seed: int) -> None:
    found, _ = narrowed(sample_spec(seed), DAWN)
    assert knows(DAWN, labels(found))
    for subject in found.subjects:
        assert subject.action in allowed_actions(subject.kind, found.environment)
    assert found.weather in allowed_weathers(found.environment, found.time_of_day)
    assert narrowed(found, DAWN) == (found, ())


def test_every_word_that_the_shipped_model_does_not_know_has_a_nearest_one() -> None:
    for attribute, known in DAWN.items():
        unknown = set(VALUES[attribute]) - set(known)
        assert unknown <= set(NEAREST.get(attribute, {}))
        assert set(known) <= set(VALUES[attribute])


def test_nearest_words_are_the_worlds() -> None:
    for attribute, rows in NEAREST.items():
        for word, nearest in rows.items():
            assert {word, *nearest} <= set(VALUES[attribute])
    assert VALUES["subject"] == scene.SUBJECTS


def test_scenes_for_a_model_are_those_that_its_words_can_say() -> None:
    specs = [first_known(seed, DAWN) for seed in range(40)]
    assert all(knows(DAWN, labels(spec)) and not is_held_out(spec) for spec in specs)
    assert len({spec.seed for spec in specs}) == 40
    assert [first_known(seed, None) for seed in range(5)] == [sample_spec(seed) for seed in range(5)]
    alone = [first_known(seed, DAWN, held_out=True, max_subjects=1) for seed in range(10)]
    assert all(len(spec.subjects) == 1 and is_held_out(spec) and knows(DAWN, labels(spec)) for spec in alone)
