from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybreak.catalog import ModelUnavailable, find_model
from daybreak.cli.app import run
from daybreak.durable import OutOfSpace
from daybreak.open_models import install as install_module
from daybreak.open_models.hub import CannotPull, Source, pull
from daybreak.open_models.layout import check_layout
from daybreak.open_models.weights import UnusableModel
from fake_hub import COMMIT, FakeHub, serving
from published import SHARDS, publish

pytest.importorskip("huggingface_hub", reason="needs the extra: diffusers")
VAE = "vae/diffusion_pytorch_model.safetensors"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    with serving(FakeHub(publish(tmp_path / "published"))) as hub:
        yield hub


@pytest.fixture
def models_dir(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return data_dir / "models"


def source(hub: FakeHub) -> Source:
    return Source("someone/model", mirror=hub.url)


def nothing(_done: int, _total: int) -> None:
    pass


def test_a_model_comes_whole_with_its_card_and_nothing_else(hub: FakeHub, models_dir: Path) -> None:
    told: list[tuple[int, int]] = []
    folder = pull(source(hub), "mine", models_dir, lambda done, total: told.append((done, total)))
    assert folder == models_dir / "mine"
    card = find_model("mine", models_dir)
    assert (card.engine, card.details["pipeline"]) == ("diffusers", "WanPipeline")
    assert card.details["source"] == {"repository": "someone/model", "revision": "main", "commit": COMMIT}
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {*check_layout(folder).files, "model.json"}
    for name in names - {"model.json"}:
        assert (folder / name).read_bytes() == (hub.folder / name).read_bytes()
    done = [each for each, _ in told]
    assert done == sorted(done)
    assert told[-1] == (card.size, card.size)
    assert not (models_dir.parent / "downloads" / "mine").exists()


def test_a_download_that_is_cut_off_goes_on_where_it_stopped(hub: FakeHub, models_dir: Path) -> None:
    hub.cut = {VAE: 100_000}
    pull(source(hub), "mine", models_dir, nothing)
    assert [wanted for name, wanted in hub.requests if name == VAE] == [None, "bytes=100000-"]
    assert (models_dir / "mine" / VAE).read_bytes() == (hub.folder / VAE).read_bytes()


def test_what_came_before_an_interruption_is_kept_and_nothing_is_installed(hub: FakeHub, models_dir: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done > 0.9 * total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(source(hub), "mine", models_dir, interrupt)
    assert not (models_dir / "mine").exists()
    with pytest.raises(ModelUnavailable, match="'mine' is not installed"):
        find_model("mine", models_dir)
    before = len(hub.requests)
    pull(source(hub), "mine", models_dir, nothing)
    again = [name for name, _ in hub.requests[before:]]
    assert 0 < len(again) < before
    assert "text_encoder/model.safetensors" not in again
    assert find_model("mine", models_dir).details["pipeline"] == "WanPipeline"


def test_a_mirror_without_ranges_is_asked_for_the_whole_file_again(hub: FakeHub, models_dir: Path) -> None:
    hub.ranges, hub.cut = False, {VAE: 5_000}
    pull(source(hub), "mine", models_dir, nothing)
    assert (models_dir / "mine" / VAE).read_bytes() == (hub.folder / VAE).read_bytes()


@pytest.mark.parametrize("file", [VAE, "tokenizer/tokenizer.json"])
def test_a_file_with_another_checksum_is_thrown_away(hub: FakeHub, models_dir: Path, file: str) -> None:
    hub.damaged = {file}
    with pytest.raises(CannotPull, match=f"{file} came damaged"):
        pull(source(hub), "mine", models_dir, nothing)
    assert not (models_dir / "mine").exists()
    pull(source(hub), "mine", models_dir, nothing)
    assert (models_dir / "mine" / file).read_bytes() == (hub.folder / file).read_bytes()


def test_a_repository_that_only_has_pickles_is_refused_before_they_come(hub: FakeHub, models_dir: Path) -> None:
    (hub.folder / VAE).rename(hub.folder / "vae" / "diffusion_pytorch_model.bin")
    with pytest.raises(UnusableModel, match=r"vae/diffusion_pytorch_model.bin is a pickle file"):
        pull(source(hub), "mine", models_dir, nothing)
    assert {name for name, _ in hub.requests} == {"model_index.json"}


def test_a_shard_that_the_hub_lacks_is_named_and_nothing_is_installed(hub: FakeHub, models_dir: Path) -> None:
    (hub.folder / "transformer" / SHARDS[1]).unlink()
    with pytest.raises(UnusableModel, match=f"transformer/{SHARDS[1]} is missing"):
        pull(source(hub), "mine", models_dir, nothing)
    assert not (models_dir / "mine").exists()


def test_a_full_disk_is_told_before_anything_large_comes(
    hub: FakeHub, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install_module, "ROOM", 2**60)
    with pytest.raises(OutOfSpace, match=r"GB are needed and .* GB are free"):
        pull(source(hub), "mine", models_dir, nothing)
    assert {name for name, _ in hub.requests} == {"model_index.json"}


def test_gated_missing_and_unreachable_say_what_to_do(hub: FakeHub, models_dir: Path) -> None:
    with pytest.raises(CannotPull, match="there is no someone/other"):
        pull(Source("someone/other", mirror=hub.url), "mine", models_dir, nothing)
    hub.gated = True
    with pytest.raises(CannotPull, match=r"accept the licence of someone/model .* HF_TOKEN"):
        pull(source(hub), "mine", models_dir, nothing)
    with pytest.raises(CannotPull, match=r"--mirror, take --offline"):
        pull(Source("someone/model", mirror="http://127.0.0.1:9"), "mine", models_dir, nothing)
    with pytest.raises(CannotPull, match="the cache has no someone/model"):
        pull(Source("someone/model", offline=True), "mine", models_dir, nothing)


def test_the_token_is_not_sent_to_a_mirror(hub: FakeHub, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    from daybreak.open_models.hub import _Hub

    assert "hf_canary" not in str(_Hub(source(hub))._headers)
    assert "hf_canary" in str(_Hub(Source("someone/model"))._headers)


def test_the_command_pulls_shows_and_removes(
    hub: FakeHub, models_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "pull", "someone/model", "--mirror", hub.url, "--as", "mine"]) == 0
    assert capsys.readouterr().out.strip() == str(models_dir / "mine")
    assert run(["models", "pull", "someone/model", "--mirror", hub.url, "--as", "mine"]) == 2
    assert "remove it first" in capsys.readouterr().err
    assert run(["models", "show", "mine", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pipeline"] == "WanPipeline"
    assert run(["models", "remove", "mine"]) == 0
    assert not (models_dir / "mine").exists()
    assert run(["models", "remove", "mine"]) == 2
    assert run(["models", "remove", "dawn"]) == 2
    assert "it comes with Daybreak" in capsys.readouterr().err
