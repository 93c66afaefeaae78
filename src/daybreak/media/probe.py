"""What a video file really holds, read from the file itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from daybreak.generation import Audio, Frames, Video


class UnreadableVideo(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """A file is missing, or is not a video that can be decoded."""


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """The facts of a video file. `seconds` is the video stream's; `audio_codec` is None without sound."""

    width: int
    height: int
    fps: float
    num_frames: int
    seconds: float
    codec: str
    profile: str
    pixel_format: str
    audio_codec: str | None
    sample_rate: int | None
    faststart: bool


def probe_video(path: Path) -> VideoFacts:
    """The facts of a video file, its frames counted. Raises UnreadableVideo."""
    num_frames = count_frames(path)
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            sound = container.streams.audio[0] if container.streams.audio else None
            fps = float(stream.average_rate or 0)
            return VideoFacts(
                width=stream.width,
                height=stream.height,
                fps=fps,
                num_frames=num_frames,
                seconds=num_frames / fps if fps else 0.0,
                codec=stream.codec_context.name,
                profile=stream.profile or "",
                pixel_format=stream.pix_fmt or "",
                audio_codec=sound.codec_context.name if sound else None,
                sample_rate=sound.sample_rate if sound else None,
                faststart=_index_first(path),
            )
    except (av.error.FFmpegError, OSError) as error:
        raise UnreadableVideo(f"{path} cannot be read as a video: {error.strerror}") from error


def count_frames(path: Path) -> int:
    """The number of video frames that the file holds, without decoding them. Raises UnreadableVideo."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UnreadableVideo(f"{path} holds no video")
            return sum(1 for packet in container.demux(container.streams.video[0]) if packet.size)
    except (av.error.FFmpegError, OSError) as error:
        raise UnreadableVideo(f"{path} cannot be read as a video: {error.strerror}") from error


def decode_video(path: Path) -> Video:
    """A video file as a clip in memory: its frames, its frame rate, its sound. Raises UnreadableVideo."""
    frames, sound = decode_frames(path), decode_audio(path)
    try:
        with av.open(str(path)) as container:
            fps = float(container.streams.video[0].average_rate or 0)
    except (av.error.FFmpegError, OSError) as error:
        raise UnreadableVideo(f"{path} cannot be read as a video: {error.strerror}") from error
    if fps <= 0:
        raise UnreadableVideo(f"{path} has no frame rate")
    return Video(frames, fps) if sound is None else Video(frames, fps, *sound)


def decode_frames(path: Path) -> Frames:
    """All frames of a video file as they are seen, upright, (F, H, W, 3). Raises UnreadableVideo."""
    room = count_frames(path)
    frames: Frames | None = None
    count = 0
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                pixels = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))
                if frames is None:
                    frames = np.empty((max(room, 1), *pixels.shape), np.uint8)  # filled in place: no second copy
                if pixels.shape != frames.shape[1:]:
                    raise UnreadableVideo(f"{path} changes its size from frame to frame")
                if count == len(frames):
                    frames = np.concatenate([frames, np.empty_like(frames)])
                frames[count] = pixels
                count += 1
    except (av.error.FFmpegError, OSError) as error:
        raise UnreadableVideo(f"{path} cannot be read as a video: {error.strerror}") from error
    if frames is None:
        raise UnreadableVideo(f"{path} holds no frame")
    return frames[:count]


def decode_audio(path: Path) -> tuple[Audio, int] | None:
    """The sound of a file, (2, N), and its sample rate; None without sound. Raises UnreadableVideo."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                return None
            rate = container.streams.audio[0].sample_rate
            resampler = av.AudioResampler(format="fltp", layout="stereo", rate=rate)
            parts = [part.to_ndarray() for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    except (av.error.FFmpegError, OSError) as error:
        raise UnreadableVideo(f"{path} cannot be read as a video: {error.strerror}") from error
    return (np.concatenate(parts, axis=1), rate) if parts else None


def _index_first(path: Path) -> bool:
    """Whether an mp4's index lies before its pictures, so that it plays while it is still arriving."""
    with path.open("rb") as stream:
        position = 0
        while header := stream.read(8):
            size, kind = int.from_bytes(header[:4]), header[4:]
            if kind in (b"moov", b"mdat") or size < 8:
                return kind == b"moov"
            position += size
            stream.seek(position)
    return False
