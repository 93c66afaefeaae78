"""Clips in memory cut, joined, and put into one another. Nothing here reads or writes a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from daybreak.generation import Audio, Frames, Video
from daybreak.media.fit import conform
from daybreak.shapes import VideoSpec

FADE_FRAMES = 3  # free frames beside a pinned span that still show a little of its border
FADE_SECONDS = 0.02  # of sound at a border: long enough not to click, too short to be heard


@dataclass(frozen=True, slots=True)
class PinnedSpan:
    """A source that plays from its beginning over `start` to `end`, in seconds of the clip that it is put into.

    Where the source ends earlier, so does the span.
    """

    source: Video
    start: float
    end: float


def paste_pinned(clip: Video, spans: Sequence[PinnedSpan]) -> Video:
    """The clip with the sources' own frames and sound in the spans; where spans overlap, the later in the list is seen.

    In a span the frames are exactly those of `conform(source)` at the clip's size and rate. The free frames next to it
    change over from its border within `FADE_FRAMES`, so that the change from generated to real pixels is no jolt. A
    source without sound leaves the clip's. Raises ValueError for a span outside the clip.
    """
    frames = clip.frames.copy()
    pinned = np.zeros(clip.num_frames, bool)
    placed = [(first, _fitted(span, clip, first, end)) for span in spans for first, end in [_borders(span, clip)]]
    for first, pictures in placed:
        frames[first : first + len(pictures)] = pictures
        pinned[first : first + len(pictures)] = True
    _fade_borders(frames, pinned)
    audio, rate = _mix(
        clip, [(span, first, len(pictures)) for span, (first, pictures) in zip(spans, placed, strict=True)]
    )
    return replace(clip, frames=frames, audio=audio, sample_rate=rate)


def trim(clip: Video, start: float, end: float | None = None) -> Video:
    """The clip from `start` to `end` seconds, at least one frame. Raises ValueError for a span outside it."""
    first = round(start * clip.fps)
    last = clip.num_frames if end is None else round(end * clip.fps)
    if not 0 <= first < clip.num_frames or last < first or last > clip.num_frames:
        raise ValueError(f"{start:g} s to {end if end is None else f'{end:g}'} s is not within {clip.seconds:g} s")
    last = max(last, first + 1)
    audio = clip.audio
    if audio is not None:
        samples = (round(frame / clip.fps * clip.sample_rate) for frame in (first, last))
        audio = audio[:, slice(*samples)]
    return replace(clip, frames=clip.frames[first:last], audio=audio)


def stitch(clips: Sequence[Video]) -> Video:
    """The clips one after another at the first one's size and rate, silent where one is. Raises ValueError for none.

    `metadata` is the first one's.
    """
    if not clips:
        raise ValueError("there is nothing to join")
    first = clips[0]
    parts = [conform(clip, _spec_like(first, max(1, round(clip.seconds * first.fps)))) for clip in clips]
    frames = np.concatenate([part.frames for part in parts])
    rate = next((part.sample_rate for part in parts if part.audio is not None), first.sample_rate)
    if all(part.audio is None for part in parts):
        return replace(first, frames=frames)
    audio = np.zeros((2, round(len(frames) / first.fps * rate)), np.float32)
    at = 0
    for part in parts:
        if part.audio is not None:
            sound = resample(part.audio, part.sample_rate, rate)
            begin = round(at / first.fps * rate)
            room = audio[:, begin : begin + sound.shape[1]]
            room[:] = sound[:, : room.shape[1]]
        at += part.num_frames
    return replace(first, frames=frames, audio=audio, sample_rate=rate)


def resample(audio: Audio, rate: int, wanted: int) -> Audio:
    """(2, N) at another sample rate, to the sample as long as before."""
    if rate == wanted or not audio.shape[1]:
        return audio
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=wanted)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(audio), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    parts = [part.to_ndarray() for part in (*resampler.resample(frame), *resampler.resample(None))]
    return _as_long(np.concatenate(parts, axis=1), round(audio.shape[1] * wanted / rate))


def _borders(span: PinnedSpan, clip: Video) -> tuple[int, int]:
    """First and end frame of a span that is not longer than its source."""
    first, end = round(span.start * clip.fps), round(span.end * clip.fps)
    if not 0 <= first < end or first >= clip.num_frames or end > clip.num_frames:
        raise ValueError(f"{span.start:g} s to {span.end:g} s is not within {clip.seconds:g} s")
    return first, min(end, first + max(1, round(span.source.seconds * clip.fps)))


def _spec_like(clip: Video, num_frames: int) -> VideoSpec:
    return VideoSpec(num_frames, clip.height, clip.width, clip.fps)


def _fitted(span: PinnedSpan, clip: Video, first: int, end: int) -> Frames:
    return conform(replace(span.source, audio=None), _spec_like(clip, end - first)).frames


def _fade_borders(frames: Frames, pinned: NDArray[np.bool_]) -> None:
    """Lets the free frames beside a span grow out of its border frame, in place."""
    edges = np.flatnonzero(pinned[1:] != pinned[:-1])
    for edge in edges.tolist():
        border, step = (edge, 1) if pinned[edge] else (edge + 1, -1)
        for away in range(1, FADE_FRAMES + 1):
            free = border + step * away
            if not 0 <= free < len(frames) or pinned[free]:
                break
            share = 1 - away / (FADE_FRAMES + 1)
            mixed = share * frames[border].astype(np.float32) + (1 - share) * frames[free]
            frames[free] = np.round(mixed).astype(np.uint8)


def _mix(clip: Video, spans: Sequence[tuple[PinnedSpan, int, int]]) -> tuple[Audio | None, int]:
    """The clip's sound with the sources' in their spans (span, first frame, frames), and its sample rate."""
    heard = [(span.source, first, count) for span, first, count in spans if span.source.audio is not None]
    if not heard:
        return clip.audio, clip.sample_rate
    rate = clip.sample_rate if clip.audio is not None else heard[0][0].sample_rate
    length = round(clip.seconds * rate)
    audio = np.zeros((2, length), np.float32) if clip.audio is None else _as_long(clip.audio, length).copy()
    for source, first, count in heard:
        assert source.audio is not None
        begin, end = round(first / clip.fps * rate), min(round((first + count) / clip.fps * rate), length)
        sound = _as_long(resample(source.audio, source.sample_rate, rate), end - begin)
        share = _share(end - begin, round(FADE_SECONDS * rate), fade_in=begin > 0, fade_out=end < length)
        audio[:, begin:end] = share * sound + (1 - share) * audio[:, begin:end]
    return audio, rate


def _share(samples: int, fade: int, *, fade_in: bool, fade_out: bool) -> NDArray[np.float32]:
    """How much of a span's sound is heard (N,): all, but for a ramp at the borders that it shares with the clip."""
    fade = min(fade, samples // 2)
    share = np.ones(samples, np.float32)
    ramp = (np.arange(fade, dtype=np.float32) + 0.5) / max(fade, 1)
    if fade_in:
        share[:fade] = ramp
    if fade_out and fade:
        share[-fade:] = ramp[::-1]
    return share


def _as_long(audio: Audio, samples: int) -> Audio:
    """The sound cut, or filled with silence, to so many samples."""
    missing = samples - audio.shape[1]
    return audio[:, :samples] if missing <= 0 else np.pad(audio, ((0, 0), (0, missing)))
