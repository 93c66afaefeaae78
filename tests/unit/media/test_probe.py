from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daybreak.generation import Video
from daybreak.media.encode import encode_video
from daybreak.media.probe import UnreadableVideo, count_frames, decode_audio, decode_frames, probe_video
from daybreak.testing import make_clip


@pytest.mark.parametrize("read", [probe_video, count_frames, decode_frames, decode_audio])
@pytest.mark.parametrize("content", [None, b"", b"not a video" * 100])
def test_what_is_no_video_is_refused_in_one_line(
    read: Callable[[Path], Any], content: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnreadableVideo, match="cannot be read as a video") as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_a_silent_clip_has_no_audio(tmp_path: Path) -> None:
    encode_video(Video(make_clip(3), 24.0), tmp_path / "clip.mp4")
    assert decode_audio(tmp_path / "clip.mp4") is None


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    encode_video(Video(make_clip(24), 24.0), path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UnreadableVideo):
        probe_video(path)
