"""Pictures and clips made to fit exactly: scaled to cover, cropped at the centre, resampled in time."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from daybreak.generation import Audio, Frames, Video
from daybreak.shapes import VideoSpec

Fit = Literal["cover", "contain", "exact"]


class UnreadableImage(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """A file is missing, or is not an image that can be opened."""


class SizeMismatch(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """A reference has another size than the video that was asked for; the words are those of the Videos API."""

    def __init__(self) -> None:
        super().__init__("Inpaint image must match the requested width and height")


def conform(video: Video, spec: VideoSpec) -> Video:
    """The clip with exactly the size, length and frame rate of `spec`.

    A frame is taken from the nearest moment of the source, so nothing is blended; a source that is too short holds
    its last frame. Sound is cut, or filled with silence, to the same length.
    """
    moments = np.arange(spec.num_frames) * (video.fps / spec.fps)
    nearest = np.minimum(np.floor(moments + 0.5).astype(np.int64), video.num_frames - 1)
    frames = video.frames if np.array_equal(nearest, np.arange(video.num_frames)) else video.frames[nearest]
    audio = None if video.audio is None else _fit_audio(video.audio, round(spec.seconds * video.sample_rate))
    return replace(video, frames=cover(frames, spec.width, spec.height), fps=spec.fps, audio=audio)


def cover(frames: Frames, width: int, height: int) -> Frames:
    """(F, H, W, 3) scaled so that `width` x `height` is just covered, then cropped at the centre."""
    if frames.shape[1:3] == (height, width):
        return frames
    box = _cover_box(frames.shape[2], frames.shape[1], width, height)
    scaled = [Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS, box=box) for frame in frames]
    return np.stack([np.asarray(picture) for picture in scaled])


def fit_image(path: Path, width: int, height: int, fit: Fit) -> NDArray[np.uint8]:
    """An image file as (height, width, 3) RGB.

    `cover` scales it until nothing is bare and crops at the centre, `contain` shows all of it before a blurred copy
    of itself, `exact` takes it only as it is. Raises UnreadableImage, SizeMismatch, ValueError for another fit.
    """
    if fit not in get_args(Fit):
        raise ValueError(f"fit is one of {', '.join(get_args(Fit))}, not {fit!r}")
    pixels = load_image(path)
    if pixels.shape[:2] == (height, width):
        return pixels
    if fit == "exact":
        raise SizeMismatch
    return cover(pixels[None], width, height)[0] if fit == "cover" else _contain(pixels, width, height)


def load_image(path: Path, width: int | None = None, height: int | None = None) -> NDArray[np.uint8]:
    """An image file as (H, W, 3) RGB, upright, on white where it is transparent, covering the size when one is given.

    Raises UnreadableImage.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except FileNotFoundError as error:
        raise UnreadableImage(f"the image {path} does not exist") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableImage(f"the image {path} is too large: at most {Image.MAX_IMAGE_PIXELS} pixels") from error
    except (OSError, ValueError, SyntaxError) as error:  # Pillow raises all three for broken files
        raise UnreadableImage(f"the image {path} cannot be read: use a PNG, JPEG or WebP file") from error
    white = Image.new("RGBA", upright.size, "white")
    pixels: NDArray[np.uint8] = np.asarray(Image.alpha_composite(white, upright).convert("RGB"))
    if width is not None and height is not None:
        pixels = cover(pixels[None], width, height)[0]
    return pixels


def _contain(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3): the whole picture in the middle, and what it leaves bare filled with a blurred copy of it."""
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    inner_width, inner_height = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    canvas = Image.fromarray(cover(pixels[None], width, height)[0])
    canvas = canvas.filter(ImageFilter.GaussianBlur(max(width, height) / 32))
    inner = Image.fromarray(pixels).resize((inner_width, inner_height), Image.Resampling.LANCZOS)
    canvas.paste(inner, ((width - inner_width) // 2, (height - inner_height) // 2))
    return np.asarray(canvas)


def _cover_box(source_width: int, source_height: int, width: int, height: int) -> tuple[float, float, float, float]:
    """The largest centred box of the source that has the aspect width:height, (left, top, right, bottom)."""
    scale = min(source_width / width, source_height / height)
    box_width, box_height = width * scale, height * scale
    left, top = max(0.0, (source_width - box_width) / 2), max(0.0, (source_height - box_height) / 2)
    return left, top, min(left + box_width, source_width), min(top + box_height, source_height)


def _fit_audio(audio: Audio, samples: int) -> Audio:
    missing = samples - audio.shape[1]
    return audio[:, :samples] if missing <= 0 else np.pad(audio, ((0, 0), (0, missing)))
