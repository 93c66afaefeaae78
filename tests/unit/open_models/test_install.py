from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from daybreak.catalog import ModelUnavailable, find_model
from daybreak.cli.app import run
from daybreak.open_models.install import import_folder, import_transformer
from daybreak.open_models.layout import check_layout
from daybreak.open_models.weights import UnusableModel
from daybreak.testing import tiny_model
from published import SHARDS, publish


def nothing(_done: int, _total: int) -> None:
    pass


@pytest.fixture
def models_dir(data_dir: Path) -> Path:
    return data_dir / "models"


@pytest.fixture
def installed(tmp_path: Path, models_dir: Path) -> Path:
    return import_folder(publish(tmp_path / "published"), "base", models_dir, {}, nothing)


def leftovers(models_dir: Path) -> list[str]:
    return [path.name for path in (models_dir.parent / "downloads").glob("*")]


def test_a_copy_is_installed_and_outlives_its_source(tmp_path: Path, models_dir: Path) -> None:
    folder = publish(tmp_path / "published")
    told: list[int] = []
    import_folder(folder, "mine", models_dir, {}, lambda done, _total: told.append(done))
    for path in sorted(folder.rglob("*.safetensors")):
        path.write_bytes(b"changed")
    card = find_model("mine", models_dir)
    assert card.details["abilities"] == ["guidance", "negative_prompt", "partial_strength", "steps", "video_pin"]
    assert told[-1] == card.size
    assert card.digest() == card.details["digest"]
    assert leftovers(models_dir) == []


def test_what_cannot_be_run_leaves_nothing(tmp_path: Path, models_dir: Path) -> None:
    folder = publish(tmp_path / "published")
    shard = folder / "transformer" / SHARDS[0]
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(UnusableModel, match="is cut short"):
        import_folder(folder, "mine", models_dir, {}, nothing)
    assert not (models_dir / "mine").exists()
    assert leftovers(models_dir) == []


def test_an_interruption_while_copying_leaves_nothing(tmp_path: Path, models_dir: Path) -> None:
    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_folder(publish(tmp_path / "published"), "mine", models_dir, {}, interrupt)
    assert not (models_dir / "mine").exists()
    assert leftovers(models_dir) == []


def test_an_installed_model_is_replaced_only_when_that_is_said(installed: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="installed already"):
        import_folder(tmp_path / "published", "base", installed.parent, {}, nothing)
    import_folder(tmp_path / "published", "base", installed.parent, {"description": "new"}, nothing, replace=True)
    assert find_model("base", installed.parent).description == "new"
    assert leftovers(installed.parent) == []


@pytest.mark.parametrize("name", ["", "diorama", "../x", "a/b", ".hidden", "Big", "a" * 65])
def test_a_name_is_a_plain_folder_name(tmp_path: Path, models_dir: Path, name: str) -> None:
    with pytest.raises(ValueError, match="a model can't be called"):
        import_folder(publish(tmp_path / "published"), name, models_dir, {}, nothing)


def test_a_single_file_takes_the_place_of_a_models_transformer(installed: Path, tmp_path: Path) -> None:
    tensors = {"a.weight": np.full((64, 64), 7, np.float32), "b.weight": np.ones((32, 8), np.float32)}
    file = tmp_path / "finetune.safetensors"
    save_file({**tensors, "b.bias": np.zeros(8, np.float32)}, file)
    folder = import_transformer(file, "tuned", installed.parent, installed, nothing)
    layout = check_layout(folder)
    assert [name for name in layout.files if name.startswith("transformer/")] == [
        "transformer/config.json", "transformer/diffusion_pytorch_model.safetensors",
    ]  # fmt: skip
    assert load_file(folder / "transformer" / "diffusion_pytorch_model.safetensors")["a.weight"][0, 0] == 7
    assert find_model("tuned", installed.parent).details["pipeline"] == "WanPipeline"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"b.bias": None}, "tensor b.bias of base's transformer is missing from finetune.safetensors"),
        ({"b.bias": np.zeros(9, np.float32)}, r"tensor b.bias in finetune.safetensors is misshapen: \[9\]"),
        ({"lora_A": np.zeros(2, np.float32)}, "tensor lora_A in finetune.safetensors is not one of base's"),
    ],
)
def test_a_file_for_another_model_is_refused_by_its_tensors(
    installed: Path, tmp_path: Path, change: dict[str, np.ndarray | None], message: str
) -> None:
    tensors: dict[str, np.ndarray | None] = {
        "a.weight": np.zeros((64, 64), np.float32),
        "b.weight": np.ones((32, 8), np.float32),
        "b.bias": np.zeros(8, np.float32),
        **change,
    }
    file = tmp_path / "finetune.safetensors"
    save_file({name: tensor for name, tensor in tensors.items() if tensor is not None}, file)
    with pytest.raises(UnusableModel, match=message):
        import_transformer(file, "tuned", installed.parent, installed, nothing)
    assert not (installed.parent / "tuned").exists()


def test_a_model_of_our_own_is_imported_too(tmp_path: Path, models_dir: Path) -> None:
    import_folder(tiny_model(tmp_path / "tiny"), "own", models_dir, {}, nothing)
    assert find_model("own", models_dir).engine == "native"


def test_the_command_refuses_pickles_and_says_what_a_single_file_needs(
    installed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pickle = tmp_path / "model.ckpt"
    pickle.write_bytes(b"cos\nsystem\n(S'touch /tmp/x'\ntR.")
    assert run(["models", "import", str(pickle)]) == 2
    assert "pickles can run any code" in capsys.readouterr().err
    single = tmp_path / "one.safetensors"
    save_file({"w": np.zeros(2, np.float32)}, single)
    assert run(["models", "import", str(single)]) == 2
    assert "--like MODEL" in capsys.readouterr().err
    assert run(["models", "import", str(tmp_path / "published"), "--as", "again"]) == 0
    assert capsys.readouterr().out.strip().endswith("again")


def test_an_alias_is_for_an_installed_model(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "alias", "veo", "nosuch"]) == 2
    assert run(["models", "alias", "veo", "diorama"]) == 0
    capsys.readouterr()
    assert run(["models", "alias"]) == 0
    assert capsys.readouterr().out == "veo = diorama\n"
    assert run(["models", "alias", "veo", "--remove"]) == 0
    assert run(["models", "alias", "veo", "--remove"]) == 2


def test_models_alone_lists_as_models_list_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--json"]) == 0
    alone = json.loads(capsys.readouterr().out)
    assert run(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == alone
    assert {row["name"] for row in alone} >= {"dawn", "diorama"}


def test_a_model_that_is_gone_is_gone_at_once(installed: Path) -> None:
    assert run(["models", "remove", "base"]) == 0
    with pytest.raises(ModelUnavailable):
        find_model("base", installed.parent)
    assert leftovers(installed.parent) == []
