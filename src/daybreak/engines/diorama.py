"""The procedural engine: a prompt becomes the nearest scene of the Diorama world, rendered with its sound.

No model is involved, and every clip says so: `procedural` is true in its metadata.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from daybreak.catalog import PROCEDURAL_MODEL
from daybreak.engines.abilities import DIORAMA_ABILITIES, Ability
from daybreak.generation import Audio, Frames, OnStep, State, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.timeline import Timeline

RENDER_HEIGHT = 360  # pixels; taller clips are scaled up, which keeps a second of video under a second of work
SAMPLE_RATE = 48_000  # Hz


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
        starts = [0, *(max(1, min(round(shot.start * spec.fps), spec.num_frames)) for shot in timeline.shots[1:])]
        sounds, scenes, not_followed = [], [], []
        for shot, first, end in zip(timeline.shots, starts, [*starts[1:], spec.num_frames], strict=True):
            if first < end:
                scene, ignored, sound = self._render(
                    shot.prompt, frames, slice(first, end), spec.fps, settings.seed, on_step
                )
                scenes.append(scene)
                sounds.append(sound)
                not_followed += ignored
        metadata = {"scene": scenes[0], "not_followed": not_followed} | ({"scenes": scenes} if scenes[1:] else {})
        return Video(frames, spec.fps, np.concatenate(sounds, 1), SAMPLE_RATE, metadata)

    def _render(
        self, prompt: str, frames: Frames, span: slice, fps: float, seed: int, on_step: OnStep
    ) -> tuple[dict[str, Any], list[str], Audio]:
        """Renders one shot into its span of `frames`; returns its scene, what that leaves out, and its sound."""
        # Numba compiles on import: only who renders pays for it.
        from daybreak.diorama.build import build_stage
        from daybreak.diorama.events import sound_events
        from daybreak.diorama.parse import parse
        from daybreak.diorama.render import render_frames
        from daybreak.diorama.sound import synthesise

        parsed = parse(prompt, seed % 2**32)
        total, height, width = frames.shape[:3]
        count = span.stop - span.start
        stage = build_stage(parsed.spec, num_frames=count, fps=fps, aspect=width / height)

        def render(index: int) -> None:
            frames[span.start + index] = render_frames(stage, height, width, frames=[index])[0][0]

        with ThreadPoolExecutor(os.cpu_count()) as threads:  # the renderer releases the interpreter's lock
            try:
                for index, _ in enumerate(threads.map(render, range(count)), span.start):
                    on_step(index + 1, total, partial(_one_frame, frames, index))
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
        events, beds = sound_events(parsed.spec, count, fps, width / height)
        samples = round(span.stop / fps * SAMPLE_RATE) - round(span.start / fps * SAMPLE_RATE)
        sound = synthesise(events, beds, count / fps, SAMPLE_RATE, seed)[:, :samples]
        sound = np.pad(sound, ((0, 0), (0, samples - sound.shape[1])))
        return asdict(parsed.spec), list(parsed.unsupported), sound


def _one_frame(frames: Frames, index: int) -> Frames:
    return frames[index : index + 1]


def render_size(height: int, width: int) -> tuple[int, int]:
    """The (height, width) to render: what was asked, or the same shape at no more than RENDER_HEIGHT a side's worth."""
    scale = min(1.0, (RENDER_HEIGHT**2 * 16 / 9 / (height * width)) ** 0.5)
    return max(2, round(height * scale)), max(2, round(width * scale))
