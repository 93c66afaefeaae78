"""Small files of every kind that people upload, made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from daybreak.generation import Video
from daybreak.media.encode import encode_video
from daybreak.testing import make_clip, make_tone

Encode = Callable[..., None]


def encode(path: Path, codec: str, frames: np.ndarray, container: str = "mp4", rate: int = 24) -> None:
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for pixels in frames:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        output.mux(stream.encode(None))


@pytest.fixture(scope="session")
def encode_with() -> Encode:
    """Writes frames with a codec of libav: (path, codec, frames, container, rate)."""
    return encode


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """clip.mp4 has sound, 24 frames of 96x64 at 24 a second; the pictures are 96x64."""
    folder = tmp_path_factory.mktemp("samples")
    clip = make_clip(24)
    encode_video(Video(clip, 24.0, make_tone(1.0)), folder / "clip.mp4")
    encode(folder / "clip.webm", "libvpx", clip, "webm")
    encode(folder / "clip.mov", "mpeg4", clip, "mov")
    picture = Image.fromarray(clip[0])
    for name in ("picture.png", "picture.jpg", "picture.webp"):
        picture.save(folder / name)
    return {path.name: path for path in folder.iterdir()}
