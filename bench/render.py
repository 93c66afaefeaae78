"""Prints how many frames a second one core renders at the two sizes that matter, and the time to build a scene."""

from __future__ import annotations

import os

os.environ["NUMBA_NUM_THREADS"] = "1"  # read when numba is imported: the figure is per core

import time

from daybreak.diorama.build import build_stage
from daybreak.diorama.render import render_frames
from daybreak.diorama.sampling import sample_spec

SIZES = ((192, 112, 200), (384, 224, 60))  # width, height, the frames per second that we promise
SCENES, FRAMES = 12, 24


def main() -> None:
    started = time.process_time()
    stages = [build_stage(sample_spec(seed), num_frames=FRAMES) for seed in range(SCENES)]
    print(f"build: {(time.process_time() - started) / SCENES * 1000:.1f} ms per scene of {FRAMES} frames")
    render_frames(stages[0], 64, 64, frames=[0])  # compiles, or loads what was compiled before
    for width, height, promised in SIZES:
        started = time.process_time()
        for stage in stages:
            render_frames(stage, height, width)
        rate = SCENES * FRAMES / (time.process_time() - started)
        verdict = "ok" if rate >= promised else "BELOW"
        print(f"render {width}x{height}: {rate:.0f} frames/s/core (promised {promised}: {verdict})")


if __name__ == "__main__":
    main()
