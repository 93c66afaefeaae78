"""How faithful the model is to given pixels: the VAE on held-out renders, and a pinned first frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from daybreak.checkpoint import Components
from daybreak.diorama.build import build_stage
from daybreak.diorama.labels import boxes
from daybreak.diorama.narrowing import Words, first_known
from daybreak.diorama.render import render_frames
from daybreak.evaluate.asked import caption_scene, grammar_captions
from daybreak.evaluate.clips import HEIGHT, WIDTH, Sampling, generate_clips, reconstruct, to_pixels
from daybreak.evaluate.fidelity import psnr, ssim
from daybreak.generation import Frames
from daybreak.pipeline import WINDOW_FRAMES
from daybreak.shapes import NATIVE_FPS

FIRST_SCENE = 41_000_000  # of the clips that the VAE is measured on


@dataclass(frozen=True, slots=True)
class VAEFidelity:
    """Means over `clips` held-out renders of 49 frames at 448x256: dB and structural similarity (0 to 1)."""

    psnr: float
    ssim: float
    psnr_boxes: float  # inside the boxes around the subjects
    clips: int


@dataclass(frozen=True, slots=True)
class FirstFrameFidelity:
    """A generated clip's first frame, in dB: against the pinned image, and against the VAE's picture of it."""

    psnr_image: float
    psnr_reconstruction: float
    clips: int


def vae_fidelity(components: Components, count: int) -> VAEFidelity:
    """The VAE on `count` scenes of one or two subjects, combinations that training never saw."""
    rows = []
    for index in range(count):
        spec = first_known(FIRST_SCENE + index, components.card.get("words"), held_out=True)
        stage = build_stage(spec, WINDOW_FRAMES, NATIVE_FPS, WIDTH / HEIGHT)
        frames, entities = render_frames(stage, HEIGHT, WIDTH)
        pixels, decoded = to_pixels(frames[None]), reconstruct(components, frames)
        inside = box_mask(boxes(entities), HEIGHT, WIDTH)
        boxed = psnr(decoded, pixels, inside) if inside.any() else float("nan")
        rows.append((psnr(decoded, pixels), ssim(decoded, pixels), boxed))
    whole, similarity, boxed = (float(np.nanmean(column)) for column in zip(*rows, strict=True))
    return VAEFidelity(whole, similarity, boxed, count)


def box_mask(corners: np.ndarray, height: int, width: int) -> Tensor:
    """True inside boxes (F, S, 4) of left, top, right, bottom: (1, F, H, W)."""
    left, top, right, bottom = (torch.from_numpy(corners)[..., i, None, None] for i in range(4))  # (F, S, 1, 1)
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    inside = (rows >= top) & (rows < bottom) & (columns >= left) & (columns < right)
    return inside.any(1)[None]


def first_frame_fidelity(
    components: Components, count: int, sampling: Sampling
) -> tuple[FirstFrameFidelity, list[tuple[str, Frames]]]:
    """Image-to-video on the first frames of `count` scenes; also the clips, after their image, with their prompts."""
    words = components.card.get("words")
    asked = grammar_captions(count, words)
    images = np.stack([_first_frame(index, words) for index in range(count)])
    prompts, seeds = [one.prompt for one in asked], [one.seed for one in asked]
    rows, shown = [], []
    for image, one, clip in zip(
        images, asked, generate_clips(components, prompts, seeds, sampling, images), strict=True
    ):
        ours, pinned = to_pixels(clip[None, :1]), to_pixels(image[None, None])
        rows.append((psnr(ours, pinned), psnr(ours, reconstruct(components, image[None]))))
        shown.append((one.prompt, np.concatenate([image[None], clip[::12]])))
    to_image, to_reconstruction = (float(np.mean(column)) for column in zip(*rows, strict=True))
    return FirstFrameFidelity(to_image, to_reconstruction, count), shown


def _first_frame(index: int, words: Words | None) -> Frames:
    stage = build_stage(caption_scene(index, words), WINDOW_FRAMES, NATIVE_FPS, WIDTH / HEIGHT)
    frames, _ = render_frames(stage, HEIGHT, WIDTH, [0])
    return np.ascontiguousarray(frames[0])
