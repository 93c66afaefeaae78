"""Prints what the step cache costs and spares with the built-in model, beside what fewer steps cost and spare.

Each clip is compared with the one that the same seed gives at all steps without a cache: PSNR over all pixels, and the
share of attributes that the probes read in it as they did before; "right" is the share of what the captions ask for.
Work is the share of block evaluations that are left to do. Fewer steps are the rival: a cache that is no better than
they are is no use.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from daybreak.catalog import find_model
from daybreak.diffusion.samplers import euler
from daybreak.diffusion.schedule import shifted_schedule
from daybreak.evaluate.asked import Asked, grammar_captions
from daybreak.evaluate.clips import HEIGHT, WIDTH, to_pixels
from daybreak.evaluate.fidelity import psnr
from daybreak.evaluate.probes import classify, load_probe, probe_frames
from daybreak.generation import Frames
from daybreak.models.step_cache import StepCache
from daybreak.pipeline import DEFAULT_GUIDANCE, WINDOW_FRAMES, Pipeline, empty_canvas, load_pipeline
from daybreak.settings import load_settings
from daybreak.shapes import VideoSpec

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.7)
SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)  # of the steps


@dataclass
class Measured:
    """What one way of making the clips came to, a number or a clip for each caption."""

    work: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    psnr: list[float] = field(default_factory=list)
    small: list[Frames] = field(default_factory=list)  # what the probes see


@torch.inference_mode()
def generate(pipeline: Pipeline, asked: Asked, steps: int, threshold: float) -> tuple[Frames, float, float]:
    """A caption's clip, the evaluations of its blocks in whole steps, and the seconds of denoising."""
    cache, work = StepCache(threshold, steps), 0.0
    blocks = len(pipeline.components.transformer.blocks)

    def count(*_: object) -> None:
        nonlocal work
        work += 1 if cache.full else 1 / blocks

    denoise = pipeline.denoiser(asked.prompt, "", DEFAULT_GUIDANCE, cache)
    latents, ceiling = pipeline.latents(empty_canvas(VideoSpec(WINDOW_FRAMES, HEIGHT, WIDTH, 24)), asked.seed)
    began = time.perf_counter()
    latents = euler(denoise, latents, shifted_schedule(steps), ceiling, count)
    seconds = time.perf_counter() - began
    return pipeline.decode(latents), work, seconds


def pixels(frames: Frames) -> Tensor:
    return to_pixels(frames[None])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captions", type=int, default=24)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    card = find_model("dawn", load_settings().models_dir)
    assert card.path is not None
    pipeline, steps = load_pipeline(card.path), options.steps
    # A threshold of 0 asks all blocks at every step.
    ways = {"no cache": (steps, 0.0)} | {f"cache {at:g}": (steps, at) for at in THRESHOLDS}
    ways |= {f"{count} steps": (count, 0.0) for count in dict.fromkeys(round(share * steps) for share in SHARES)}
    captions = grammar_captions(options.captions)
    measured = {name: Measured() for name in ways}
    for asked in captions:
        exact: Frames | None = None
        for name, (count, threshold) in ways.items():
            frames, work, seconds = generate(pipeline, asked, count, threshold)
            exact = frames if exact is None else exact
            made = measured[name]
            made.work.append(work / steps)
            made.seconds.append(seconds)
            made.psnr.append(psnr(pixels(frames), pixels(exact)))
            made.small.append(probe_frames(frames))
    probe = load_probe()
    read = {name: classify(probe, made.small) for name, made in measured.items()}
    print(f"dawn, {len(captions)} captions, {steps} steps, guidance {DEFAULT_GUIDANCE:g}")
    for name, made in measured.items():
        pairs = list(zip(read[name], read["no cache"], captions, strict=True))
        same = np.mean([found[key] == before[key] for found, before, _ in pairs for key in before])
        right = np.mean([found[key] == word for found, _, asked in pairs for key, word in asked.labels.items()])
        print(
            f"{name}: work {np.mean(made.work):.2f}, denoising {min(made.seconds):.2f} s, "
            f"PSNR {np.mean(made.psnr):.1f} dB, read as before {same:.1%}, right {right:.1%}"
        )


if __name__ == "__main__":
    main()
