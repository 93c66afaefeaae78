"""What every test shares: a data folder of its own, no settings of whoever runs the tests, and checked shapes."""

from __future__ import annotations

import os
from pathlib import Path

# Before anything loads torch: two test processes on two cores must not spin while they wait (see cli/app.py).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# Before any test imports the model: from here on every tensor shape that its signatures promise is checked.
install_import_hook(["daybreak.models", "daybreak.diffusion"], "shape_checks.checked")
# A busy machine is no reason to fail.
settings.register_profile("daybreak", deadline=None)
settings.load_profile("daybreak")


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("DAYBREAK_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "data"
    monkeypatch.setenv("DAYBREAK_DATA_DIR", str(folder))
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips tests marked `gpu` where there is no CUDA device; torch is imported only if there is such a test."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
