"""Which arithmetic a device is quickest at."""

from __future__ import annotations

import functools

import torch


@functools.cache
def compute_dtype(device_type: str) -> torch.dtype:
    """bfloat16 where the device multiplies it in hardware, float32 elsewhere.

    A processor without such instructions emulates them: bfloat16 matrix products at 0.3 GFLOP/s where float32 ones
    run at 94 (AVX2, two cores; docs/log.md).
    """
    if device_type != "cpu":
        return torch.bfloat16
    in_hardware = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if in_hardware else torch.float32


def autocast(device_type: str) -> torch.autocast:
    """`compute_dtype` arithmetic for what runs inside; parameters keep their own type."""
    dtype = compute_dtype(device_type)
    # Enabled for float32 too, autocast would only warn and turn itself off.
    return torch.autocast(device_type, torch.bfloat16, enabled=dtype == torch.bfloat16)
