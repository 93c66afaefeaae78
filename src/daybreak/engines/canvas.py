"""A timeline's pins laid out as pixels: what is known of a clip before it is made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daybreak.generation import Frames, Unsupported, Video
from daybreak.media.fit import conform, load_image
from daybreak.media.probe import decode_frames, probe_video
from daybreak.shapes import TEMPORAL_COMPRESSION, VideoSpec
from daybreak.timeline import Pin


def lay_out(pins: tuple[Pin, ...], spec: VideoSpec) -> tuple[Frames, NDArray[np.float32], NDArray[np.bool_]]:
    """Frames (F, H, W, 3) at `spec`, how strongly each is held (F,), from 0 to 1, and which stand for more (F,).

    A frame that nothing holds is black and has strength 0; where pins overlap the stronger one is seen. Only whole
    latent frames can be held: an image's first and last frame, and the middle of a clip that is too short for one,
    stand for the latent frame that they lie in. Raises UnreadableImage, UnreadableVideo, Unsupported
    for a video that ends before it begins.
    """
    frames = np.zeros((spec.num_frames, spec.height, spec.width, 3), np.uint8)
    strengths = np.zeros(spec.num_frames, np.float32)
    points = np.zeros(spec.num_frames, bool)
    for pin in pins:
        first, end = span_of(pin, spec)
        pictures = _pictures(pin, spec, end - first)
        end = first + len(pictures)
        held = np.linspace(pin.strength, pin.last_strength, end - first, dtype=np.float32)
        stronger = held > strengths[first:end]
        frames[first:end][stronger] = pictures[stronger]
        strengths[first:end] = np.maximum(strengths[first:end], held)
        if pin.kind == "image":
            points[[first, end - 1]] = True
        elif end - first < TEMPORAL_COMPRESSION:
            points[(first + end) // 2] = True
    return frames, strengths, points


def span_of(pin: Pin, spec: VideoSpec) -> tuple[int, int]:
    """First and end frame of a pin; of a video without an end, the clip's."""
    first = min(round(pin.start * spec.fps), spec.num_frames - 1)
    if pin.end is not None:
        end = round(pin.end * spec.fps)
    elif pin.kind == "image":
        end = first + 1
    else:
        end = spec.num_frames
    return first, min(max(end, first + 1), spec.num_frames)


def _pictures(pin: Pin, spec: VideoSpec, count: int) -> Frames:
    """At most `count` frames of the pin's media at the size and rate of `spec`."""
    path = Path(pin.media)
    if pin.kind == "image":
        picture = load_image(path, spec.width, spec.height)
        return np.broadcast_to(picture, (count, *picture.shape))
    source = Video(decode_frames(path), probe_video(path).fps)
    skipped = round(pin.media_start * source.fps)
    if skipped >= source.num_frames:
        raise Unsupported(f"a source is {source.seconds:g} s long: nothing is left after {pin.media_start:g} s")
    rest = Video(source.frames[skipped:], source.fps)
    length = min(count, max(1, round(rest.seconds * spec.fps)))
    return conform(rest, VideoSpec(length, spec.height, spec.width, spec.fps)).frames
