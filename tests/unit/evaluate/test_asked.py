"""What an evaluation asks for."""

from __future__ import annotations

from daybreak.diorama.captions import facts
from daybreak.diorama.sampling import is_held_out
from daybreak.evaluate.asked import caption_scene, grammar_captions, hand_written_captions
from daybreak.evaluate.probes import ATTRIBUTES, CLASSES, SCENE_ATTRIBUTES
from daybreak.evaluate.prompts import HAND_WRITTEN


def test_scenes_have_one_subject_and_were_kept_from_training() -> None:
    specs = [caption_scene(index) for index in range(50)]
    assert all(len(spec.subjects) == 1 and is_held_out(spec) for spec in specs)
    assert len({spec.subjects[0].kind for spec in specs}) > 8


def test_a_caption_asks_for_true_attributes_only() -> None:
    asked = grammar_captions(40)
    for index, one in enumerate(asked):
        assert one.labels.items() <= facts(caption_scene(index)).items()
        assert "subject" in one.labels
        assert one.seed == index
    assert any(set(one.labels) < set(ATTRIBUTES) for one in asked), "what is not mentioned does not count"


def test_more_captions_begin_with_the_same_ones() -> None:
    assert grammar_captions(8)[:3] == grammar_captions(3)


def test_sentences_ask_for_words_that_the_probes_know() -> None:
    asked = hand_written_captions(10_000)
    assert len(asked) >= 60
    for one in asked:
        assert one.labels
        assert all(word in CLASSES[name] for name, word in one.labels.items())


def test_of_two_subjects_only_the_scene_counts() -> None:
    labels = {one.prompt: one.labels for one in hand_written_captions(10_000)}
    pairs = [row for row in HAND_WRITTEN if "subject2" in row.labels and row.text in labels]
    assert pairs
    for row in pairs:
        assert set(labels[row.text]) <= set(SCENE_ATTRIBUTES)


def test_styles_without_colour_are_not_asked_for_colours() -> None:
    labels = {one.prompt: one.labels for one in hand_written_captions(10_000)}
    grey = [row for row in HAND_WRITTEN if row.labels.get("style") in ("noir", "sepia") and row.text in labels]
    assert grey
    assert not any({"colour", "time_of_day"} & set(labels[row.text]) for row in grey)
