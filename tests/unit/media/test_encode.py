from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from daybreak.durable import OutOfSpace
from daybreak.generation import Video
from daybreak.media import encode
from daybreak.media.encode import check_target, encode_video
from daybreak.media.probe import decode_audio, decode_frames, probe_video
from daybreak.testing import make_clip, make_tone


def psnr(ours: np.ndarray, target: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((ours.astype(float) - target) ** 2)))


@pytest.fixture(scope="module")
def video() -> Video:
    return Video(make_clip(24, 128, 192), 24.0, make_tone(1.0))


def test_a_clip_comes_back_as_it_was(video: Video, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    encode_video(video, path)
    assert psnr(decode_frames(path), video.frames) > 40
    heard = decode_audio(path)
    assert heard is not None
    samples, rate = heard
    assert rate == 48_000
    assert abs(samples.shape[1] - 48_000) <= 2048  # AAC codes whole frames of 1,024 samples
    spectrum = np.abs(np.fft.rfft(samples[0, :48_000]))
    assert spectrum.argmax() == 440


def test_the_file_is_what_every_player_opens(video: Video, tmp_path: Path) -> None:
    encode_video(video, tmp_path / "clip.mp4")
    facts = probe_video(tmp_path / "clip.mp4")
    assert (facts.width, facts.height, facts.num_frames, facts.fps, facts.seconds) == (192, 128, 24, 24.0, 1.0)
    assert (facts.codec, facts.profile, facts.pixel_format) == ("h264", "High", "yuv420p")
    assert (facts.audio_codec, facts.sample_rate) == ("aac", 48_000)
    assert facts.faststart


@pytest.mark.parametrize("fps", [12.0, 23.976, 25.0, 29.97, 60.0])
def test_every_usual_frame_rate_is_kept(fps: float, tmp_path: Path) -> None:
    encode_video(Video(make_clip(6), fps), tmp_path / "clip.mp4")
    facts = probe_video(tmp_path / "clip.mp4")
    assert facts.fps == pytest.approx(fps, abs=1e-3)
    assert facts.num_frames == 6
    assert facts.audio_codec is None


def test_one_frame_is_a_video_too(tmp_path: Path) -> None:
    encode_video(Video(make_clip(1), 24.0), tmp_path / "clip.mp4")
    assert len(decode_frames(tmp_path / "clip.mp4")) == 1


def test_the_same_clip_gives_the_same_bytes(video: Video, tmp_path: Path) -> None:
    digests = set()
    for _ in range(6):  # with more than one encoder thread about every second run differs
        encode_video(video, tmp_path / "clip.mp4")
        digests.add(hashlib.sha256((tmp_path / "clip.mp4").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_an_existing_file_is_replaced(video: Video, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"old")
    encode_video(video, path)
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["clip.mp4"]
    assert probe_video(path).num_frames == 24


class Interrupting:
    """Frames that press Ctrl-C while the fifth is being read."""

    def __init__(self, frames: np.ndarray) -> None:
        self.frames, self.shape = frames, frames.shape

    def __iter__(self) -> Iterator[np.ndarray]:
        yield from self.frames[:5]
        raise KeyboardInterrupt

    def __len__(self) -> int:
        return len(self.frames)


def test_ctrl_c_leaves_the_old_file_and_nothing_else(video: Video, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"old")
    interrupted = Video(video.frames, 24.0)
    object.__setattr__(interrupted, "frames", Interrupting(video.frames))
    with pytest.raises(KeyboardInterrupt):
        encode_video(interrupted, path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.glob(".*")) == []


FILL = """
import resource, sys
from pathlib import Path
import numpy as np
from daybreak.generation import Video
from daybreak.durable import OutOfSpace
from daybreak.media.encode import encode_video
noise = np.random.default_rng(0).integers(0, 256, (24, 128, 192, 3), dtype=np.uint8)
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    encode_video(Video(noise, 24.0), Path(sys.argv[1]))
except OutOfSpace as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [0, 1_000, 40_000, 300_000])
def test_a_write_that_fails_leaves_nothing(limit: int, tmp_path: Path) -> None:
    """A limit on the file's size makes the write itself fail, as a full disk does, at different points."""
    path = tmp_path / "clip.mp4"
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(path), str(limit)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("the disk is full: ")
    assert list(tmp_path.glob("*.mp4")) + list(tmp_path.glob(".*")) == []


def test_a_full_disk_is_told_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.statvfs(tmp_path)
    full = os.statvfs_result((*real[:4], 0, *real[5:]))
    monkeypatch.setattr(encode.os, "statvfs", lambda _: full)
    with pytest.raises(OutOfSpace, match=r"has 0\.0 MB free, 8\.0 MB are needed: free some space"):
        check_target(tmp_path / "clip.mp4", needed=8 * 2**20)


def test_another_error_is_not_called_a_full_disk(video: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(encode, "_write", refuse)
    with pytest.raises(OSError, match="broken disk"):
        encode_video(video, tmp_path / "clip.mp4")


@pytest.mark.parametrize(
    ("target", "message"), [("nowhere/clip.mp4", "does not exist: create it"), (".", "is a folder: give the name")]
)
def test_a_target_that_cannot_be_written_is_refused(target: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        check_target(tmp_path / target)


def test_odd_sides_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="even sides, not 95x64"):
        encode_video(Video(make_clip(2, 64, 95), 24.0), tmp_path / "clip.mp4")


def test_soft_moving_pictures_give_the_same_bytes_every_time(tmp_path: Path) -> None:
    """Blurs that drift, as a generated clip has them, at the model's own size: what once came out different."""
    rng = np.random.default_rng(0)
    blobs = rng.integers(0, 256, (48, 8, 14, 3), dtype=np.uint8)
    drifting = np.linspace(blobs[0].astype(float), blobs[1], 48).round().astype(np.uint8)
    frames = np.stack([np.asarray(Image.fromarray(frame).resize((448, 256))) for frame in drifting])
    digests = set()
    for number in range(4):
        encode_video(Video(frames, 24.0), tmp_path / f"{number}.mp4")
        digests.add(hashlib.sha256((tmp_path / f"{number}.mp4").read_bytes()).hexdigest())
    assert len(digests) == 1
