"""What a run leaves to read: a progress line, `log.jsonl`, and the loss curve as a picture."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class RunLog:
    """Collects figures step by step and writes their means."""

    def __init__(self, directory: Path, step: int, position: int, last: int) -> None:
        self.path = directory / "log.jsonl"
        self.figures: dict[str, list[float]] = {}
        self.mark = (step, time.monotonic())
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
        self.progress = Progress(*columns, TimeRemainingColumn(), refresh_per_second=1)
        self.progress.start()
        self.task = self.progress.add_task(directory.name, total=last, completed=position)

    def step(self, position: int, figures: dict[str, float]) -> None:
        """Notes one step's figures, and how far the run has come with it."""
        for name, value in figures.items():
            self.figures.setdefault(name, []).append(value)
        self.progress.update(self.task, completed=position)

    def write(self, step: int, seconds: float) -> None:
        """Writes the means since the last line."""
        now = time.monotonic()
        means = {name: round(float(np.mean(values)), 5) for name, values in self.figures.items()}
        speed = (step - self.mark[0]) / (now - self.mark[1])
        self._append({"step": step, **means, "steps_per_second": round(speed, 3), "seconds": round(seconds)})
        self.progress.update(self.task, description=f"loss {means['loss']:.4f} {speed:.2f} steps/s")
        self.figures, self.mark = {}, (step, now)

    def samples(self, step: int, figures: dict[str, float]) -> None:
        """Writes a line of figures measured on samples."""
        self._append({"step": step, "samples": figures})

    def _append(self, line: dict[str, object]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def plot(self) -> None:
        """Draws `loss.png` from the whole log, on a logarithmic axis."""
        lines = [json.loads(line) for line in self.path.read_text().splitlines()]
        points = [(line["step"], line["loss"]) for line in lines if "loss" in line]
        draw_curve(points).save(self.path.parent / "loss.png")

    def close(self) -> None:
        """Ends the progress line."""
        self.progress.stop()


def draw_curve(points: list[tuple[int, float]], width: int = 800, height: int = 400) -> Image.Image:
    """A picture of (step, value) points, the value's axis logarithmic, both ends labelled."""
    picture = Image.new("RGB", (width, height), "white")
    if len(points) < 2:
        return picture
    steps = np.array([step for step, _ in points], float)
    values = np.log(np.maximum([value for _, value in points], 1e-8))
    low, high = values.min(), max(values.max(), values.min() + 1e-6)
    x = 60 + (steps - steps[0]) / (steps[-1] - steps[0]) * (width - 80)
    y = 20 + (high - values) / (high - low) * (height - 60)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 20, width - 20, height - 40), outline="#cccccc")
    draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), fill="#c0392b", width=2)
    draw.text((4, 16), f"{np.exp(high):.3g}", fill="black")
    draw.text((4, height - 50), f"{np.exp(low):.3g}", fill="black")
    draw.text((60, height - 30), f"step {int(steps[0])}", fill="black")
    draw.text((width - 110, height - 30), f"step {int(steps[-1])}", fill="black")
    return picture


def contact_sheet(clips: list[np.ndarray], frames_per_clip: int = 5) -> Image.Image:
    """Rows of evenly spaced frames, one row a clip; `clips` are (F, H, W, 3) uint8 of equal size."""
    rows = []
    for clip in clips:
        chosen = np.linspace(0, len(clip) - 1, min(frames_per_clip, len(clip))).round().astype(int)
        rows.append(np.concatenate(list(clip[chosen]), 1))
    return Image.fromarray(np.concatenate(rows, 0))
