"""What an uploaded file really is, found out without trusting a byte of it."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from daybreak.shapes import MAX_CLIP_BYTES, MAX_SECONDS

MOST_SIDE = 4096  # pixels
MOST_PIXELS = 25_000_000  # of one picture
CPU_SECONDS, WALL_SECONDS = 15, 60
MEMORY = 2**30  # bytes of address space for the process that decodes
AT_ONCE = 4  # processes: the memory that uploads can take is four times that
MOST_ANSWER = 64 * 2**10  # bytes

# Content type to (what it is, the one format that may open it): Pillow's name, or libav's.
_FORMATS: dict[str, tuple[Literal["image", "video"], str]] = {
    "image/png": ("image", "PNG"),
    "image/jpeg": ("image", "JPEG"),
    "image/webp": ("image", "WEBP"),
    "video/mp4": ("video", "mov"),
    "video/quicktime": ("video", "mov"),
    "video/webm": ("video", "matroska"),
}
_ACCEPTED = {"image": "PNG, JPEG or WebP", "video": "MP4, MOV or WebM"}
_EXAMINE = Path(__file__).with_name("examine.py")
_slots = threading.BoundedSemaphore(AT_ONCE)


class UnusableMedia(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """An upload will not do. `code`: unsupported_media, unreadable_media or media_too_large."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """An upload that was decoded from its first byte to its last. Sizes are as it is seen, upright.

    An image has one frame, and neither fps nor seconds.
    """

    kind: Literal["image", "video"]
    content_type: str
    width: int
    height: int
    num_frames: int = 1
    fps: float | None = None
    seconds: float | None = None


def inspect_upload(path: Path, *, want: Literal["image", "video"]) -> MediaFacts:
    """The facts of a file from a stranger. Raises UnusableMedia."""
    content_type = sniff(path)
    kind, demuxer = _FORMATS.get(content_type or "", (None, ""))
    if kind != want or content_type is None:
        found = f"it is {content_type}" if content_type else "its content is of no known kind"
        article = "an" if want == "image" else "a"
        raise UnusableMedia(
            "unsupported_media", f"not {article} {want} that can be used: {found}; use {_ACCEPTED[want]}"
        )
    answer = _examine(path, want, demuxer)
    if "code" in answer:
        raise UnusableMedia(str(answer["code"]), f"the {want} cannot be used: {answer['message']}")
    if want == "image":
        return MediaFacts("image", content_type, answer["width"], answer["height"])
    frames, fps = answer["num_frames"], answer["fps"]
    return MediaFacts("video", content_type, answer["width"], answer["height"], frames, fps, frames / fps)


def sniff(path: Path) -> str | None:
    """The content type that a file's first bytes say, None for none that is known; its name does not matter."""
    with path.open("rb") as source:
        head = source.read(64)
    for start, content_type in _MAGIC:
        if head.startswith(start):
            return content_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return _BRANDS.get(brand, "video/quicktime" if brand == b"qt  " else "video/mp4")
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "video/quicktime"  # an old one, without a brand
    return None


_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"%PDF", "application/pdf"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
}


def _examine(path: Path, want: str, demuxer: str) -> dict[str, Any]:
    """The answer of a throw-away process that has decoded the file; a process that did not answer is a refusal."""
    request = {
        "want": want,
        "bytes": path.stat().st_size,
        "format": demuxer,
        "packages": _packages(),
        "memory": MEMORY,
        "seconds": CPU_SECONDS,
        "answer": MOST_ANSWER,
        "side": MOST_SIDE,
        "pixels": MOST_PIXELS,
        "longest": MAX_SECONDS,
        "decoded": MAX_CLIP_BYTES,
    }
    command = [sys.executable, "-I", "-S", "-B", str(_EXAMINE), json.dumps(request)]
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        # The answer goes to a file, because the process has a limit on how much it can write to one.
        with _slots, tempfile.TemporaryFile() as answer:
            done = subprocess.run(
                command,
                stdin=descriptor,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                timeout=WALL_SECONDS,
                check=False,
            )
            answer.seek(0)
            return _read_answer(done.returncode, answer.read(MOST_ANSWER))
    except subprocess.TimeoutExpired:
        return {"code": "media_too_large", "message": "it takes too long to decode"}
    finally:
        os.close(descriptor)


def _read_answer(returncode: int, answer: bytes) -> dict[str, Any]:
    if returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"code": "media_too_large", "message": "it takes too long to decode"}
    try:
        plain = json.loads(answer)
    except ValueError:
        plain = None
    if returncode or not isinstance(plain, dict):
        return {"code": "unreadable_media", "message": "it cannot be decoded"}
    return plain


def _packages() -> list[str]:
    """The folders that hold what the examining process imports."""
    found = (importlib.util.find_spec(name) for name in ("av", "PIL"))
    folders = (spec.submodule_search_locations for spec in found if spec is not None)
    return sorted({str(Path(folder[0]).parent) for folder in folders if folder})
