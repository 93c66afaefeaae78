"""The linear code that the VAE starts from: the Karhunen-Loeve transform of blocks of rendered pixels.

Of all linear codes with C numbers a block, this one loses least in the mean square (Eckart & Young, 1936). Fitting
it takes a minute; the network that starts from it needs none of the hour that finding it by gradients takes.
What it loses, the cells around a block tell in part: the best linear map from them of a given rank is a closed form
too (Izenman, 1975: reduced-rank regression).
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from daybreak.models.vae import AROUND, SPATIAL, TEMPORAL, VAE, Context, encoder_blocks, reduce_pixels

# A latent channel's deviation is its component's deviation to this power. At 1 the picture's mean colour drowns
# all else in the transformer's loss, at 0 (whitened latents) fine texture counts as much as the picture's layout.
SPECTRUM = 0.5
# What the context is fitted to: the first channels of a cell, its four neighbours and the cell before. Of more, as of
# more numbers in between, held-out scenes gained less: all 18 cells' channels were learnt by heart (docs/log.md).
INPUTS = 48
CROSS = torch.tensor([[[0, 0, 0], [0, 1, 0], [0, 0, 0]], [[0, 1, 0], [1, 1, 1], [0, 1, 0]]], dtype=torch.bool)
RIDGE = 0.02  # of the inputs' mean square


def fit_linear_code(vae: VAE, clips: Iterable[Float[Tensor, "1 3 F H W"]]) -> None:
    """Sets the linear maps of `vae` from pixels in [-1, 1]: principal components, and the best way back from them.

    Clips have 8k + 1 frames and sides in multiples of 32. The latents' mean square comes to 1.
    """
    blocks, targets = [], []
    back = vae.decoder.linear
    for clip in clips:
        blocks.append(_rows(encoder_blocks(reduce_pixels(clip))))
        if back is not None:
            targets.append(_rows(_decoder_blocks(clip)).half())  # the largest thing here by far
    seen = torch.cat(blocks)
    centre = seen.mean(0)
    centred = seen - centre
    variances, components = principal_components(centred, vae.config.latent_channels)
    variances = variances.clamp_min(1e-6)
    gains = variances ** ((SPECTRUM - 1) / 2)
    gains = gains / (gains.square() * variances).mean().sqrt()
    analysis = (components * gains).T
    latents = centred @ analysis.T
    vae.encoder.linear.weight.copy_(analysis)
    vae.encoder.linear.bias.copy_(-analysis @ centre)
    if back is not None:
        synthesis, offset = _least_squares(latents, targets)
        back.weight.copy_(synthesis)
        back.bias.copy_(offset)


def fit_context(vae: VAE, clips: Iterable[Float[Tensor, "1 3 F H W"]]) -> None:
    """Sets the decoder's context from pixels in [-1, 1]: whole pictures, for their edges are fitted as well.

    Of all maps through as few numbers, the one that leaves the least of what the linear code lost in the mean square.
    Raises ValueError when the decoder has none.
    """
    decoder = vae.decoder
    if decoder.context is None or decoder.linear is None:
        raise ValueError("a decoder with 0 context channels has no context to fit")
    inputs = min(INPUTS, vae.config.latent_channels)
    device = decoder.linear.weight.device
    gram, products, count = torch.zeros(0), torch.zeros(0), 0
    for clip in (clip.to(device) for clip in clips):
        latents = vae.encode(clip)
        seen = neighbourhoods(latents[:, :inputs])
        lost = _rows(_decoder_blocks(clip)) - _rows(decoder.linear(latents))
        if not count:
            gram, products = (seen.new_zeros(seen.shape[1], rows.shape[1]) for rows in (seen, lost))
        gram.addmm_(seen.T, seen)
        products.addmm_(seen.T, lost)
        count += len(seen)
    set_context(decoder.context, gram / count, products / count)


def set_context(context: Context, gram: Float[Tensor, "P P"], products: Float[Tensor, "P Q"]) -> None:
    """Sets the reduced-rank regression whose inputs' and outputs' mean products are given."""
    gram = gram + RIDGE * gram.diagonal().mean() * torch.eye(len(gram), device=gram.device)
    root = torch.linalg.cholesky(gram)
    whitened = torch.linalg.solve_triangular(root, products, upper=False)  # the same regression from white inputs
    _, directions = torch.linalg.eigh(whitened @ whitened.T)
    kept = directions.flip(1)[:, : len(context.gather)]
    gather = torch.linalg.solve_triangular(root.T, kept, upper=True).T
    taps = int(CROSS.sum())
    context.gather.zero_()
    context.gather[:, : gather.shape[1] // taps, CROSS] = rearrange(gather, "R (C n) -> R C n", n=taps)
    context.spread.copy_(whitened.T @ kept)


def neighbourhoods(latents: Float[Tensor, "B C T H W"]) -> Float[Tensor, "n P"]:
    """A row for each cell: all channels of itself and of the cells next to it, above, below and before."""
    padded = F.pad(latents, AROUND, mode="replicate")
    windows = padded.unfold(2, 2, 1).unfold(3, 3, 1).unfold(4, 3, 1)
    return rearrange(windows[..., CROSS], "B C T H W n -> (B T H W) (C n)")


def principal_components(centred: Float[Tensor, "n P"], count: int) -> tuple[Tensor, Tensor]:
    """The `count` largest variances of `centred` rows, falling, and their directions (P, count)."""
    if len(centred) < centred.shape[1]:  # with few rows, their singular vectors are there much sooner
        _, singular, directions = torch.linalg.svd(centred, full_matrices=False)
        return singular[:count].square() / len(centred), directions[:count].T
    variances, directions = torch.linalg.eigh(centred.T @ centred / len(centred))
    return variances.flip(0)[:count], directions.flip(1)[:, :count]


def _least_squares(latents: Tensor, targets: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The matrix and the offset that bring `latents` closest to `targets` in the mean square."""
    inputs = torch.cat([latents, torch.ones_like(latents[:, :1])], 1)
    products = latents.new_zeros(inputs.shape[1], targets[0].shape[1])
    for rows, part in zip(torch.split(inputs, [len(part) for part in targets]), targets, strict=True):
        products += rows.T @ part.float()
    gram = inputs.T @ inputs
    gram += 1e-4 * gram.diagonal().mean() * torch.eye(len(gram), device=gram.device)
    solved = torch.linalg.solve(gram, products)
    return solved[:-1].T, solved[-1]


def _decoder_blocks(pixels: Tensor) -> Tensor:
    filled = torch.cat([pixels[:, :, :1]] * (TEMPORAL - 1) + [pixels], 2)
    return rearrange(
        filled, "B c (T t) (H h) (W w) -> B (c t h w) T H W", t=TEMPORAL, h=SPATIAL, w=SPATIAL
    )  # the order that Decoder.linear_pixels takes apart


def _rows(blocks: Tensor) -> Tensor:
    return rearrange(blocks, "B P T H W -> (B T H W) P")
