"""Single files of Wan: told apart by their tensors, renamed into the layout of the model that they join."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from daybreak.cli.app import run
from daybreak.open_models.install import import_folder, import_transformer
from daybreak.open_models.layout import check_layout
from daybreak.open_models.wan_names import diffusers_name
from daybreak.open_models.weights import UnusableModel, read_tensors
from published import SHARD_INDEX, SHARDS, WAN_INDEX, publish

# A transformer of Wan that is cut down to a few tensors of each kind, as the makers name them.
ORIGINAL = {
    "patch_embedding.weight": (1536, 16, 1, 2, 2),
    "time_projection.1.weight": (12, 2),
    "blocks.0.self_attn.q.weight": (2, 2),
    "blocks.0.norm3.bias": (2,),
    "blocks.0.modulation": (1, 6, 2),
    "head.modulation": (1, 2, 2),
}
DIFFUSERS = {
    "patch_embedding.weight": "patch_embedding.weight",
    "time_projection.1.weight": "condition_embedder.time_proj.weight",
    "blocks.0.self_attn.q.weight": "blocks.0.attn1.to_q.weight",
    "blocks.0.norm3.bias": "blocks.0.norm2.bias",
    "blocks.0.modulation": "blocks.0.scale_shift_table",
    "head.modulation": "scale_shift_table",
}


def nothing(_done: int, _total: int) -> None:
    pass


def tensors(prefix: str = "") -> dict[str, np.ndarray]:
    return {
        prefix + name: np.arange(np.prod(shape), dtype=np.float16).reshape(shape) + number
        for number, (name, shape) in enumerate(ORIGINAL.items())
    }


def put_transformer(part: Path) -> None:
    for file in (*SHARDS, SHARD_INDEX):
        (part / file).unlink(missing_ok=True)
    zeros = {DIFFUSERS[name]: np.zeros(shape, np.float32) for name, shape in ORIGINAL.items()}
    # Published by mistake and never used: a file without it is whole.
    zeros["blocks.0.attn2.norm_added_q.weight"] = np.zeros(2, np.float32)
    save_file(zeros, part / "diffusion_pytorch_model.safetensors")


@pytest.fixture
def wan(tmp_path: Path, data_dir: Path) -> Path:
    """An installed model with such a transformer, in the layout of diffusers."""
    folder = publish(tmp_path / "published")
    put_transformer(folder / "transformer")
    return import_folder(folder, "wan", data_dir / "models", {}, nothing)


@pytest.fixture
def two_experts(tmp_path: Path, data_dir: Path) -> Path:
    index = {**WAN_INDEX, "transformer_2": ["diffusers", "WanTransformer3DModel"]}
    folder = publish(tmp_path / "published-two", index)
    shutil.copytree(folder / "transformer", folder / "transformer_2", dirs_exist_ok=True)
    for part in ("transformer", "transformer_2"):
        put_transformer(folder / part)
    return import_folder(folder, "two", data_dir / "models", {}, nothing)


@pytest.mark.parametrize("prefix", ["", "model.diffusion_model."])
def test_the_makers_names_become_those_of_the_model(wan: Path, tmp_path: Path, prefix: str) -> None:
    file, told = tmp_path / "wan2.1_t2v.safetensors", list[tuple[int, int]]()
    save_file(tensors(prefix), file, metadata={"modelspec.title": "x"})
    folder = import_transformer(file, "mine", wan.parent, wan, lambda *bytes_: told.append(bytes_))
    made = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    found = load_file(made)
    assert {name: tensor.dtype for name, tensor in found.items()} == dict.fromkeys(DIFFUSERS.values(), np.float16)
    for name, tensor in tensors().items():
        assert np.array_equal(found[DIFFUSERS[name]], tensor)
    assert read_tensors(made).keys() == check_layout(folder).tensors["transformer"].keys()
    assert told[-1][0] == told[-1][1]
    assert json.loads(made.read_bytes()[8:].split(b"}}")[0] + b"}}")["__metadata__"] == {"format": "pt"}


def test_names_of_either_layout_have_one_name() -> None:
    for original, name in DIFFUSERS.items():
        assert diffusers_name(original) == diffusers_name(name) == name
    assert diffusers_name("img_emb.proj.4.bias") == "condition_embedder.image_embedder.norm2.bias"
    assert diffusers_name("blocks.7.cross_attn.norm_k_img.weight") == "blocks.7.attn2.norm_added_k.weight"
    assert diffusers_name("transformer_blocks.0.ff.net.0.proj.weight") == "transformer_blocks.0.ff.net.0.proj.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"blocks.0.norm3.bias": None}, r"tensor blocks\.0\.norm2\.bias of wan's transformer is missing from f\.safe"),
        ({"blocks.0.norm3.bias": np.zeros(3)}, r"tensor blocks\.0\.norm2\.bias in f\.safetensors is misshapen: \[3\]"),
        ({"blocks.1.norm3.bias": np.zeros(2)}, r"tensor blocks\.1\.norm3\.bias in f\.safetensors is not one of wan's"),
        ({"scaled_fp8": np.zeros(2)}, r"8-bit numbers with scales .*scaled_fp8.* fp16, bf16 or GGUF copy"),
    ],
)
def test_one_that_does_not_fit_is_refused_by_its_tensor(
    wan: Path, tmp_path: Path, change: dict[str, np.ndarray | None], message: str
) -> None:
    file, held = tmp_path / "f.safetensors", {**tensors(), **change}
    save_file({name: tensor for name, tensor in held.items() if tensor is not None}, file)
    with pytest.raises(UnusableModel, match=message):
        import_transformer(file, "mine", wan.parent, wan, nothing)
    assert not (wan.parent / "mine").exists()


def test_a_file_of_one_expert_says_so_in_its_name(two_experts: Path, tmp_path: Path) -> None:
    for name in ("t2v_high_noise_14B", "t2v_low_noise_14B", "t2v_14B"):
        save_file(tensors(), tmp_path / f"{name}.safetensors")
    for name, part, other in (
        ("t2v_high_noise_14B", "transformer", "transformer_2"), ("t2v_low_noise_14B", "transformer_2", "transformer")
    ):  # fmt: skip
        folder = import_transformer(
            tmp_path / f"{name}.safetensors", "mine", two_experts.parent, two_experts, nothing, replace=True
        )
        file = "diffusion_pytorch_model.safetensors"
        assert load_file(folder / part / file)["scale_shift_table"].max() > 0
        assert load_file(folder / other / file)["scale_shift_table"].max() == 0
    with pytest.raises(UnusableModel, match="high_noise or low_noise"):
        import_transformer(tmp_path / "t2v_14B.safetensors", "other", two_experts.parent, two_experts, nothing)


def refusal(file: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["models", "import", str(file)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_the_command_says_what_a_transformer_lacks_and_who_has_it(
    tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wan2.1_t2v_1.3B_fp16.safetensors"
    blocks = {f"blocks.{number}.norm3.bias": np.zeros(2, np.float16) for number in range(1, 30)}
    save_file({**tensors("model.diffusion_model."), **blocks}, file)
    said = refusal(file, capsys)
    assert "a transformer of Wan (30 blocks, 1536 wide) without the text encoder, tokenizer and VAE" in said
    assert "none is installed that it fits, such as wan2.1-t2v-1.3b: `daybreak models pull` it" in said


def test_the_command_names_the_installed_model_that_a_file_fits(
    wan: Path, two_experts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wan2.1_t2v_1.3B_fp16.safetensors"
    save_file(tensors(), file)
    assert refusal(file, capsys).endswith("it fits wan\n")
    assert run(["models", "import", str(file), "--like", "wan", "--as", "mine"]) == 0


@pytest.mark.parametrize(
    ("tensor", "what"),
    [
        ("decoder.conv1.weight", "a VAE of Wan"),
        ("encoder.block.0.layer.0.SelfAttention.q.weight", "a text encoder"),
    ],
)
def test_the_command_says_what_else_a_file_is(
    tmp_path: Path, data_dir: Path, capsys: pytest.CaptureFixture[str], tensor: str, what: str
) -> None:
    save_file({tensor: np.zeros((2, 2), np.float16)}, tmp_path / "other.safetensors")
    assert f"other.safetensors is {what}, which is not imported by itself" in refusal(
        tmp_path / "other.safetensors", capsys
    )
