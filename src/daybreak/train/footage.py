"""A folder of clips and pictures with captions, as a model can learn from it.

Each file has its caption beside it, `name.txt` for `name.mp4`, or in the folder's `captions.jsonl`, a line each:
{"file": "name.mp4", "caption": "…"} (also "file_name", and "text" or "prompt", as other tools write them).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from daybreak.generation import Frames
from daybreak.media.fit import cover, load_image
from daybreak.media.probe import UnreadableVideo
from daybreak.timeline import MAX_PROMPT

CAPTIONS_FILE = "captions.jsonl"
VIDEOS = {".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi"}
IMAGES = {".png", ".jpg", ".jpeg", ".webp"}


@dataclass(frozen=True, slots=True)
class Footage:
    """A file and what it shows."""

    path: Path
    caption: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The clips that a model is trained on: at most `num_frames` of them at `fps`, and step * k + 1 in any case.

    `size` gives the (width, height) that a source of some width and height is scaled and cropped to.
    """

    fps: float
    num_frames: int
    frame_step: int
    size: Callable[[int, int], tuple[int, int]]


def read_footage(folder: Path) -> list[Footage]:
    """Every clip and picture of a folder with its caption, by name. Raises ValueError, naming what is missing."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder: give one with clips or pictures and their captions")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in VIDEOS | IMAGES and path.is_file())
    if not paths:
        kinds = ", ".join(sorted(suffix[1:] for suffix in VIDEOS | IMAGES))
        raise ValueError(f"{folder} holds no clip or picture: put files of these kinds there: {kinds}")
    listed = _listed(folder / CAPTIONS_FILE)
    return [Footage(path, _caption(path, listed)) for path in paths]


def windows(path: Path, grid: Grid) -> Iterator[Frames]:
    """The clips (F, H, W, 3) that a file holds, one after the other; a picture is one frame.

    A rest at the end is taken too when it is half as long as a whole clip, or all there is. Raises ValueError for a
    file that cannot be read.
    """
    if path.suffix.lower() in IMAGES:
        pixels = load_image(path)
        yield cover(pixels[None], *grid.size(pixels.shape[1], pixels.shape[0]))
        return
    held: list[Frames] = []
    made = 0
    for frame in _frames(path, grid):
        held.append(frame)
        if len(held) == grid.num_frames:
            yield np.stack(held)
            held, made = [], made + 1
    rest = (len(held) - 1) // grid.frame_step * grid.frame_step + 1 if held else 0
    if rest and (not made or 2 * rest > grid.num_frames):
        yield np.stack(held[:rest])


def _frames(path: Path, grid: Grid) -> Iterator[Frames]:
    """The frames (H, W, 3) of a video at the grid's rate and size: each the nearest in time, none blended."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UnreadableVideo(f"{path} holds no video")
            rate = float(container.streams.video[0].average_rate or 0)
            if rate <= 0:
                raise UnreadableVideo(f"{path} has no frame rate")
            wanted, seen, size = 0, 0, (0, 0)
            for number, frame in enumerate(container.decode(video=0)):
                seen = number + 1
                while int(wanted * rate / grid.fps + 0.5) == number:
                    pixels: Frames = np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90))
                    size = grid.size(pixels.shape[1], pixels.shape[0]) if size == (0, 0) else size
                    yield cover(np.ascontiguousarray(pixels[None]), *size)[0]
                    wanted += 1
            if not seen:
                raise UnreadableVideo(f"{path} holds no frame")
    except (av.error.FFmpegError, OSError) as error:
        raise UnreadableVideo(f"{path} cannot be read as a video: {error.strerror}") from error


def _caption(path: Path, listed: dict[str, str]) -> str:
    beside = path.with_suffix(".txt")
    try:
        text = beside.read_text(encoding="utf-8") if beside.is_file() else listed.get(path.name, "")
    except (UnicodeDecodeError, OSError) as error:
        raise ValueError(f"the caption {beside} cannot be read: {error}") from error
    text = " ".join(text.split())
    if not text:
        raise ValueError(
            f"{path} has no caption: write what it shows to {beside.name} beside it, or to {CAPTIONS_FILE}"
        )
    if len(text) > MAX_PROMPT:
        raise ValueError(f"the caption of {path} has {len(text)} characters: at most {MAX_PROMPT}")
    return text


def _listed(file: Path) -> dict[str, str]:
    """The captions of a `captions.jsonl` by file name; empty without one. Raises ValueError, naming the line."""
    if not file.is_file():
        return {}
    captions = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            plain = json.loads(line)
            name = next(plain[key] for key in ("file", "file_name") if key in plain)
            text = next(plain[key] for key in ("caption", "text", "prompt") if key in plain)
        except (ValueError, TypeError, StopIteration) as error:
            raise ValueError(f'{file}, line {number}, is not {{"file": …, "caption": …}}') from error
        captions[str(name)] = str(text)
    return captions
