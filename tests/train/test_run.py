from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from daybreak.generation import GenerationSettings
from daybreak.pipeline import load_pipeline
from daybreak.shapes import VideoSpec
from daybreak.timeline import Shot, Timeline
from daybreak.train.finished import trained_vae
from daybreak.train.loop import averaged_weights
from daybreak.train.recipes import Recipe
from daybreak.train.run import STAGES, run, run_stage

CPU = torch.device("cpu")


def test_all_stages_in_order_give_a_model_that_generates(recipe: Recipe, prepared: Path) -> None:
    for stage in STAGES:
        run_stage(recipe, stage, prepared, CPU, resume=True)
    pipeline = load_pipeline(prepared / "model", "cpu")
    card = pipeline.components.card
    assert card["name"] == "tiny"
    assert {stage: trained["step"] for stage, trained in card["trained"].items()} == {
        "vae": 4, "text": 4, "transformer": 4, "decoder": 4,
    }  # fmt: skip
    assert card["parameters"].keys() == {"vae", "text_encoder", "transformer"}
    assert pipeline.components.vae.config.latent_shift == (0.5, 0.5, 0.5, 0.5)
    # The averaged weights were published, in half precision.
    averaged = averaged_weights(prepared / "transformer")["embed.weight"]
    assert torch.equal(pipeline.components.transformer.embed.weight, averaged.half().float())
    timeline = Timeline((Shot("a brown dog runs"),), VideoSpec(1, 320, 320))
    video = pipeline(timeline, GenerationSettings(0, 1), lambda *_: None)
    assert video.frames.shape == (1, 320, 320, 3)


def test_resuming_writes_no_shard_again(recipe: Recipe, prepared: Path) -> None:
    run_stage(recipe, "vae", prepared, CPU, resume=True)
    run_stage(recipe, "latents", prepared, CPU)
    shard = prepared / "latents" / "latents-00000.safetensors"
    shard.write_bytes(b"kept")
    run_stage(recipe, "latents", prepared, CPU, resume=True)
    assert shard.read_bytes() == b"kept"
    run_stage(recipe, "latents", prepared, CPU)
    assert shard.read_bytes() != b"kept"


@pytest.mark.parametrize("stage", ["latents", "transformer", "decoder", "publish"])
def test_a_stage_says_what_must_be_trained_before_it(recipe: Recipe, tmp_path: Path, stage: str) -> None:
    with pytest.raises(FileNotFoundError, match="has not been trained yet"):
        run_stage(recipe, stage, tmp_path, CPU)


def test_the_transformer_says_when_there_are_no_latents(recipe: Recipe, prepared: Path) -> None:
    for stage in ("vae", "text"):
        run_stage(recipe, stage, prepared, CPU, resume=True)
    with pytest.raises(FileNotFoundError, match="no cached latents"):
        run_stage(recipe, "transformer", prepared, CPU)


def test_a_later_decoder_leaves_the_encoder_as_it_was_and_a_new_vae_forgets_it(recipe: Recipe, prepared: Path) -> None:
    run_stage(recipe, "vae", prepared, CPU, resume=True)
    before = trained_vae(recipe, prepared).state_dict()
    run_stage(recipe, "decoder", prepared, CPU)
    after = trained_vae(recipe, prepared).state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"decoder"}
    run_stage(recipe, "vae", prepared, CPU)
    assert not (prepared / "decoder" / "state.safetensors").exists()
    assert not (prepared / "vae" / "statistics.json").exists()


def test_a_finished_vae_is_frozen_and_normalised(recipe: Recipe, prepared: Path) -> None:
    run_stage(recipe, "vae", prepared, CPU, resume=True)
    vae = trained_vae(recipe, prepared)
    assert not vae.training
    assert not any(p.requires_grad for p in vae.parameters())
    figures = json.loads((prepared / "vae" / "statistics.json").read_text())
    assert vae.scale.tolist() == figures["scale"]


def test_unknown_recipes_and_stages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no recipe 'noon': there are dawn, toy"):
        run("noon", tmp_path)
    with pytest.raises(
        ValueError, match="no stage 'audio': there are vae, text, latents, transformer, decoder, publish"
    ):
        run("toy", tmp_path, stages=("vae", "audio"))
    assert not list(tmp_path.iterdir())
