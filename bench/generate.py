"""Prints wall time and peak memory of `daybreak generate`, in a process of its own, as a user would run it."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROMPT = "a brown dog runs across a meadow at sunset"
MODELS = (None, "diorama")  # None: the default model


def measure(model: str | None, folder: Path) -> str:
    """One line with the time and the memory of one generation."""
    chosen = ["--model", model] if model else []
    command = [sys.executable, "-m", "daybreak", "generate", PROMPT, "--seed", "1", "-o", str(folder / "clip.mp4")]
    started = time.monotonic()
    done = subprocess.run([*command, *chosen], capture_output=True, text=True, check=False)
    wall = time.monotonic() - started
    name = model or "default model"
    if done.returncode:
        return f"{name}: failed: {done.stderr.strip().splitlines()[-1]}"
    # The largest of all children so far: the heavier model is measured first, so later lines are upper bounds.
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**10
    return f"{name}: {wall:.1f} s, peak memory at most {memory:.0f} MB"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for model in MODELS:
            print(measure(model, Path(folder)))


if __name__ == "__main__":
    main()
