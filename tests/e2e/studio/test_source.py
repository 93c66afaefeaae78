"""The studio's own checks: types, style, texts listed for translators, logic, and the size of a first visit."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

STUDIO = Path(__file__).parents[3] / "studio"


@pytest.mark.skipif(
    shutil.which("npm") is None or not (STUDIO / "node_modules" / "vitest").is_dir(),
    reason="the studio's packages are not installed: `make studio` does that where npm is",
)
def test_the_studio_is_sound() -> None:
    done = subprocess.run(["npm", "run", "--silent", "verify"], cwd=STUDIO, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_lock_file_names_no_registry() -> None:
    assert '"resolved"' not in (STUDIO / "package-lock.json").read_text()
