"""Our Wan VAE against that of diffusers, and what a causal decoder promises."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from daybreak.models.wan.vae import WanVAE, WanVAEConfig
from daybreak.models.wan.vae_layers import upsampled_conv

diffusers = pytest.importorskip("diffusers", reason="needs the extra: pip install 'daybreak[diffusers]'")
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("one_thread")]

WAN_21: dict[str, Any] = {
    "base_dim": 8, "z_dim": 16, "dim_mult": [1, 2, 4, 4], "num_res_blocks": 2,
    "temperal_downsample": [False, True, True],
}  # fmt: skip
WAN_22 = {
    **WAN_21, "decoder_base_dim": 12, "z_dim": 48, "num_res_blocks": 1, "is_residual": True, "in_channels": 12,
    "out_channels": 12, "patch_size": 2, "scale_factor_spatial": 16, "latents_mean": [0.1] * 48,
    "latents_std": [1.5] * 48,
}  # fmt: skip


def pair(sizes: dict[str, Any]) -> tuple[WanVAE, Any]:
    """Ours and that of diffusers with the same weights, all of which count."""
    torch.manual_seed(0)
    theirs = diffusers.AutoencoderKLWan(**sizes).eval().requires_grad_(False)
    for parameter in theirs.parameters():
        parameter += 0.1 * torch.randn_like(parameter)
    config = {field.name: theirs.config[field.name] for field in fields(WanVAEConfig)}
    ours = WanVAE(
        WanVAEConfig(**{name: tuple(value) if isinstance(value, list) else value for name, value in config.items()})
    )
    ours.load_state_dict(theirs.state_dict())
    return ours.eval().requires_grad_(False), theirs


@pytest.mark.parametrize("sizes", [WAN_21, WAN_22], ids=["2.1", "2.2"])
def test_frames_and_latents_are_those_of_diffusers(sizes: dict[str, Any]) -> None:
    ours, theirs = pair(sizes)
    latents = torch.randn(1, sizes["z_dim"], 4, 2, 4)
    expected = theirs.decode(latents * ours.std + ours.mean).sample
    found = torch.cat(list(ours.decode(latents))).transpose(0, 1)[None]
    assert (found - expected).abs().max() < 2e-5
    pixels = torch.rand(1, 3, 9, 32, 64) * 2 - 1
    expected = theirs.encode(pixels).latent_dist.mode()
    assert ((ours.encode(pixels) * ours.std + ours.mean) - expected).abs().max() < 2e-5 * expected.abs().max()


@pytest.mark.parametrize("sizes", [WAN_21, WAN_22], ids=["2.1", "2.2"])
def test_later_frames_change_nothing_before_them(sizes: dict[str, Any]) -> None:
    ours, _ = pair(sizes)
    latents = torch.randn(1, sizes["z_dim"], 4, 2, 2)
    changed = latents.clone()
    changed[:, :, 2:] = torch.randn_like(changed[:, :, 2:])
    first, second = list(ours.decode(latents)), list(ours.decode(changed))
    assert len(first) == 13
    assert all(torch.equal(one, other) for one, other in zip(first[:5], second[:5], strict=True))
    assert not torch.equal(first[5], second[5])
    shorter = list(ours.decode(latents[:, :, :2]))
    assert all(torch.equal(one, other) for one, other in zip(shorter, first, strict=False))


def test_a_folded_kernel_is_a_convolution_of_the_larger_picture() -> None:
    x, weight, bias = torch.randn(2, 3, 5, 4), torch.randn(6, 3, 3, 3), torch.randn(6)
    larger = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.allclose(upsampled_conv(x, weight, bias), F.conv2d(larger, weight, bias, padding=1), atol=1e-5)
