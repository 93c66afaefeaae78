"""Labels are the scene's words; boxes are tight."""

import numpy as np

from daybreak.diorama.labels import boxes, labels, shares
from daybreak.diorama.scene import SceneSpec, Subject


def test_labels_of_one_subject() -> None:
    words = labels(SceneSpec((Subject("dog", "red", "striped", "large", "run"),), camera="follow"))
    assert words == {
        "subject": "dog", "colour": "red", "pattern": "striped", "size": "large", "action": "run",
        "environment": "meadow", "time_of_day": "noon", "weather": "clear", "camera": "follow", "style": "toy",
    }  # fmt: skip


def test_labels_of_two_subjects() -> None:
    words = labels(SceneSpec((Subject("dog", "red"), Subject("car", "blue", action="drive")), "left of"))
    assert (words["subject2"], words["colour2"], words["action2"], words["relation"]) == (
        "car", "blue", "drive", "left of",
    )  # fmt: skip


def test_boxes_are_tight_and_missing_subjects_are_minus_one() -> None:
    entities = np.zeros((2, 6, 8), np.uint8)
    entities[0, 1:4, 2:7] = 1
    entities[1, 5, 0] = 2
    assert boxes(entities).tolist() == [[[2, 1, 7, 4], [-1] * 4], [[-1] * 4, [0, 5, 1, 6]]]


def test_shares() -> None:
    entities = np.zeros((1, 4, 4), np.uint8)
    entities[0, :2] = 1
    entities[0, 3, 0] = 2
    assert shares(entities).tolist() == [[0.5, 1 / 16]]
