"""The program that opens a file from a stranger, in a process that is thrown away: `inspect.py` starts it.

It gets the file as its standard input, so it needs no path; it has hard limits on memory and time; once its imports
are done it can open no file and no socket and start no process, whatever happens in it; and it knows which format it is
to expect, and opens no other. It answers with one line of JSON. It imports nothing of Daybreak, so that it starts in a
tenth of a second: `python -I -S examine.py REQUEST`, where the request is JSON.
"""

from __future__ import annotations

import ctypes
import errno
import importlib
import json
import platform
import resource
import struct
import sys
from typing import Any, BinaryIO

# What Pillow and PyAV would otherwise import in the middle of their work, when nothing can be opened any more.
IMAGE_MODULES = [f"PIL.{name}ImagePlugin" for name in ("Png", "Jpeg", "WebP", "Mpo", "Tiff", "Bmp", "Gif", "Ppm")]
VIDEO_MODULES = ["av", "av.subtitles.stream", "av.subtitles.codeccontext"]

# What decodes what people really upload; a file that needs another decoder is refused before one is opened.
CODECS = ["h264", "hevc", "av1", "libdav1d", "vp8", "vp9", "libvpx", "libvpx-vp9", "mpeg4"]
SOUND = ["aac", "mp3", "mp3float", "opus", "libopus", "vorbis", "flac", "alac", "ac3"]
SOUND += ["pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_f32le", "pcm_f32be"]


# Of Linux's system calls, by processor (its number for the kernel, and the calls'): whatever opens, connects, starts or
# changes anything. In order: open, creat, openat, openat2, socket, connect, accept, sendto, bind, listen, socketpair,
# clone, fork, vfork, execve, clone3, execveat, ptrace, kill, tkill, tgkill, rename…, mkdir…, link…, symlink…,
# unlink…, chmod…, mount, process_vm_readv, process_vm_writev, perf_event_open, bpf, userfaultfd, io_uring_setup.
FORBIDDEN = {
    "x86_64": (
        0xC000003E,
        (
            *(2, 85, 257, 437, 41, 42, 43, 44, 49, 50, 53, 56, 57, 58, 59, 435, 322, 101, 62, 200, 234, 82, 264, 316),
            *(83, 258, 86, 265, 88, 266, 87, 263, 90, 268, 165, 310, 311, 298, 321, 323, 425),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *(56, 437, 198, 203, 202, 206, 200, 201, 199, 220, 221, 435, 281, 117, 129, 130, 131, 38, 276, 34, 37, 36),
            *(35, 53, 40, 270, 271, 241, 280, 282, 425),
        ),
    ),
}


DAMAGED = "it is damaged, or not of the kind that it seems"


class Refused(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The file will not do: a code and what to tell the person who sent it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def main() -> None:
    request = json.loads(sys.argv[1])
    sys.path[:0] = request["packages"]
    limit(request["memory"], request["seconds"], request["answer"])
    try:
        image = request["want"] == "image"
        for module in IMAGE_MODULES if image else VIDEO_MODULES:
            importlib.import_module(module)
        lock()
        answer = (examine_image if image else examine_video)(sys.stdin.buffer, request)
    except Refused as refusal:
        answer = {"code": refusal.code, "message": refusal.message}
    except MemoryError:
        answer = {"code": "media_too_large", "message": "it needs more memory than is allowed"}
    sys.stdout.write(json.dumps(answer))


def limit(memory: int, seconds: int, answer: int) -> None:
    """Takes from this process all that it does not need."""
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, answer),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(kind, (most, most))


def lock() -> bool:
    """Whether this process can from now on open nothing and start nothing (seccomp, where the kernel offers it)."""
    known = FORBIDDEN.get(platform.machine())
    if known is None or sys.platform != "linux":
        return False
    architecture, numbers = known
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06  # instructions of the kernel's packet filter
    refused, allowed = 0x00050000 | errno.EPERM, 0x7FFF0000
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (give, 0, 0, refused), (load, 0, 0, 0)]
    program += [(at_least, len(numbers) + 1, 0, 0x40000000)]  # x86's other way to number the same calls
    program += [(equal, len(numbers) - index, 0, number) for index, number in enumerate(numbers)]
    program += [(give, 0, 0, allowed), (give, 0, 0, refused)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    no_new_privileges, set_filter, filter_mode = 38, 22, 2
    return bool(prctl(no_new_privileges, 1, 0, 0, 0) == 0 and prctl(set_filter, filter_mode, header, 0, 0) == 0)


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
        raise Refused("unreadable_media", "it is cut off" if "truncated" in str(error) else DAMAGED) from error
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

    options = {"codec_whitelist": ",".join(CODECS + SOUND), "protocol_whitelist": "none"}
    try:
        with av.open(source, "r", format=request["format"], options=options, io_open=refuse_other_files) as container:
            if not container.streams.video:
                raise Refused("unreadable_media", "it holds no video")
            stream = container.streams.video[0]
            check_codecs(container)
            check_size(stream.width, stream.height, request)
            check_length(stream, container, request)
            return decode_all(container, stream, request)
    except (av.error.FFmpegError, ValueError, OverflowError, OSError, LookupError) as error:
        raise Refused("unreadable_media", DAMAGED) from error


def refuse_other_files(url: str, _flags: int, _options: dict[str, str]) -> Any:
    """A video may name other files, here or on the network: none is opened."""
    raise PermissionError(f"refused to open {url!r}")


def check_codecs(container: Any) -> None:
    """Raises Refused when another decoder would be needed than those above."""
    for stream, known in ((container.streams.video[0], CODECS), *((each, SOUND) for each in container.streams.audio)):
        if stream.codec_context is None or stream.codec_context.codec.name not in known:
            what = "pictures are" if known is CODECS else "sound is"
            raise Refused("unsupported_media", f"its {what} of a kind that cannot be used: H.264 and AAC always can")


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


def decode_all(container: Any, stream: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Decodes pictures and sound to the end, one frame in memory at a time."""
    size, rate = (stream.width, stream.height), float(stream.average_rate or stream.guessed_rate or 0)
    if not 0 < rate <= 1000:
        raise Refused("unreadable_media", "it has no frame rate")
    sound = container.streams.audio[0] if container.streams.audio else None
    streams = [stream] if sound is None else [stream, sound]
    for each in streams:
        each.codec_context.thread_count = 1
    check_whole(streams, request["bytes"])
    frames = rotation = 0
    heard = reached = 0.0  # seconds
    for frame in container.decode(*streams):
        if not hasattr(frame, "rotation"):
            heard += frame.samples / frame.sample_rate
            check_duration(heard, request)
            continue
        if (frame.width, frame.height) != size:
            raise Refused("unsupported_media", "its size changes from frame to frame")
        frames += 1
        rotation = rotation or int(frame.rotation)
        reached = max(reached, (frame.time or 0.0) + 1 / rate)
        check_frames(frames, stream, request)
    check_duration(frames / rate, request)
    check_whole(streams, request["bytes"])  # again: the index of a fragmented file grows while it is read
    if not frames or ends_early(container, reached):
        raise Refused("unreadable_media", "it is cut off")
    width, height = reversed(size) if rotation % 180 else size
    return {"width": width, "height": height, "num_frames": frames, "fps": rate}


def check_whole(streams: list[Any], size: int) -> None:
    """Raises Refused when the index of a stream promises more than the `size` bytes of the file hold."""
    if any(entry.pos + entry.size > size for stream in streams for entry in stream.index_entries):
        raise Refused("unreadable_media", "it is cut off")


def ends_early(container: Any, reached: float) -> bool:
    """Whether the pictures end, in seconds, long before the file says; only some formats have no whole index."""
    longest = container.duration / 1e6 if container.duration else 0.0
    return "matroska" in container.format.name and reached < 0.9 * longest - 0.5


if __name__ == "__main__":
    main()
