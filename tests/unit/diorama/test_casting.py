"""Subjects stay in the frame and where their relation puts them."""

import numpy as np
import pytest

from daybreak.diorama.cameras import project
from daybreak.diorama.casting import cast_subjects, compose
from daybreak.diorama.rig import lowest
from daybreak.diorama.sampling import sample_spec
from daybreak.diorama.scene import RELATIONS, SceneSpec, Subject

ASPECTS = (448 / 256, 1.0, 256 / 448)


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("seed", range(100, 130))
def test_subjects_stay_in_the_frame(seed: int, aspect: float) -> None:
    scene = compose(sample_spec(seed), 49, 24.0, aspect)
    assert np.abs(project(scene.prims, scene.cameras, aspect)).max() < 0.97


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("kinds", [("rabbit", "elephant"), ("car", "robot"), ("bird", "dog")])
def test_relations_hold_in_every_frame(relation: str, kinds: tuple[str, str]) -> None:
    moving = {"car": "drive", "bird": "walk"}
    actions = ["stand", "stand"]
    if relation == "following":
        actions = [moving.get(kind, "walk") for kind in kinds]
    if relation == "above":
        actions[0] = "stand" if kinds[0] == "car" else "fly"
    subjects = tuple(Subject(kind, "red", action=action) for kind, action in zip(kinds, actions, strict=True))
    scene = compose(SceneSpec(subjects, relation, seed=5), 49, 24.0, 1.75)
    first, second = (cast.motion.position for cast in scene.casts)
    if relation == "following":
        ahead = (second - first)[:, 0] * np.sign(np.cos(scene.casts[0].motion.heading))
        assert (ahead > 0.8).all()
    else:
        gap = {
            "left of": second[:, 0] - first[:, 0],
            "right of": first[:, 0] - second[:, 0],
            "in front of": second[:, 1] - first[:, 1],
            "behind": first[:, 1] - second[:, 1],
            "above": first[:, 2] - second[:, 2],
        }[relation]
        assert (gap > 0.8).all()


def test_a_run_crosses_more_of_the_frame_than_a_walk() -> None:
    paths = []
    for action in ("walk", "run"):
        spec = SceneSpec((Subject("dog", "red", action=action),), seed=4)
        path = cast_subjects(spec, 49, 24.0, 1.75)[0].motion.position
        paths.append(abs(path[-1, 0] - path[0, 0]))
    assert paths[1] > 1.8 * paths[0]


def test_a_following_camera_lets_the_subject_go_further() -> None:
    reach = [
        cast_subjects(SceneSpec((Subject("dog", "red", action="run"),), camera=camera), 49, 24.0, 1.75)[
            0
        ].situation.travel
        for camera in ("static", "follow")
    ]
    assert reach[1] > 1.4 * reach[0]


def test_what_stands_sleeps_or_rolls_touches_the_ground() -> None:
    for kind in ("dog", "elephant", "penguin"):
        for action in ("stand", "sleep", "roll"):
            scene = compose(SceneSpec((Subject(kind, "red", action=action),)), 25, 12.0, 1.75)
            np.testing.assert_allclose(lowest(scene.prims), 0, atol=0.03)
