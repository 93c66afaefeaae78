"""The examples do what they say, against a live server and with the two settings that they ask for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from live_server import LiveServer

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
MADE = {"create.py": "video.mp4", "extend.py": "longer.mp4", "storyboard.py": "storyboard.mp4", "curl.sh": "curl.mp4"}


def test_there_is_a_test_for_every_example() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == set(MADE)
    for path in EXAMPLES.iterdir():
        assert not path.is_file() or len(path.read_text().splitlines()) < 30


@pytest.mark.parametrize("name", MADE)
def test_an_example_makes_its_video(server: LiveServer, video_id: str, tmp_path: Path, name: str) -> None:
    if name.endswith(".sh") and shutil.which("curl") is None:
        pytest.skip("needs curl")
    command = ["sh"] if name.endswith(".sh") else [sys.executable]
    environment = {**os.environ, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "any-word-will-do"}
    done = subprocess.run(
        [*command, EXAMPLES / name],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / MADE[name]).read_bytes()[4:8] == b"ftyp"
