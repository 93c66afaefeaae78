"""A finished clip in other forms: scaled, cut, as another kind of file, with or without what says how it was made.

Run as a program of its own (`python -m daybreak.media.export`), so that hours of encoding and broken files stay out of
the server's process.
"""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from daybreak.media.export_options import ExportOptions

_GIF_FPS = 25.0  # GIF counts in hundredths of a second: above, players slow down
_OPTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "mp4": ("libx264", {"crf": "16", "preset": "medium"}),
    "webm": ("libvpx-vp9", {"crf": "28", "b": "0", "row-mt": "1", "cpu-used": "4"}),
}


def export(source: Path, target: Path, options: ExportOptions) -> None:
    """Writes the export of the clip at `source` to `target`. Raises ValueError where nothing of it is left to write."""
    with av.open(str(source)) as clip:
        tags = dict(clip.metadata) if options.keep_settings else {}
        if options.format in ("mp4", "webm"):
            _export_video(clip, target, options, tags)
        elif options.format == "png":
            _export_stills(clip, target, options, tags)
        else:
            _export_picture(clip, target, options, tags)


def _frames(clip: av.container.InputContainer, options: ExportOptions) -> Iterator[tuple[int, Image.Image]]:
    """Number and picture of every frame within the span, scaled."""
    stream = clip.streams.video[0]
    rate = float(stream.average_rate or 24)
    size = options.size(stream.codec_context.width, stream.codec_context.height)
    found = False
    for index, frame in enumerate(clip.decode(stream)):
        at = (index + 0.5) / rate  # the middle of the frame: no rounding decides whether it is in
        if at < options.start:
            continue
        if options.end is not None and at > options.end:
            break
        picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
        found = True
        yield index, picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)
    if not found:
        raise ValueError("the clip has no frames in this span")


def _export_video(
    clip: av.container.InputContainer, target: Path, options: ExportOptions, tags: dict[str, str]
) -> None:
    stream = clip.streams.video[0]
    rate = stream.average_rate or Fraction(24)
    codec, settings = _OPTIONS[options.format]
    width, height = options.size(stream.codec_context.width, stream.codec_context.height)
    flags = {"movflags": "+faststart"} if options.format == "mp4" else {}
    with av.open(str(target), "w", format=options.format, options=flags) as out:
        out.metadata.update(tags)
        video: Any = out.add_stream(codec, rate=rate, options=settings)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = _audio_stream(clip, out, options) if options.sound else None
        for _, picture in _frames(clip, options):
            frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
            out.mux(video.encode(frame))
        out.mux(video.encode())
        if audio is not None:
            _copy_sound(clip, out, audio, options)


def _audio_stream(
    clip: av.container.InputContainer, out: av.container.OutputContainer, options: ExportOptions
) -> Any | None:
    if not clip.streams.audio:
        return None
    codec = "aac" if options.format == "mp4" else "libopus"
    stream: Any = out.add_stream(codec, rate=48_000, layout="stereo")
    stream.bit_rate = 192_000
    return stream


def _copy_sound(
    clip: av.container.InputContainer, out: av.container.OutputContainer, stream: Any, options: ExportOptions
) -> None:
    """The sound of the span, encoded again: a cut lies anywhere between two packets."""
    clip.seek(0)
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=48_000)
    pieces = [piece.to_ndarray() for frame in clip.decode(clip.streams.audio[0]) for piece in resampler.resample(frame)]
    if not pieces:
        return
    samples = np.concatenate(pieces, axis=1)
    end = samples.shape[1] if options.end is None else round(options.end * 48_000)
    samples = samples[:, round(options.start * 48_000) : end]
    step = stream.codec_context.frame_size or 960
    for at in range(0, samples.shape[1], step):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[:, at : at + step]), "fltp", "stereo")
        frame.sample_rate, frame.pts = 48_000, at
        out.mux(stream.encode(frame))
    out.mux(stream.encode())


def _export_stills(
    clip: av.container.InputContainer, target: Path, options: ExportOptions, tags: dict[str, str]
) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:  # PNG is packed already
        for number, (_, picture) in enumerate(_frames(clip, options), start=1):
            data = BytesIO()
            picture.save(data, "PNG", compress_level=4)
            archive.writestr(f"frame_{number:05d}.png", data.getvalue())
        if tags.get("comment"):
            archive.writestr("settings.json", tags["comment"])


def _export_picture(
    clip: av.container.InputContainer, target: Path, options: ExportOptions, tags: dict[str, str]
) -> None:
    rate = float(clip.streams.video[0].average_rate or 24)
    every = max(1, round(rate / _GIF_FPS)) if options.format == "gif" else 1
    pictures = [picture for number, picture in _frames(clip, options) if number % every == 0]
    shown = round(1000 * every / rate)
    first, rest = pictures[0], pictures[1:]
    if options.format == "gif":
        comment = tags.get("comment", "").encode()
        palette = [one.convert("P", palette=Image.Palette.ADAPTIVE, colors=256) for one in pictures]
        first, rest = palette[0], palette[1:]
        first.save(target, "GIF", save_all=True, append_images=rest, duration=shown, loop=0, comment=comment)
    else:
        xmp = tags.get("comment", "").encode()
        first.save(target, "WEBP", save_all=True, append_images=rest, duration=shown, loop=0, quality=85, xmp=xmp)


if __name__ == "__main__":
    export(Path(sys.argv[1]), Path(sys.argv[2]), ExportOptions(**json.loads(sys.argv[3])))
