"""The procedural engine: a prompt becomes the nearest scene of the Diorama world, rendered with its sound.

No model is involved, and every clip says so: `procedural` is true in its metadata.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from daybreak.catalog import PROCEDURAL_MODEL
from daybreak.engines.abilities import DIORAMA_ABILITIES, Ability
from daybreak.engines.world import SAMPLE_RATE, read_timeline, shot_frames, soundtrack
from daybreak.generation import Frames, OnStep, State, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.timeline import Timeline

if TYPE_CHECKING:
    from daybreak.diorama.scene import SceneSpec

RENDER_HEIGHT = 360  # pixels; taller clips are scaled up, which keeps a second of video under a second of work


class DioramaEngine:
    """Renders the scene that a prompt is nearest to; each frame is a step. Every shot is a scene of its own."""

    name = PROCEDURAL_MODEL
    procedural = True
    abilities: frozenset[Ability] = DIORAMA_ABILITIES

    def generate(
        self,
        timeline: Timeline,
        settings: GenerationSettings,
        on_step: OnStep,
        resume: State | None = None,  # noqa: ARG002 - rendering starts again: it takes less time than most models' step
    ) -> Video:
        """The rendered clip. Raises whatever `on_step` raises, after at most one more frame."""
        spec = timeline.spec
        height, width = render_size(spec.height, spec.width)
        frames = np.empty((spec.num_frames, height, width, 3), np.uint8)
        readings, spans = read_timeline(timeline, settings.seed), shot_frames(timeline, spec.num_frames, spec.fps)
        for reading, span in zip(readings, spans, strict=True):
            if span.start < span.stop:
                _render(reading.scene, frames, span, spec.fps, on_step)
        sound = None
        if settings.generate_audio is not False:
            sound = soundtrack(readings, spans, spec.fps, width / height, settings.seed)
        scenes = [asdict(reading.scene) for reading in readings]
        not_followed = [words for reading in readings for words in reading.not_followed]
        metadata = {"scene": scenes[0], "not_followed": not_followed} | ({"scenes": scenes} if scenes[1:] else {})
        return Video(frames, spec.fps, sound, SAMPLE_RATE, metadata)


def _render(scene: SceneSpec, frames: Frames, span: slice, fps: float, on_step: OnStep) -> None:
    """Renders one shot into its span of `frames`."""
    # Numba compiles on import: only who renders pays for it.
    from daybreak.diorama.build import build_stage
    from daybreak.diorama.render import render_frames

    total, height, width = frames.shape[:3]
    count = span.stop - span.start
    stage = build_stage(scene, num_frames=count, fps=fps, aspect=width / height)

    def render(index: int) -> None:
        frames[span.start + index] = render_frames(stage, height, width, frames=[index])[0][0]

    with ThreadPoolExecutor(os.cpu_count()) as threads:  # the renderer releases the interpreter's lock
        try:
            for index, _ in enumerate(threads.map(render, range(count)), span.start):
                on_step(index + 1, total, partial(_one_frame, frames, index))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


def _one_frame(frames: Frames, index: int) -> Frames:
    return frames[index : index + 1]


def render_size(height: int, width: int) -> tuple[int, int]:
    """The (height, width) to render: what was asked, or the same shape at no more than RENDER_HEIGHT a side's worth."""
    scale = min(1.0, (RENDER_HEIGHT**2 * 16 / 9 / (height * width)) ** 0.5)
    return max(2, round(height * scale)), max(2, round(width * scale))
