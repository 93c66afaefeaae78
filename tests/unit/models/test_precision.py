"""The arithmetic that a device is quickest at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from daybreak.models.precision import autocast, compute_dtype


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    compute_dtype.cache_clear()
    yield
    compute_dtype.cache_clear()


def processor(monkeypatch: pytest.MonkeyPatch, *, avx512_bf16: bool, amx: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)


def test_a_processor_without_bfloat16_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    processor(monkeypatch, avx512_bf16=False, amx=False)
    assert compute_dtype("cpu") == torch.float32
    x = torch.randn(4, 4)
    with autocast("cpu"):
        assert (x @ x).dtype == torch.float32


@pytest.mark.parametrize(("avx512_bf16", "amx"), [(True, False), (False, True)])
def test_a_processor_with_bfloat16_uses_it(monkeypatch: pytest.MonkeyPatch, avx512_bf16: bool, amx: bool) -> None:
    processor(monkeypatch, avx512_bf16=avx512_bf16, amx=amx)
    x = torch.randn(4, 4)
    with autocast("cpu"):
        assert (x @ x).dtype == compute_dtype("cpu") == torch.bfloat16


def test_a_graphics_device_uses_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    processor(monkeypatch, avx512_bf16=False, amx=False)
    assert compute_dtype("cuda") == torch.bfloat16
