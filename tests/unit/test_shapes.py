from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.shapes import (
    LatentShape,
    VideoSpec,
    frames_for,
    latent_frames_for,
    native_frames,
    native_spec,
    nearest_bucket,
)

latent_shapes = st.builds(LatentShape, st.integers(1, 64), st.integers(1, 32), st.integers(2, 24), st.integers(2, 24))


@given(latent_shapes)
def test_latents_to_pixels_and_back_is_the_identity(shape: LatentShape) -> None:
    assert LatentShape.of(shape.pixels(), shape.channels) == shape


@given(st.integers(1, 2000))
def test_native_frames_is_the_smallest_8k_plus_1_that_is_enough(num_frames: int) -> None:
    native = native_frames(num_frames)
    assert native % 8 == 1
    assert 0 <= native - num_frames < 8


def test_the_training_clip_is_seven_latent_frames_of_28_tokens() -> None:
    shape = LatentShape.of(VideoSpec(49, 256, 448), 24)
    assert shape.as_tuple() == (24, 7, 8, 14)
    assert shape.num_tokens == 7 * 4 * 7


def test_a_still_image_is_one_latent_frame() -> None:
    assert latent_frames_for(1) == 1


def test_an_odd_number_of_cells_is_padded_to_whole_patches() -> None:
    assert LatentShape(1, 1, 3, 5).tokens_per_frame == 2 * 3


@pytest.mark.parametrize("num_frames", [0, -7, 2, 8, 48, 50])
def test_other_frame_counts_have_no_latent_shape(num_frames: int) -> None:
    with pytest.raises(ValueError, match=r"8k\+1"):
        latent_frames_for(num_frames)


@pytest.mark.parametrize(("width", "height"), [(450, 256), (448, 250)])
def test_sides_that_are_not_whole_cells_have_no_latent_shape(width: int, height: int) -> None:
    with pytest.raises(ValueError, match="multiples of 32"):
        LatentShape.of(VideoSpec(49, height, width), 24)


@pytest.mark.parametrize(
    ("size", "bucket"),
    [((1920, 1080), (448, 256)), ((720, 1280), (256, 448)), ((512, 512), (320, 320)), ((1024, 900), (320, 320))],
)
def test_the_nearest_bucket_has_the_nearest_aspect(size: tuple[int, int], bucket: tuple[int, int]) -> None:
    assert nearest_bucket(*size) == bucket


@given(st.integers(32, 1024), st.integers(32, 1024))
def test_turning_a_size_turns_its_bucket(width: int, height: int) -> None:
    assert nearest_bucket(height, width) == nearest_bucket(width, height)[::-1]


@given(st.floats(0.1, 120), st.sampled_from([12.0, 23.976, 24.0, 25.0, 30.0, 60.0]))
def test_the_native_clip_is_long_enough_to_half_a_frame_and_less_than_a_latent_frame_too_long(
    seconds: float, fps: float
) -> None:
    spec = VideoSpec(frames_for(seconds, fps), 256, 448, fps)
    native = native_spec(spec)
    assert native.num_frames % 8 == 1
    assert spec.seconds - 0.5 / 24 <= native.seconds < spec.seconds + 9 / 24


@pytest.mark.parametrize(("seconds", "fps", "frames"), [(2, 24, 48), (1, 23.976, 24), (0.01, 24, 1), (60, 24, 1440)])
def test_frames_for(seconds: float, fps: float, frames: int) -> None:
    assert frames_for(seconds, fps) == frames


@pytest.mark.parametrize("seconds", [0, -1, 120.1, 10_000, float("nan"), float("inf")])
def test_lengths_that_cannot_be_made_are_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds must be more than 0 and at most 120"):
        frames_for(seconds, 24)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((48, 256, 447), "width must be an even number"),
        ((48, 62, 448), "height must be an even number from 64"),
        ((48, 256, 4096), "width must be an even number from 64 to 2048"),
        ((0, 256, 448), "at least one frame"),
        ((48, 256, 448, 0.5), "fps must be from 1 to 120"),
        ((48, 256, 448, float("nan")), "fps must be from 1 to 120"),
        ((24 * 122, 64, 64), "122 seconds is too long"),
        ((24 * 60, 2048, 2048), "16.9 GiB of memory"),
    ],
)
def test_clips_that_cannot_be_made_are_refused(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VideoSpec(*arguments)  # type: ignore[arg-type]
