"""Every family of open models the two ways that a person asks: the command, and the Videos API on a live server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybreak.cli.app import run
from daybreak.media.probe import probe_video
from daybreak.open_models.install import import_folder
from live_server import LiveServer, live_server, until

pytest.importorskip("diffusers", reason="needs the extra: pip install 'daybreak[diffusers]'")
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]

FAMILIES = ("wan", "ltx", "ltx2", "cogvideox", "sana-video", "hunyuan-video-1.5", "mochi")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server on whose disk a tiny checkpoint of every family is installed."""
    from tiny_checkpoints import build

    folder = tmp_path_factory.mktemp("families")
    for name in FAMILIES:
        built = build(name, folder / "built" / name)
        import_folder(built, name, folder / "data" / "models", {}, lambda _done, _total: None)
    with live_server(folder) as server:
        yield server


def test_every_family_answers_the_videos_api(server: LiveServer) -> None:
    ids = {}
    for seed, name in enumerate(FAMILIES):
        body = {"prompt": "a brown dog runs", "model": name, "size": "64x64", "seconds": 1, "seed": seed}
        ids[name] = server.post("/v1/videos", {**body, "num_inference_steps": 2})["id"]
    for name, video in ids.items():
        until(lambda video=video: server.get(f"/v1/videos/{video}")["completed_at"], 300, 0.3)  # type: ignore[misc]
        ended = server.get(f"/v1/videos/{video}")
        assert (ended["status"], ended["error"]) == ("completed", None), name
        [stored] = (server.folder / "data").rglob(f"{video}/*/video.mp4")
        facts = probe_video(stored)
        assert (facts.width, facts.height, facts.num_frames) == (64, 64, 24), name
        assert facts.audio_codec == ("aac" if name == "ltx2" else None), name


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_answers_the_command(
    server: LiveServer, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAYBREAK_DATA_DIR", str(server.folder / "data"))
    arguments = ["--model", name, "--size", "64x64", "--seconds", "0.5", "--steps", "2", "--seed", "3", "--json"]
    assert run(["generate", "a brown dog runs", *arguments, "-o", str(tmp_path / "clip.mp4")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["model"], report["procedural"]) == (name, False)
    facts = probe_video(tmp_path / "clip.mp4")
    assert (facts.width, facts.height, facts.num_frames) == (64, 64, 12)
    assert facts.audio_codec == ("aac" if name == "ltx2" else None)
