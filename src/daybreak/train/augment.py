"""How the probes' clips are spoilt in training, so that they can read what a model shows imperfectly."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from daybreak.diorama.scene import SceneSpec
from daybreak.evaluate.framing import CELL, HEIGHT, WIDTH
from daybreak.evaluate.probes import ATTRIBUTES, CLASSES, readable_labels

MIXED_SHARE = 0.3  # of clips with their colours mixed up
COLOURFUL = ("colour", "environment", "time_of_day", "weather")  # what such a clip does not show
JITTER = torch.tensor([0.25, 0.25, 0.35])  # largest deviations of windows (`framing.moved`)
UNKNOWN = -100  # a label that the loss ignores; PyTorch's own number for it


def label_numbers(spec: SceneSpec) -> tuple[int, ...]:
    """The classes (7,) of what pictures of the scene show; UNKNOWN where they do not show it."""
    known = readable_labels(spec)
    return tuple(CLASSES[name].index(known[name]) if name in known else UNKNOWN for name in ATTRIBUTES)


def jitter(generator: torch.Generator) -> Tensor:
    """An offset (3,) of windows: as often nearly on the mark as far off it."""
    return JITTER * torch.rand(1, generator=generator) * torch.randn(3, generator=generator)


def augment(pixels: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """The batch as an imperfect model may show it: mirrored, blurred, noisy, a little lighter or darker.

    Returns the pixels, the labels, and which clips (B,) are mirrored. `generator` is of the pixels' device.
    """
    batch, device = len(pixels), pixels.device

    def draw(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=device)

    mirrored = draw(batch) < 0.5
    pixels = torch.where(mirrored[:, None, None, None, None], pixels.flip(-1), pixels)
    labels = torch.where(mirrored[:, None], mirrored_labels(labels), labels)
    # A shape must not be known by its colour: some clips get their colours mixed up, and then tell nothing about light.
    mixed = draw(batch) < MIXED_SHARE
    order = torch.where(mixed[:, None], draw(batch, 3).argsort(1), torch.arange(3, device=device))
    pixels = pixels.gather(1, order[:, :, None, None, None].expand_as(pixels))
    colourful = torch.tensor([name in COLOURFUL for name in ATTRIBUTES], device=device)
    labels = torch.where(mixed[:, None] & colourful, UNKNOWN, labels)
    # Half of the clips lose detail, as a clip made from coarse latents has: seen through blocks of 2 or 4 pixels.
    amount = draw(batch)[:, None, None, None, None]
    pixels = pixels + (4 * amount - 1).clamp(0, 1) * (amount < 0.5) * (blur(pixels, 2) - pixels)
    pixels = pixels + (5 * amount - 4).clamp(0, 1) * (blur(pixels, 4) - pixels)
    contrast, light = 1 + 0.16 * (draw(batch, 1, 1, 1, 1) - 0.5), 0.12 * (draw(batch, 3, 1, 1, 1) - 0.5)
    noise = torch.randn(pixels.shape, generator=generator, device=device) * 0.06 * draw(batch, 1, 1, 1, 1)
    return pixels * contrast + light + noise, labels, mirrored


def mirrored_shares(share: Tensor, mirrored: Tensor) -> Tensor:
    """The shares (B, T, N) of the subject in the cells of clips of which some (B,) are mirrored."""
    cells = share.reshape(*share.shape[:2], HEIGHT // CELL, WIDTH // CELL)
    return torch.where(mirrored[:, None, None, None], cells.flip(-1), cells).flatten(2)


def blur(pixels: Tensor, block: int) -> Tensor:
    """Pixels averaged over blocks in space, and smoothly scaled up again."""
    small = F.avg_pool2d(pixels.flatten(0, 1), block)
    large = F.interpolate(small, scale_factor=float(block), mode="bilinear")
    return large.reshape(pixels.shape)


def mirrored_labels(labels: Tensor) -> Tensor:
    """Labels (B, 7) of the mirrored clips: a pan to the left becomes one to the right."""
    column, words = ATTRIBUTES.index("camera"), CLASSES["camera"]
    left, right = words.index("pan left"), words.index("pan right")
    mirrored = labels.clone()
    mirrored[:, column][labels[:, column] == left] = right
    mirrored[:, column][labels[:, column] == right] = left
    return mirrored
