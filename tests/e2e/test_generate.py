"""The command as a person runs it: a process of its own, a prompt in, an mp4 out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from daybreak.media.probe import decode_frames, probe_video

COMMAND = [sys.executable, "-m", "daybreak", "generate", "--model", "diorama"]
SMALL = ["--size", "128x64", "--seconds", "0.5", "--fps", "12"]


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_a_prompt_becomes_a_file_of_exactly_the_size_and_length_asked_for(tmp_path: Path) -> None:
    done = run("a blue bird flies over the sea", *SMALL, "-o", "bird.mp4", "--seed", "7", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    facts = probe_video(tmp_path / "bird.mp4")
    assert (facts.width, facts.height, facts.num_frames, facts.fps) == (128, 64, 6, 12.0)
    assert (facts.codec, facts.pixel_format, facts.audio_codec, facts.faststart) == ("h264", "yuv420p", "aac", True)
    assert (report["model"], report["procedural"], report["seed"], report["path"]) == ("diorama", True, 7, "bird.mp4")
    assert "procedural" in done.stderr
    assert decode_frames(tmp_path / "bird.mp4").std() > 5  # a picture, not a flat colour


def test_like_reproduces_a_file_bit_for_bit(tmp_path: Path) -> None:
    first = run("a red car drives through the town at night", *SMALL, "-o", "a.mp4", folder=tmp_path)
    second = run("--like", "a.mp4", "-o", "b.mp4", folder=tmp_path)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_without_a_name_the_file_is_named_after_the_prompt_and_printed(tmp_path: Path) -> None:
    done = run("a pig", *SMALL, folder=tmp_path)
    assert done.stdout == "a-pig.mp4\n"
    assert probe_video(tmp_path / "a-pig.mp4").num_frames == 6


def test_a_profile_says_where_the_time_went(tmp_path: Path) -> None:
    told = run("a pig", *SMALL, "-o", "a.mp4", "--profile", folder=tmp_path)
    names = [line[:24].strip() for line in told.stderr.splitlines() if line.endswith("%")]
    assert names == ["starting", "the engine besides", "fitting to the size", "encoding the file", "together"]
    assert told.stdout == "a.mp4\n"
    report = json.loads(run("a pig", *SMALL, "-o", "b.mp4", "--profile", "--json", folder=tmp_path).stdout)
    assert list(report["stages"]) == names[:-1]
    assert sum(report["stages"].values()) == pytest.approx(report["wall_seconds"], abs=0.02)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopping_leaves_no_file(number: signal.Signals, status: int, tmp_path: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "a dog runs", "--seconds", "60", "-o", "long.mp4"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()  # the first reported step: generation is under way
        os.kill(process.pid, number)
        rest = process.stderr.read()
    assert process.returncode == status, line + rest
    assert "step 1440 of 1440" not in rest
    assert list(tmp_path.glob("*.mp4")) + list(tmp_path.glob(".*")) == []


def test_a_full_disk_is_one_clear_line_and_nothing_half_written(tmp_path: Path) -> None:
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)); sys.argv[:] = sys.argv[1:]"
    )
    script = f"{limited}; from daybreak.cli import main; main()"
    arguments = ["daybreak", *COMMAND[3:], "a dog", *SMALL, "-o", "clip.mp4"]
    # Compiled code is cached in files too: a run without the limit writes those first.
    assert run("a dog", *SMALL, "-o", "free.mp4", folder=tmp_path).returncode == 0
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("daybreak: the disk is full: clip.mp4 was not written: free some")
    assert [path.name for path in tmp_path.iterdir()] == ["free.mp4"]
