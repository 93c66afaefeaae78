from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from daybreak.catalog import ModelUnavailable
from daybreak.checkpoint import Components, load_components, save_components
from daybreak.pipeline import encode_texts
from daybreak.testing import tiny_model

CPU = torch.device("cpu")
WEIGHTS = ["text_encoder.safetensors", "transformer.safetensors", "vae.safetensors"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "tiny")


def outputs(components: Components) -> list[torch.Tensor]:
    """What each of the three networks says about the same input."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        text = encode_texts(components.tokenizer, components.text_encoder, ["a brown dog", ""], CPU)
        latents = torch.randn(2, 4, 2, 2, 2, generator=generator)
        velocity = components.transformer(latents, torch.rand(2, 2, generator=generator), *text)
        pixels = components.vae.decode(latents)
        return [*text, velocity, pixels, components.vae.encode(pixels)]


def edit_card(folder: Path, change: Callable[[Any], Any]) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def edit_weights(folder: Path, name: str, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / name)
    change(tensors)
    save_file(tensors, folder / name)


def refused(folder: Path) -> str:
    """The one line that says why a folder cannot be loaded."""
    with pytest.raises(ModelUnavailable) as caught:
        load_components(folder, CPU)
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(f"the model in {folder} cannot be loaded (")
    assert said.endswith("): install it again")
    return said


def test_a_round_trip_gives_equal_outputs(folder: Path, tmp_path: Path) -> None:
    loaded = load_components(folder, CPU)
    save_components(tmp_path / "again", loaded)
    again = load_components(tmp_path / "again", CPU)
    for ours, theirs in zip(outputs(loaded), outputs(again), strict=True):
        assert torch.equal(ours, theirs)
        assert ours.float().std() > 0
    assert again.card == loaded.card


def test_what_is_loaded_is_ready_to_generate(folder: Path) -> None:
    loaded = load_components(folder, CPU)
    for module in (loaded.text_encoder, loaded.transformer, loaded.vae):
        assert not module.training
        assert all(tensor.dtype == torch.float32 for tensor in module.state_dict().values())
        assert not any(p.requires_grad for p in module.parameters())
    assert loaded.card["transformer"]["latent_channels"] == loaded.vae.config.latent_channels == 4


def test_weights_are_stored_in_half_precision(folder: Path) -> None:
    assert {p.name for p in folder.iterdir()} == {"model.json", "tokenizer.json", *WEIGHTS}
    for name in WEIGHTS:
        assert {tensor.dtype for tensor in load_file(folder / name).values()} == {torch.float16}


def test_whoever_may_read_the_card_may_read_the_weights(folder: Path) -> None:
    assert len({path.stat().st_mode for path in folder.iterdir()}) == 1


def test_what_was_measured_of_the_data_survives(folder: Path, tmp_path: Path) -> None:
    loaded = load_components(folder, CPU)
    loaded.vae.encoder.linear.bias.copy_(torch.arange(4))
    loaded.vae.decoder.linear.bias.fill_(0.5)
    loaded.transformer.deviations.copy_(torch.arange(8).reshape(2, 4))
    save_components(tmp_path / "again", loaded)
    again = load_components(tmp_path / "again", CPU)
    assert again.vae.encoder.linear.bias.tolist() == [0, 1, 2, 3]
    assert (again.vae.decoder.linear.bias == 0.5).all()
    assert again.transformer.deviations.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("name", ["model.json", "tokenizer.json", *WEIGHTS])
def test_a_missing_file_is_told_in_one_line(folder: Path, name: str) -> None:
    (folder / name).unlink()
    refused(folder)


@pytest.mark.parametrize("name", ["model.json", "tokenizer.json", *WEIGHTS])
@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_a_truncated_file_is_told_in_one_line(folder: Path, name: str, share: float) -> None:
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(len(whole) * share)])
    refused(folder)


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_tensor_too_many_too_few_or_of_another_shape_is_refused(folder: Path, name: str) -> None:
    edit_weights(folder, name, lambda tensors: tensors.update(extra=torch.zeros(1)))
    assert "extra" in refused(folder)
    edit_weights(folder, name, lambda tensors: tensors.pop("extra"))
    load_components(folder, CPU)
    first = next(iter(load_file(folder / name)))
    edit_weights(folder, name, lambda tensors: tensors.update({first: torch.zeros(3, 1, 4)}))
    assert first in refused(folder)
    edit_weights(folder, name, lambda tensors: tensors.pop(first))
    assert first in refused(folder)


def test_other_files_in_the_folder_do_not_matter(folder: Path) -> None:
    (folder / "README.md").write_text("notes")
    load_components(folder, CPU)


def within(component: str, **values: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A change of one component's configuration."""
    return lambda card: {**card, component: {**card[component], **values}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: {k: v for k, v in card.items() if k != "vae"}, "vae"),
        (lambda _card: [], "list"),
        (lambda card: {**card, "vae": []}, "items"),
        (within("vae", colour="red"), "VAEConfig has no colour"),
        (within("transformer", width="16"), ""),
        (within("transformer", num_heads=0), ""),
        (within("transformer", num_heads=3), "width 16 is not a multiple of 3 heads"),
        (within("transformer", num_layers=2), "blocks.1"),
        (within("transformer", text_width=8), "text states of width 16 for a transformer that takes 8"),
        (within("vae", latent_channels=8), "4 latent channels, but a VAE with 8"),
        (within("text_encoder", vocabulary_size=50), "word pieces, but states for 50"),
    ],
)
def test_a_card_that_does_not_fit_is_told_in_one_line(
    folder: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    edit_card(folder, change)
    assert said in refused(folder)
