"""Where the subject of a clip is, and the square window of the picture that shows it alone."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

HEIGHT, WIDTH = 128, 224  # pixels that the probes see, of a landscape clip
TUBELET = 2  # frames of a moment
CELL = 16  # pixels of the grid on which the subject is looked for
CROP = 64  # pixels of the square, scaled picture of the subject


def subject_share(inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Which share of the subject (F, H, W) lies in each cell of each moment, (T, N); zeros where it is not seen."""
    cell = CELL * inside.shape[1] // HEIGHT
    blocks = inside.reshape(-1, TUBELET, HEIGHT // CELL, cell, WIDTH // CELL, cell)
    counts = blocks.sum((1, 3, 5)).reshape(len(blocks), -1).astype(np.float32)
    share: NDArray[np.float32] = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return share


def places(share: Float[Tensor, "B T N"]) -> Float[Tensor, "B T 4"]:
    """Where the subject is: the middle's x and y and the deviations around it, in pixels, over half the width."""
    rows, columns = HEIGHT // CELL, WIDTH // CELL
    y, x = torch.meshgrid(torch.arange(rows) - (rows - 1) / 2, torch.arange(columns) - (columns - 1) / 2, indexing="ij")
    cells = torch.stack([x, y], -1).flatten(0, 1).to(share) * (2 * CELL / WIDTH)  # (N, 2)
    middle = share @ cells
    spread = (share @ cells.square() - middle.square()).clamp(min=0).sqrt()
    return torch.cat([middle, spread], -1)


def windows(place: Float[Tensor, "... 4"]) -> Float[Tensor, "... 3"]:
    """The window around each place: its middle's x and y and half of its side, over half the picture's width.

    Its side is a little more than the subject's longer one.
    """
    # The deviation of an even spread over a box is half its side / sqrt(3); the constant keeps a thin margin.
    half = (2.1 * place[..., 2:].amax(-1, keepdim=True) + 0.05).clamp(0.12, 0.6)
    return torch.cat([place[..., :2], half], -1)


def moved(window: Float[Tensor, "... 3"], offset: Float[Tensor, "... 3"]) -> Float[Tensor, "... 3"]:
    """The window moved by x and y, in halves of its side, and its side scaled by the exponential of the third."""
    half = window[..., 2:]
    return torch.cat([window[..., :2] + offset[..., :2] * half, (half * offset[..., 2:].exp()).clamp(0.08, 0.9)], -1)


def offsets(window: Float[Tensor, "... 3"], target: Float[Tensor, "... 3"]) -> Float[Tensor, "... 3"]:
    """What moves each window to its target: the inverse of `moved`."""
    half = window[..., 2:]
    return torch.cat([(target[..., :2] - window[..., :2]) / half, (target[..., 2:] / half).log()], -1)


def crops(x: Float[Tensor, "BT C H W"], window: Float[Tensor, "BT 3"]) -> Float[Tensor, "BT C CROP CROP"]:
    """What each window shows, scaled to one size."""
    half = window[:, 2]
    scale = torch.stack([half, half * WIDTH / HEIGHT], 1)  # grid_sample counts x and y from -1 to 1
    middle = window[:, :2] * window.new_tensor([1.0, WIDTH / HEIGHT])
    zero = torch.zeros_like(half)
    transform = torch.stack(
        [torch.stack([scale[:, 0], zero, middle[:, 0]], 1), torch.stack([zero, scale[:, 1], middle[:, 1]], 1)], 1
    )
    points = F.affine_grid(transform, [len(x), x.shape[1], CROP, CROP], align_corners=False)
    return F.grid_sample(x, points, mode="bilinear", padding_mode="border", align_corners=False)
