from __future__ import annotations

import itertools
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from daybreak.diorama.light import make_atmosphere
from daybreak.diorama.primitives import BOX, CHECKS, CONE, CYLINDER, DOTS, ELLIPSOID, IDENTITY, STRIPES, Parts, rotate_z
from daybreak.diorama.render import Stage, render_frames
from daybreak.diorama.scene import ENVIRONMENTS, STYLES, TIMES_OF_DAY, WEATHERS

HEIGHT, WIDTH = 64, 112
TANGENT = 0.4


def camera(origin: tuple[float, float, float] = (0.0, -4.0, 1.3), yaw: float = 0.0) -> np.ndarray:
    right, forward = (math.cos(yaw), math.sin(yaw), 0), (-math.sin(yaw), math.cos(yaw), 0)
    return np.array((*origin, *right, 0, 0, 1, *forward, TANGENT), np.float32)


def make_stage(
    environment: str = "meadow",
    time_of_day: str = "noon",
    weather: str = "clear",
    style: str = "toy",
    seed: int = 5,
    frames: int = 3,
) -> Stage:
    parts = Parts(frames)
    parts.add(CYLINDER, (-1.2, 2.0, 0.5), IDENTITY, (0.15, 0.15, 0.5), (0.4, 0.3, 0.2))
    parts.add(CONE, (-1.2, 2.0, 1.5), IDENTITY, (0.6, 0.6, 0.6), (0.1, 0.5, 0.2))
    parts.entity = 1
    parts.add(ELLIPSOID, (-0.4, 0, 0.8), rotate_z(0.3), (0.6, 0.3, 0.4), (0.8, 0.2, 0.1), pattern=STRIPES)
    parts.add(ELLIPSOID, (0.2, -0.1, 1.1), IDENTITY, (0.3, 0.3, 0.3), (0.8, 0.2, 0.1), pattern=DOTS)
    parts.entity = 2
    parts.add(BOX, (1.2, 0.4, 0.5), rotate_z(0.6), (0.4, 0.5, 0.5), (0.1, 0.2, 0.8), pattern=CHECKS)
    cameras = np.stack([camera(yaw=0.05 * frame) for frame in range(frames)])
    air = make_atmosphere(environment, time_of_day, weather, np.random.default_rng(seed), frames, 24.0)
    return Stage(parts.stack(), cameras, air, style)


def lone_sphere(centre: tuple[float, float, float], radius: float, entity: int) -> Stage:
    parts = Parts(1, entity)
    parts.add(ELLIPSOID, centre, IDENTITY, (radius, radius, radius), (1, 0, 0))
    air = make_atmosphere("meadow", "noon", "clear", np.random.default_rng(0), 1, 24.0)
    return Stage(parts.stack(), camera((0, -4, 1.3))[None], air)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_window_is_bit_for_bit_the_crop_of_the_whole(environment: str, style: str) -> None:
    for weather, window in (("snow", (3, 41, 17, 90)), ("rain", (0, 64, 55, 56)), ("fog", (31, 64, 0, 112))):
        stage = make_stage(environment, "sunset", weather, style)
        frames, entities = render_frames(stage, HEIGHT, WIDTH, [1])
        part, part_entities = render_frames(stage, HEIGHT, WIDTH, [1], window)
        top, bottom, left, right = window
        np.testing.assert_array_equal(part, frames[:, top:bottom, left:right])
        np.testing.assert_array_equal(part_entities, entities[:, top:bottom, left:right])


def test_the_same_stage_gives_the_same_bits_alone_or_beside_other_threads() -> None:
    stage = make_stage("beach", "dawn", "snow")
    first = render_frames(stage, HEIGHT, WIDTH)
    with ThreadPoolExecutor(2) as pool:
        others = list(pool.map(lambda frame: render_frames(stage, HEIGHT, WIDTH, [frame]), range(3)))
    for index, other in enumerate(others):
        np.testing.assert_array_equal(other[0][0], first[0][index])
        np.testing.assert_array_equal(other[1][0], first[1][index])


def test_frames_are_drawn_in_the_order_asked_for() -> None:
    stage = make_stage()
    frames, _ = render_frames(stage, HEIGHT, WIDTH)
    backwards, _ = render_frames(stage, HEIGHT, WIDTH, [2, 0])
    np.testing.assert_array_equal(backwards, frames[[2, 0]])
    assert not np.array_equal(frames[0], frames[2])


@pytest.mark.parametrize("entity", [1, 2])
@pytest.mark.parametrize("centre", [(0.0, 0.0, 1.3), (0.7, 1.0, 1.0), (-1.0, 2.0, 2.0)])
def test_a_lone_sphere_covers_the_ellipse_that_geometry_says(centre: tuple[float, float, float], entity: int) -> None:
    height, width, radius = 128, 224, 0.5
    _, entities = render_frames(lone_sphere(centre, radius, entity), height, width)
    assert set(np.unique(entities)) == {0, entity}
    rows, columns = np.nonzero(entities[0])
    # The sphere's outline is the cone of rays at the angle asin(r / d) off its centre. The plane at unit depth cuts it
    # in an ellipse; with the centre at (x, z, depth), both axes follow from depth^2 - r^2.
    x, depth, z = centre[0], centre[1] + 4, centre[2] - 1.3
    scale = height / (2 * TANGENT)
    free = depth * depth - radius * radius
    area = math.pi * radius**2 * math.sqrt(x * x + z * z + free) / free**1.5 * scale**2
    assert len(rows) == pytest.approx(area, rel=0.03)
    assert columns.mean() + 0.5 == pytest.approx(width / 2 + scale * x * depth / free, abs=0.3)
    assert rows.mean() + 0.5 == pytest.approx(height / 2 - scale * z * depth / free, abs=0.3)


def test_an_entity_behind_another_is_not_marked() -> None:
    parts = Parts(1)
    for entity, y in ((1, 2.0), (2, 0.0)):
        parts.entity = entity
        parts.add(ELLIPSOID, (0, y, 1.3), IDENTITY, (0.4, 0.4, 0.4), (1, 0, 0))
    stage = replace(make_stage(frames=1), prims=parts.stack())
    assert set(np.unique(render_frames(stage, HEIGHT, WIDTH)[1])) == {0, 2}


def test_every_environment_and_time_of_day_looks_different() -> None:
    pictures = {
        words: render_frames(make_stage(*words, frames=1), 32, 56)[0][0].astype(float)
        for words in itertools.product(ENVIRONMENTS, TIMES_OF_DAY)
    }
    for (words, picture), (others, other) in itertools.combinations(pictures.items(), 2):
        assert np.abs(picture - other).mean() > 6, (words, others)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_weathers_look_different_and_rest_inside_the_frame(environment: str) -> None:
    clear = render_frames(make_stage(environment, frames=1), HEIGHT, WIDTH)[0][0].astype(float)
    for weather in WEATHERS[1:]:
        other = render_frames(make_stage(environment, weather=weather, frames=1), HEIGHT, WIDTH)[0][0]
        assert np.abs(other - clear).mean() > 0.5, weather


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_red_subject_stays_red_at_every_time_of_day(environment: str) -> None:
    for time_of_day in TIMES_OF_DAY:
        stage = make_stage(environment, time_of_day, frames=1)
        frames, entities = render_frames(stage, HEIGHT, WIDTH)
        red, green, blue = frames[entities == 1].mean(0)
        assert red > 60, (environment, time_of_day)
        assert red > 1.1 * max(green, blue), (environment, time_of_day)


def test_a_shadow_darkens_the_ground_and_a_primitive_without_one_does_not() -> None:
    bare = make_stage("desert", frames=1)
    parts = Parts(1)
    parts.add(BOX, (0, 1, 2.4), IDENTITY, (1.5, 1.5, 0.1), (1, 1, 1))
    with_shadow = replace(bare, prims=parts.stack())
    parts = Parts(1)
    parts.add(BOX, (0, 1, 2.4), IDENTITY, (1.5, 1.5, 0.1), (1, 1, 1), no_shadow=1)
    without = replace(bare, prims=parts.stack())
    low = (HEIGHT * 3 // 5, HEIGHT, 0, WIDTH)
    dark, bright = (
        render_frames(stage, HEIGHT, WIDTH, window=low)[0].astype(float) for stage in (with_shadow, without)
    )
    assert dark.mean() < bright.mean() - 3
    assert (dark <= bright).all()


def test_a_stage_refuses_arrays_that_do_not_fit() -> None:
    stage = make_stage()
    with pytest.raises(ValueError, match=r"prims .* for 2 frames"):
        replace(stage, cameras=stage.cameras[:2])
    with pytest.raises(ValueError, match="cameras"):
        replace(stage, cameras=stage.cameras[:, :12])
    with pytest.raises(ValueError, match="atmosphere of 3 frames"):
        replace(stage, prims=stage.prims[:2], cameras=stage.cameras[:2])


@pytest.mark.parametrize("window", [(0, 65, 0, 10), (5, 5, 0, 10), (0, 10, -1, 10), (0, 10, 20, 10)])
def test_a_window_outside_the_picture_is_refused(window: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="window"):
        render_frames(make_stage(), HEIGHT, WIDTH, window=window)
