"""The program that opens a file from a stranger, in a process that is thrown away: `inspect.py` starts it.

It gets the file as its standard input, so it needs no path; it has hard limits on memory, time and files; it knows
which format it is to expect, and opens no other. It answers with one line of JSON. It imports nothing of Daybreak, so
that it starts in a tenth of a second: `python -I -S examine.py REQUEST`, where the request is JSON.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any, BinaryIO

MOST_TEXT = 200  # characters of another library's message that are passed on

# What decodes what people really upload; a file that needs another decoder is refused before one is opened.
CODECS = "h264,hevc,av1,libdav1d,vp8,vp9,libvpx,libvpx-vp9,mpeg4"
SOUND = "aac,mp3,mp3float,opus,libopus,vorbis,flac,pcm_s16le,pcm_s16be,pcm_s24le,alac,ac3"


class Refused(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The file will not do: a code and what to tell the person who sent it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def main() -> None:
    request = json.loads(sys.argv[1])
    sys.path[:0] = request["packages"]
    limit(request["memory"], request["seconds"])
    try:
        examine = examine_image if request["want"] == "image" else examine_video
        answer = examine(sys.stdin.buffer, request)
    except Refused as refusal:
        answer = {"code": refusal.code, "message": refusal.message}
    except MemoryError:
        answer = {"code": "media_too_large", "message": "it needs more memory than is allowed"}
    sys.stdout.write(json.dumps(answer))


def limit(memory: int, seconds: int) -> None:
    """Takes from this process all that it does not need."""
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(kind, (most, most))


def examine_image(source: BinaryIO, request: dict[str, Any]) -> dict[str, Any]:
    """Width and height of an image whose every pixel could be decoded, as it is seen upright."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # the limits below are ours, and they come before any pixel is decoded
    try:
        with Image.open(source, formats=[request["format"]]) as picture:
            width, height = picture.size
            check_size(width, height, request)
            picture.load()
            turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError) as error:
        raise Refused("unreadable_media", f"it cannot be decoded: {str(error)[:MOST_TEXT]}") from error
    return {"width": height, "height": width} if turned else {"width": width, "height": height}


def check_size(width: int, height: int, request: dict[str, Any]) -> None:
    """Raises Refused unless the sides and the number of pixels are within the limits."""
    if min(width, height) < 1:
        raise Refused("unreadable_media", "it has no pixels")
    side, pixels = request["side"], request["pixels"]
    if max(width, height) > side or width * height > pixels:
        raise Refused(
            "media_too_large",
            f"it is {width}x{height}: at most {side} pixels a side and {pixels / 1e6:g} million in all",
        )


def examine_video(source: BinaryIO, request: dict[str, Any]) -> dict[str, Any]:
    """Size, frames and frame rate of a video whose every frame could be decoded, as it is seen upright."""
    import av

    options = {"codec_whitelist": f"{CODECS},{SOUND}", "protocol_whitelist": "none"}
    try:
        with av.open(source, "r", format=request["format"], options=options, io_open=refuse_other_files) as container:
            if not container.streams.video:
                raise Refused("unreadable_media", "it holds no video")
            stream = container.streams.video[0]
            check_size(stream.width, stream.height, request)
            check_length(stream, container, request)
            return count(container, stream, request)
    except (av.error.FFmpegError, ValueError, OverflowError, OSError) as error:
        raise Refused("unreadable_media", f"it cannot be decoded: {str(error)[:MOST_TEXT]}") from error


def refuse_other_files(url: str, _flags: int, _options: dict[str, str]) -> Any:
    """A video may name other files, here or on the network: none is opened."""
    raise PermissionError(f"refused to open {url!r}")


def check_length(stream: Any, container: Any, request: dict[str, Any]) -> None:
    """Raises Refused when the header alone says that the video is too long."""
    seconds = max(
        float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0,
        container.duration / 1e6 if container.duration else 0.0,
    )
    check_duration(seconds, request)
    check_frames(stream.frames, stream, request)


def check_duration(seconds: float, request: dict[str, Any]) -> None:
    longest = request["longest"]
    if seconds > longest + 1:
        raise Refused("media_too_large", f"it is {seconds:.1f} seconds long: at most {longest:g}")


def check_frames(frames: int, stream: Any, request: dict[str, Any]) -> None:
    """Raises Refused when the decoded frames would not fit where they are to be used."""
    if frames * stream.width * stream.height * 3 > request["decoded"]:
        raise Refused(
            "media_too_large",
            f"{frames} frames of {stream.width}x{stream.height} are too many: "
            f"at most {request['decoded'] // (stream.width * stream.height * 3)} frames of this size",
        )


def count(container: Any, stream: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Decodes everything, one frame in memory at a time."""
    stream.codec_context.thread_count = 1
    declared, size = stream.frames, (stream.width, stream.height)
    frames = rotation = 0
    for frame in container.decode(stream):
        if (frame.width, frame.height) != size:
            raise Refused("unsupported_media", "its size changes from frame to frame")
        frames += 1
        rotation = rotation or int(frame.rotation)
        check_frames(frames, stream, request)
    if not frames or frames < declared * 0.9:  # an edit list may hide a few
        raise Refused("unreadable_media", f"only {frames} of its {declared} frames are there: it was cut off")
    rate = float(stream.average_rate or stream.guessed_rate or 0)
    if not 0 < rate <= 1000:
        raise Refused("unreadable_media", "it has no frame rate")
    check_duration(frames / rate, request)
    width, height = reversed(size) if rotation % 180 else size
    return {"width": width, "height": height, "num_frames": frames, "fps": rate}


if __name__ == "__main__":
    main()
