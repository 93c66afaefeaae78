"""A clip in memory to an mp4 file that any player opens: H.264 High 4:2:0 and AAC, index first.

The same clip always gives the same bytes on the same machine. The file appears under its name complete or not at all.
"""

from __future__ import annotations

import errno
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from daybreak.durable import OutOfSpace, finished_file
from daybreak.generation import Audio, Video
from daybreak.media.probe import count_frames
from daybreak.media.provenance import container_tags

CRF = "17"  # x264's "visually lossless or nearly so"
PRESET = "medium"
# No macroblock trees: x264's AVX-512 code for them gives other bytes from run to run (5 of 5; with AVX2 none).
X264 = "mbtree=0"
THREADS = 1  # with two lookahead threads x264 gives other bytes from run to run (seen in 7 of 12)
BT709, LIMITED_RANGE = 1, 1  # libav's numbers for the HD colour space and for 16..235
AUDIO_RATE = 48_000  # Hz
AUDIO_BITS = 160_000  # per second


def check_target(path: Path, needed: int = 0) -> None:
    """Raises ValueError unless a file can be written there, OutOfSpace unless `needed` bytes are free."""
    folder = path.parent
    if not folder.is_dir():
        raise ValueError(f"the folder {folder} does not exist: create it or choose another output file")
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give the name of a file")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"the folder {folder} cannot be written to: choose another output file")
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    if free < needed:
        raise OutOfSpace(
            f"the disk is full: {folder} has {free / 2**20:.1f} MB free, {needed / 2**20:.1f} MB are needed: "
            "free some space or choose another output file"
        )


def encode_video(video: Video, path: Path) -> None:
    """Writes the clip to `path`, replacing a file of that name in one step.

    Raises OutOfSpace when the disk is full, OSError for other failures, ValueError for odd sides.
    """
    if video.width % 2 or video.height % 2:
        raise ValueError(f"H.264 4:2:0 needs even sides, not {video.width}x{video.height}")
    check_target(path)
    with finished_file(path) as part:
        _write(video, part)
        written = count_frames(part)
        if written != video.num_frames:  # a full disk may truncate without an error
            raise OSError(errno.ENOSPC, f"only {written} of {video.num_frames} frames were written")


def _write(video: Video, path: Path) -> None:
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    try:
        with av.open(str(path), "w", format="mp4", options=options) as container:
            container.metadata.update(container_tags(video.metadata))
            picture = _video_stream(container, video)
            sound = _audio_stream(container) if video.audio is not None else None
            for index, pixels in enumerate(video.frames):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
                frame = frame.reformat(
                    format="yuv420p", dst_colorspace="ITU709", src_color_range="JPEG", dst_color_range="MPEG"
                )
                frame.pts = index
                container.mux(picture.encode(frame))
            container.mux(picture.encode(None))
            if sound is not None and video.audio is not None:
                _write_audio(container, sound, video.audio, video.sample_rate)
    except av.error.FFmpegError as error:
        raise OSError(error.errno, f"cannot write {path}: {error.strerror}") from error


def _video_stream(container: Any, video: Video) -> Any:
    rate = Fraction(video.fps).limit_denominator(1001)
    stream = container.add_stream("libx264", rate=rate)
    stream.width, stream.height = video.width, video.height
    stream.pix_fmt = "yuv420p"
    stream.time_base = 1 / rate
    stream.options = {"crf": CRF, "preset": PRESET, "profile": "high", "x264-params": X264}
    context = stream.codec_context
    context.thread_count = THREADS
    context.time_base = 1 / rate
    context.color_primaries = context.color_trc = context.colorspace = BT709
    context.color_range = LIMITED_RANGE
    return stream


def _audio_stream(container: Any) -> Any:
    stream = container.add_stream("aac", rate=AUDIO_RATE)
    stream.layout = "stereo"
    stream.bit_rate = AUDIO_BITS
    return stream


def _write_audio(container: Any, stream: Any, audio: Audio, sample_rate: int) -> None:
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=AUDIO_RATE)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio.clip(-1, 1)), format="fltp", layout="stereo")
    frame.sample_rate = sample_rate
    frame.pts = 0
    frame.time_base = Fraction(1, sample_rate)
    for resampled in (*resampler.resample(frame), *resampler.resample(None)):
        container.mux(stream.encode(resampled))
    container.mux(stream.encode(None))
