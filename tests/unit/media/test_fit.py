from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daybreak.generation import Video
from daybreak.media.fit import SizeMismatch, UnreadableImage, conform, cover, fit_image, load_image
from daybreak.shapes import VideoSpec
from daybreak.testing import make_clip, make_tone


def numbered(num_frames: int) -> np.ndarray:
    """Frames whose every pixel is the frame's number."""
    return np.broadcast_to(np.arange(num_frames, dtype=np.uint8)[:, None, None, None], (num_frames, 64, 64, 3))


def test_a_clip_that_fits_already_keeps_its_pixels() -> None:
    video = Video(make_clip(5, 64, 96), 24.0)
    assert conform(video, VideoSpec(5, 64, 96)).frames is video.frames


@given(st.integers(32, 200), st.integers(32, 200), st.integers(32, 100), st.integers(32, 100))
def test_the_result_has_exactly_the_size(source_width: int, source_height: int, width: int, height: int) -> None:
    frames = np.full((1, source_height, source_width, 3), 77, np.uint8)
    covered = cover(frames, width, height)
    assert covered.shape == (1, height, width, 3)
    assert (covered == 77).all()  # nothing but the source is seen, at the borders too


def test_a_wide_source_loses_its_sides_and_keeps_its_middle() -> None:
    frames = np.zeros((1, 64, 192, 3), np.uint8)
    frames[:, :, 64:128] = 255
    assert cover(frames, 64, 64).min() == 255


def test_longer_clips_are_cut_and_shorter_ones_hold_their_last_frame() -> None:
    video = Video(numbered(10), 24.0)
    assert conform(video, VideoSpec(4, 64, 64)).frames[:, 0, 0, 0].tolist() == [0, 1, 2, 3]
    assert conform(video, VideoSpec(12, 64, 64)).frames[:, 0, 0, 0].tolist() == [*range(10), 9, 9]


@pytest.mark.parametrize(("fps", "expected"), [(12.0, [0, 2, 4, 6]), (48.0, [0, 1, 1, 2]), (8.0, [0, 3, 6, 9])])
def test_another_frame_rate_takes_the_nearest_moments(fps: float, expected: list[int]) -> None:
    conformed = conform(Video(numbered(10), 24.0), VideoSpec(4, 64, 64, fps))
    assert conformed.frames[:, 0, 0, 0].tolist() == expected
    assert conformed.fps == fps


@pytest.mark.parametrize("seconds", [0.5, 1.0, 2.0])
def test_sound_becomes_as_long_as_the_pictures(seconds: float) -> None:
    tone = make_tone(1.0)
    audio = conform(Video(make_clip(24, 64, 64), 24.0, tone), VideoSpec(int(24 * seconds), 64, 64)).audio
    assert audio is not None
    assert audio.shape == (2, round(48_000 * seconds))
    kept = min(48_000, audio.shape[1])
    np.testing.assert_array_equal(audio[:, :kept], tone[:, :kept])
    assert not audio[:, kept:].any()


def test_an_image_is_opened_upright_and_on_white(tmp_path: Path) -> None:
    transparent = Image.new("RGBA", (80, 64), (255, 0, 0, 0))
    transparent.save(tmp_path / "clear.png")
    assert (load_image(tmp_path / "clear.png") == 255).all()

    picture = Image.new("RGB", (80, 64), "black")
    exif = picture.getexif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert load_image(tmp_path / "turned.jpg").shape == (80, 64, 3)
    assert load_image(tmp_path / "turned.jpg", 100, 70).shape == (70, 100, 3)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_every_kind_of_pixel_becomes_rgb(mode: str, tmp_path: Path) -> None:
    Image.new(mode, (64, 64)).save(tmp_path / ("a.tiff" if mode in {"CMYK", "I;16"} else "a.png"))
    path = next(tmp_path.glob("a.*"))
    assert load_image(path).shape == (64, 64, 3)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_an_unreadable_image_is_refused_with_what_to_do(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnreadableImage, match="cannot be read: use a PNG, JPEG or WebP file"):
        load_image(tmp_path / "a.png")


def test_a_truncated_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(make_clip(1, 200, 200)[0]).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UnreadableImage, match="cannot be read"):
        load_image(path)


def test_a_missing_image_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImage, match="does not exist"):
        load_image(tmp_path / "a.png")
    with pytest.raises(UnreadableImage, match="cannot be read"):
        load_image(tmp_path)


def test_an_image_of_too_many_pixels_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(UnreadableImage, match="too large: at most 1000 pixels"):
        load_image(tmp_path / "a.png")


def test_a_reference_of_the_right_size_is_taken_as_it_is(tmp_path: Path) -> None:
    picture = make_clip(1, 64, 96)[0]
    Image.fromarray(picture).save(tmp_path / "a.png")
    for fit in ("cover", "contain", "exact"):
        np.testing.assert_array_equal(fit_image(tmp_path / "a.png", 96, 64, fit), picture)  # type: ignore[arg-type]


def test_a_reference_of_another_size_is_refused_when_it_must_be_exact(tmp_path: Path) -> None:
    Image.new("RGB", (95, 64)).save(tmp_path / "a.png")
    with pytest.raises(SizeMismatch, match=r"^Inpaint image must match the requested width and height$"):
        fit_image(tmp_path / "a.png", 96, 64, "exact")


def test_all_of_a_reference_is_seen_when_it_is_contained(tmp_path: Path) -> None:
    """Red, with a white frame of 8 pixels that covering would cut off."""
    framed = np.full((128, 64, 3), 255, np.uint8)
    framed[8:-8, 8:-8] = (255, 0, 0)
    Image.fromarray(framed).save(tmp_path / "a.png")
    contained = fit_image(tmp_path / "a.png", 256, 128, "contain")
    assert contained.shape == (128, 256, 3)
    np.testing.assert_array_equal(contained[:, 96:160], framed)  # in the middle, as it is
    assert (contained[:, 70:96, 0] > 200).all()  # what is beside it is made of it, not black
    covered = fit_image(tmp_path / "a.png", 256, 128, "cover")
    assert (covered[:, 128] == (255, 0, 0)).all()


def test_an_unknown_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fit is one of cover, contain, exact, not 'stretch'"):
        fit_image(tmp_path / "a.png", 96, 64, "stretch")  # type: ignore[arg-type]
