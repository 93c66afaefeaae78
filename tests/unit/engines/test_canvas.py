from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from daybreak.engines.canvas import lay_out
from daybreak.generation import Video
from daybreak.media.encode import encode_video
from daybreak.media.fit import UnreadableImage
from daybreak.shapes import VideoSpec
from daybreak.timeline import Pin

SPEC = VideoSpec(49, 64, 96)


@pytest.fixture
def image(tmp_path: Path) -> str:
    Image.new("RGB", (200, 100), (10, 200, 30)).save(tmp_path / "a.png")
    return str(tmp_path / "a.png")


@pytest.fixture
def clip(tmp_path: Path) -> str:
    """One second at 24 fps whose brightness is ten times the frame's number."""
    levels = np.arange(24, dtype=np.uint8)[:, None, None, None] * 10
    encode_video(Video(np.broadcast_to(levels, (24, 64, 96, 3)).copy(), 24.0), tmp_path / "a.mp4")
    return str(tmp_path / "a.mp4")


def held(strengths: np.ndarray) -> list[int]:
    """First and last held frame."""
    frames = np.flatnonzero(strengths)
    return [int(frames[0]), int(frames[-1])]


def test_without_pins_nothing_is_held() -> None:
    frames, strengths, _ = lay_out((), SPEC)
    assert frames.shape == (49, 64, 96, 3)
    assert not frames.any()
    assert not strengths.any()


def test_an_image_at_the_start_holds_the_first_frame_only(image: str) -> None:
    frames, strengths, _ = lay_out((Pin(image),), SPEC)
    assert held(strengths) == [0, 0]
    assert frames[0, 32, 48].tolist() == [10, 200, 30]
    assert not frames[1:].any()


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({"start": 1.0}, [24, 24]),
        ({"start": 0.0, "end": 0.5}, [0, 11]),
        ({"start": 2.04}, [48, 48]),
        ({"start": 0.5, "end": 2.0}, [12, 47]),
    ],
)
def test_an_image_s_first_and_last_frame_stand_for_their_latent_frames(
    image: str, span: dict[str, Any], expected: list[int]
) -> None:
    _, strengths, points = lay_out((Pin(image, **span),), SPEC)
    assert held(strengths) == expected
    assert held(points) == expected
    assert points.sum() == len(set(expected))


def test_a_clip_too_short_for_a_latent_frame_is_held_by_its_middle(clip: str) -> None:
    _, strengths, points = lay_out((Pin(clip, "video", start=1.0, end=1.2),), SPEC)
    assert held(strengths) == [24, 28]
    assert np.flatnonzero(points).tolist() == [26]


def test_a_video_is_held_as_long_as_it_lasts_from_where_it_is_told(clip: str) -> None:
    frames, strengths, _ = lay_out((Pin(clip, "video", media_start=0.5),), SPEC)
    assert held(strengths) == [0, 11]
    levels = frames[:12, 32, 48, 0].astype(int)
    assert np.abs(levels - (np.arange(12, 24) * 10)).max() <= 3


def test_a_video_at_another_rate_keeps_its_pace(clip: str) -> None:
    frames, strengths, _ = lay_out((Pin(clip, "video"),), VideoSpec(9, 64, 96, 12.0))
    assert strengths.tolist() == [1.0] * 9
    assert np.abs(frames[:9, 32, 48, 0].astype(int) - np.arange(0, 18, 2) * 10).max() <= 3


def test_a_strength_may_change_over_the_span(image: str) -> None:
    _, strengths, _ = lay_out((Pin(image, end=49 / 24, strength=1.0, strength_end=0.0),), SPEC)
    np.testing.assert_allclose(strengths, np.linspace(1, 0, 49), atol=1e-6)


def test_where_pins_overlap_the_stronger_one_is_seen(image: str, tmp_path: Path) -> None:
    Image.new("RGB", (96, 64), (250, 0, 0)).save(tmp_path / "b.png")
    falling = Pin(image, end=2.0, strength=1.0, strength_end=0.0)
    rising = Pin(str(tmp_path / "b.png"), end=2.0, strength=0.0, strength_end=1.0)
    frames, strengths, _ = lay_out((falling, rising), SPEC)
    assert frames[0, 0, 0].tolist() == [10, 200, 30]
    assert frames[47, 0, 0].tolist() == [250, 0, 0]
    assert strengths[:48].min() == pytest.approx(0.5, abs=0.02)


def test_media_that_cannot_be_used_is_refused(clip: str) -> None:
    with pytest.raises(UnreadableImage):
        lay_out((Pin("nowhere.png"),), SPEC)
    with pytest.raises(ValueError, match="nothing is left after 1 s"):
        lay_out((Pin(clip, "video", media_start=1.0),), SPEC)
