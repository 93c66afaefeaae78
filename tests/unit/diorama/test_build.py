"""What is built is repeatable, and what is seen is large enough and not hidden."""

import numpy as np
import pytest

from daybreak.diorama.build import build_stage
from daybreak.diorama.labels import boxes, shares
from daybreak.diorama.primitives import ENTITY, Y
from daybreak.diorama.render import render_frames
from daybreak.diorama.sampling import sample_spec
from daybreak.diorama.scene import CAMERAS, ENVIRONMENTS, RELATIONS, SUBJECTS, SceneSpec, Subject


def test_the_same_scene_gives_the_same_arrays() -> None:
    spec = sample_spec(7)
    first, again = build_stage(spec), build_stage(spec)
    assert (first.prims == again.prims).all()
    assert (first.cameras == again.cameras).all()
    assert not np.array_equal(build_stage(sample_spec(8)).cameras, first.cameras)


@pytest.mark.parametrize("seed", range(40))
def test_stages_are_finite_and_small(seed: int) -> None:
    stage = build_stage(sample_spec(seed), num_frames=9)
    assert np.isfinite(stage.prims).all()
    assert np.isfinite(stage.cameras).all()
    assert stage.prims.shape[1] <= 90


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("seed", range(4))
def test_the_set_never_stands_in_front_of_the_subject(environment: str, seed: int) -> None:
    stage = build_stage(SceneSpec((Subject("cat", "red"),), environment=environment, seed=seed), num_frames=2)
    props = stage.prims[0][stage.prims[0, :, ENTITY] == 0]
    assert (props[:, Y] > 0).all()


def test_a_medium_subject_fills_about_half_of_the_height() -> None:
    for kind in SUBJECTS:
        stage = build_stage(SceneSpec((Subject(kind, "red"),), seed=3))
        entities = render_frames(stage, 64, 112, frames=[0, 24])[1]
        box = boxes(entities)[:, 0]
        height, width = (box[:, 3] - box[:, 1]).max() / 64, (box[:, 2] - box[:, 0]).max() / 112
        assert 0.38 < height < 0.68
        assert width < 0.62
        assert shares(entities)[:, 0].min() > 0.04


@pytest.mark.parametrize("seed", range(200, 212))
def test_a_single_subject_is_seen_entirely(seed: int) -> None:
    stage = build_stage(sample_spec(seed, max_subjects=1))
    entities = render_frames(stage, 64, 112, frames=[0, 24, 48])[1]
    box = boxes(entities)[:, 0]
    assert (box[:, :2] > 0).all()
    assert (box[:, 2] < 112).all()
    assert (box[:, 3] < 64).all()
    assert shares(entities)[:, 0].min() > 0.012


@pytest.mark.parametrize("relation", RELATIONS)
def test_both_subjects_of_a_pair_are_seen(relation: str) -> None:
    action = "walk" if relation == "following" else "stand"
    subjects = (Subject("rabbit", "red", action=action), Subject("elephant", "blue", action=action))
    entities = render_frames(build_stage(SceneSpec(subjects, relation, seed=2)), 64, 112, frames=[0, 48])[1]
    assert (shares(entities) > 0.012).all()


@pytest.mark.parametrize("camera", CAMERAS)
def test_one_frame_can_be_built(camera: str) -> None:
    action = "run" if camera == "follow" else "stand"
    stage = build_stage(SceneSpec((Subject("dog", "red", action=action),), camera=camera), num_frames=1)
    assert np.isfinite(stage.prims).all()
    assert np.isfinite(stage.cameras).all()


def test_a_swimmer_is_surrounded_by_water() -> None:
    swims = build_stage(SceneSpec((Subject("dog", "red", action="swim"),), environment="beach"))
    stands = build_stage(SceneSpec((Subject("dog", "red"),), environment="beach"))
    assert swims.atmosphere.shore is not None
    assert swims.atmosphere.shore < -1
    assert stands.atmosphere.shore is not None
    assert stands.atmosphere.shore > 1
