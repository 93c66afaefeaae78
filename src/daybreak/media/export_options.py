"""What an export may be, and the command that makes it; apart from the making, which a server must not load."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

Format = Literal["mp4", "webm", "gif", "webp", "png"]
SUFFIX: dict[Format, str] = {"mp4": "mp4", "webm": "webm", "gif": "gif", "webp": "webp", "png": "zip"}
CONTENT_TYPE: dict[Format, str] = {
    "mp4": "video/mp4",
    "webm": "video/webm",
    "gif": "image/gif",
    "webp": "image/webp",
    "png": "application/zip",
}
MAX_SCALE, MAX_SIDE = 4.0, 4096  # pixels: what H.264 players are sure to show


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What to make of a clip; `end` None is its end. Raises ValueError for what can't be made."""

    format: Format = "mp4"
    scale: float = 1.0
    start: float = 0.0
    end: float | None = None
    keep_settings: bool = True
    sound: bool = True

    def __post_init__(self) -> None:
        if self.format not in get_args(Format):
            raise ValueError(f"an export is one of {', '.join(get_args(Format))}, not {self.format!r}")
        if not 0.1 <= self.scale <= MAX_SCALE:
            raise ValueError(f"the scale is from 0.1 to {MAX_SCALE:g}, not {self.scale:g}")
        if self.start < 0 or (self.end is not None and self.end <= self.start):
            raise ValueError("an export ends after it starts")

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) of the export: even, and no side above MAX_SIDE."""
        scale = min(self.scale, MAX_SIDE / max(width, height))
        return max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2))


def command(source: Path, target: Path, options: ExportOptions) -> list[str]:
    """The command line that makes the export in a process of its own."""
    return [sys.executable, "-m", "daybreak.media.export", str(source), str(target), json.dumps(asdict(options))]
