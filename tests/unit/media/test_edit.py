from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from daybreak.generation import Audio, Video
from daybreak.media.edit import FADE_FRAMES, PinnedSpan, paste_pinned, resample, stitch, trim
from daybreak.media.encode import encode_video
from daybreak.media.fit import conform
from daybreak.media.probe import decode_video
from daybreak.shapes import VideoSpec
from daybreak.testing import make_clip, make_tone

RATE = 48_000


def grey(value: int, num_frames: int = 24, audio: Audio | None = None) -> Video:
    return Video(np.full((num_frames, 64, 96, 3), value, np.uint8), 24.0, audio)


def noise(num_frames: int, seed: int = 0, height: int = 64, width: int = 96) -> Video:
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (num_frames, height, width, 3), dtype=np.uint8)
    return Video(frames, 24.0, rng.uniform(-1, 1, (2, num_frames * 2000)).astype(np.float32))


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (0.5, 1.5), (1.0, 2.0), (0.0, 2.0)])
def test_a_spans_frames_are_the_sources_own(start: float, end: float) -> None:
    clip, source = noise(48), noise(24 if end - start == 1 else 48, seed=1)
    pasted = paste_pinned(clip, [PinnedSpan(source, start, end)])
    first, last = round(start * 24), round(end * 24)
    np.testing.assert_array_equal(pasted.frames[first:last], source.frames)
    far = np.r_[0 : max(0, first - FADE_FRAMES), min(48, last + FADE_FRAMES) : 48]
    np.testing.assert_array_equal(pasted.frames[far], clip.frames[far])


def test_the_clip_that_was_given_is_not_changed() -> None:
    clip = grey(0)
    paste_pinned(clip, [PinnedSpan(grey(255), 0.0, 0.5)])
    assert not clip.frames.any()


def test_free_frames_grow_out_of_the_border_on_both_sides() -> None:
    pasted = paste_pinned(grey(0, 30), [PinnedSpan(grey(200, 10), 10 / 24, 20 / 24)])
    assert pasted.frames[:, 0, 0, 0].tolist() == [*[0] * 7, 50, 100, 150, *[200] * 10, 150, 100, 50, *[0] * 7]


def test_two_spans_with_nothing_free_between_meet_in_a_cut() -> None:
    spans = [PinnedSpan(grey(50, 12), 0.0, 0.5), PinnedSpan(grey(200, 12), 0.5, 1.0)]
    assert paste_pinned(grey(0), spans).frames[:, 0, 0, 0].tolist() == [50] * 12 + [200] * 12


def test_where_spans_overlap_the_later_in_the_list_is_seen() -> None:
    spans = [PinnedSpan(grey(50), 0.0, 1.0), PinnedSpan(grey(200, 12), 0.25, 0.75)]
    assert paste_pinned(grey(0), spans).frames[:, 0, 0, 0].tolist() == [50] * 6 + [200] * 12 + [50] * 6


def test_a_span_ends_with_its_source() -> None:
    pasted = paste_pinned(grey(0), [PinnedSpan(grey(200, 6), 0.0, 1.0)])
    assert pasted.frames[:, 0, 0, 0].tolist() == [200] * 6 + [150, 100, 50] + [0] * 15


def test_a_source_of_another_size_and_rate_is_made_to_fit() -> None:
    source = replace(noise(12, height=32, width=48), fps=12.0)
    pasted = paste_pinned(grey(0), [PinnedSpan(source, 0.0, 1.0)])
    expected = conform(source, VideoSpec(24, 64, 96, 24.0)).frames
    np.testing.assert_array_equal(pasted.frames, expected)


def test_the_sources_sound_is_heard_in_its_span_and_the_clips_outside() -> None:
    clip, source = noise(48), noise(24, seed=1)
    pasted = paste_pinned(clip, [PinnedSpan(source, 0.5, 1.5)])
    assert pasted.audio is not None
    assert clip.audio is not None
    assert source.audio is not None
    fade = 960
    begin, end = RATE // 2, 3 * RATE // 2
    np.testing.assert_array_equal(pasted.audio[:, :begin], clip.audio[:, :begin])
    np.testing.assert_array_equal(pasted.audio[:, end:], clip.audio[:, end:])
    inside = slice(begin + fade, end - fade)
    np.testing.assert_array_equal(pasted.audio[:, inside], source.audio[:, fade : RATE - fade])


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 2.0)])
def test_sound_does_not_click_at_a_border(start: float, end: float) -> None:
    """Constant sound of opposite signs: the step of 2 is spread over the fade."""
    clip = grey(0, 48, np.full((2, 2 * RATE), -1, np.float32))
    pasted = paste_pinned(clip, [PinnedSpan(grey(1, 24, np.ones((2, RATE), np.float32)), start, end)])
    assert pasted.audio is not None
    assert np.abs(np.diff(pasted.audio)).max() < 0.005
    assert pasted.audio[0, 0 if start == 0 else -1] == 1  # no fade where the clip itself begins or ends


def test_a_clip_without_sound_is_silent_outside_the_span() -> None:
    pasted = paste_pinned(grey(0, 48), [PinnedSpan(grey(1, 24, make_tone(1.0)), 0.0, 1.0)])
    assert pasted.audio is not None
    assert pasted.audio.shape == (2, 2 * RATE)
    assert not pasted.audio[:, RATE:].any()
    np.testing.assert_array_equal(pasted.audio[:, : RATE - 960], make_tone(1.0)[:, : RATE - 960])


def test_a_source_without_sound_leaves_the_clips() -> None:
    clip = grey(0, 24, make_tone(1.0))
    assert paste_pinned(clip, [PinnedSpan(grey(1), 0.0, 0.5)]).audio is clip.audio


def test_sound_of_another_rate_keeps_its_pitch() -> None:
    resampled = resample(make_tone(1.0, 44_100), 44_100, RATE)
    assert resampled.shape == (2, RATE)
    assert np.abs(np.fft.rfft(resampled[0])).argmax() == 440


@pytest.mark.parametrize(("start", "end"), [(-0.1, 0.5), (1.0, 1.5), (0.5, 1.1), (0.5, 0.5), (0.5, 0.4)])
def test_a_span_outside_the_clip_is_refused(start: float, end: float) -> None:
    with pytest.raises(ValueError, match="is not within 1 s"):
        paste_pinned(grey(0), [PinnedSpan(grey(1), start, end)])


def test_what_is_trimmed_is_a_piece_of_the_clip() -> None:
    clip = noise(48)
    piece = trim(clip, 0.5, 1.0)
    np.testing.assert_array_equal(piece.frames, clip.frames[12:24])
    assert piece.audio is not None
    assert clip.audio is not None
    np.testing.assert_array_equal(piece.audio, clip.audio[:, 24_000:48_000])
    assert trim(clip, 1.5).num_frames == 12
    assert trim(clip, 0.0, 0.001).num_frames == 1
    for outside in ((2.0, None), (-1.0, 1.0), (0.0, 2.1), (1.0, 0.5)):
        with pytest.raises(ValueError, match="is not within 2 s"):
            trim(clip, *outside)


def test_pieces_joined_again_are_the_clip() -> None:
    clip = noise(48)
    joined = stitch([trim(clip, 0.0, 0.75), trim(clip, 0.75, 1.5), trim(clip, 1.5)])
    np.testing.assert_array_equal(joined.frames, clip.frames)
    assert joined.audio is not None
    assert clip.audio is not None
    np.testing.assert_array_equal(joined.audio, clip.audio)


def test_joining_fits_later_clips_to_the_first_and_keeps_silence_silent() -> None:
    later = Video(make_clip(12, 32, 48), 12.0, make_tone(1.0, 44_100), 44_100)
    joined = stitch([grey(7), later, grey(9, 12)])
    assert (joined.num_frames, joined.height, joined.width, joined.fps) == (60, 64, 96, 24.0)
    assert joined.audio is not None
    assert joined.sample_rate == 44_100
    assert joined.audio.shape == (2, round(2.5 * 44_100))
    assert not joined.audio[:, :44_100].any()
    np.testing.assert_array_equal(joined.audio[:, 44_100:88_200], make_tone(1.0, 44_100))
    assert stitch([grey(1), grey(2)]).audio is None
    with pytest.raises(ValueError, match="nothing to join"):
        stitch([])


def test_a_file_is_decoded_with_its_rate_and_its_sound(tmp_path: Path) -> None:
    encode_video(Video(make_clip(12), 12.0, make_tone(1.0)), tmp_path / "clip.mp4")
    video = decode_video(tmp_path / "clip.mp4")
    assert (video.num_frames, video.fps, video.sample_rate) == (12, 12.0, RATE)
    assert video.audio is not None
    assert np.abs(np.fft.rfft(video.audio[0, :RATE])).argmax() == 440
