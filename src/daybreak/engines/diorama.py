"""The procedural engine: a prompt becomes the nearest scene of the Diorama world, rendered with its sound.

No model is involved, and every clip says so: `procedural` is true in its metadata.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial

import numpy as np

from daybreak.catalog import PROCEDURAL_MODEL
from daybreak.engines.protocol import Ability
from daybreak.generation import Frames, GenerationSettings, OnStep, Video
from daybreak.timeline import Timeline

RENDER_HEIGHT = 360  # pixels; taller clips are scaled up, which keeps a second of video under a second of work
SAMPLE_RATE = 48_000  # Hz


class DioramaEngine:
    """Renders the scene that a prompt is nearest to; each frame is a step."""

    name = PROCEDURAL_MODEL
    procedural = True
    abilities: frozenset[Ability] = frozenset()

    def generate(self, timeline: Timeline, settings: GenerationSettings, on_step: OnStep) -> Video:
        """The rendered clip. Raises whatever `on_step` raises, after at most one more frame."""
        # Numba compiles on import: only who renders pays for it.
        from daybreak.diorama.build import build_stage
        from daybreak.diorama.events import sound_events
        from daybreak.diorama.parse import parse
        from daybreak.diorama.render import render_frames
        from daybreak.diorama.sound import synthesise

        spec = timeline.spec
        parsed = parse(timeline.prompt, settings.seed % 2**32)
        scene = parsed.spec
        height, width = render_size(spec.height, spec.width)
        stage = build_stage(scene, num_frames=spec.num_frames, fps=spec.fps, aspect=width / height)
        frames = np.empty((spec.num_frames, height, width, 3), np.uint8)

        def render(index: int) -> None:
            frames[index] = render_frames(stage, height, width, frames=[index])[0][0]

        with ThreadPoolExecutor(os.cpu_count()) as threads:  # the renderer releases the interpreter's lock
            try:
                for index, _ in enumerate(threads.map(render, range(spec.num_frames))):
                    on_step(index + 1, spec.num_frames, partial(_one_frame, frames, index))
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
        events, beds = sound_events(scene, spec.num_frames, spec.fps, width / height)
        audio = synthesise(events, beds, spec.seconds, SAMPLE_RATE, settings.seed)
        return Video(
            frames, spec.fps, audio, SAMPLE_RATE, {"scene": asdict(scene), "not_followed": list(parsed.unsupported)}
        )


def _one_frame(frames: Frames, index: int) -> Frames:
    return frames[index : index + 1]


def render_size(height: int, width: int) -> tuple[int, int]:
    """The (height, width) to render: what was asked, or the same shape at no more than RENDER_HEIGHT a side's worth."""
    scale = min(1.0, (RENDER_HEIGHT**2 * 16 / 9 / (height * width)) ** 0.5)
    return max(2, round(height * scale)), max(2, round(width * scale))
