from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import daybreak
from daybreak.generation_settings import GenerationSettings
from daybreak.pipeline import load_pipeline
from daybreak.shapes import VideoSpec
from daybreak.timeline import Shot, Timeline
from daybreak.train.finished import trained_vae
from daybreak.train.latents import read_shard, render_reduced, scene_seed, shard_bucket, shard_path
from daybreak.train.loop import averaged_weights
from daybreak.train.publish import adopt
from daybreak.train.recipes import Recipe, find_recipe
from daybreak.train.run import STAGES, How, run, run_stage
from daybreak.train.world import to_pixels

CPU = How(torch.device("cpu"))
BUNDLED = Path(daybreak.__file__).parent / "weights" / "dawn"
RESUMED = replace(CPU, resume=True)


def test_all_stages_in_order_give_a_model_that_generates(recipe: Recipe, prepared: Path) -> None:
    for stage in STAGES:
        run_stage(recipe, stage, prepared, RESUMED)
    pipeline = load_pipeline(prepared / "model", "cpu")
    card = pipeline.components.card
    assert card["name"] == "tiny"
    assert {stage: trained["step"] for stage, trained in card["trained"].items()} == {
        "vae": 4, "text": 4, "transformer": 4,
    }  # fmt: skip
    assert card["parameters"].keys() == {"vae", "text_encoder", "transformer"}
    # The averaged weights were published, in half precision, and with them what was measured before the first step.
    published = pipeline.components.transformer.state_dict()
    averaged = averaged_weights(prepared / "transformer")
    for name in ("embed.weight", "deviations"):
        assert torch.equal(published[name], averaged[name].half().float())
    assert (averaged["deviations"] != 1).all()
    clips = read_shard(shard_path(prepared / "latents", 0)).latents
    with torch.no_grad():
        frames, _ = render_reduced(scene_seed(0, 0), *shard_bucket(0))
        again = pipeline.components.vae.encode_reduced(to_pixels([frames]))
    torch.testing.assert_close(again[0], clips[0].float(), rtol=0.05, atol=0.05)
    timeline = Timeline((Shot("a brown dog runs"),), VideoSpec(1, 320, 320))
    video = pipeline(timeline, GenerationSettings(0, 1), lambda *_args, **_kwargs: None)
    assert video.frames.shape == (1, 320, 320, 3)


def test_resuming_writes_no_shard_again(recipe: Recipe, prepared: Path) -> None:
    run_stage(recipe, "vae", prepared, RESUMED)
    run_stage(recipe, "latents", prepared, CPU)
    shards = [prepared / "latents" / f"{kind}-00000.safetensors" for kind in ("clips", "stills")]
    assert sorted((prepared / "latents").iterdir()) == shards
    for shard in shards:
        shard.write_bytes(b"kept")
    run_stage(recipe, "latents", prepared, RESUMED)
    assert [shard.read_bytes() for shard in shards] == [b"kept"] * 2
    run_stage(recipe, "latents", prepared, CPU)
    assert b"kept" not in [shard.read_bytes() for shard in shards]


@pytest.mark.parametrize("stage", ["latents", "transformer", "distil", "publish"])
def test_a_stage_says_what_must_be_trained_before_it(recipe: Recipe, tmp_path: Path, stage: str) -> None:
    with pytest.raises(FileNotFoundError, match="has not been trained yet"):
        run_stage(recipe, stage, tmp_path, CPU)


def test_the_transformer_says_when_there_are_no_latents(recipe: Recipe, prepared: Path) -> None:
    for stage in ("vae", "text"):
        run_stage(recipe, stage, prepared, RESUMED)
    with pytest.raises(FileNotFoundError, match="no cached latents"):
        run_stage(recipe, "transformer", prepared, CPU)


def test_a_run_that_is_resumed_keeps_its_linear_code_and_a_new_one_fits_its_own(recipe: Recipe, tmp_path: Path) -> None:
    """The latents of a resumed VAE, and what was trained on them, stay valid."""
    run_stage(recipe, "vae", tmp_path, RESUMED)  # nothing to resume: it begins
    fitted = trained_vae(recipe, tmp_path).state_dict()
    path = tmp_path / "vae" / "state.safetensors"
    tensors = load_file(path)
    for name in ("module.encoder.linear.bias", "averaged.encoder.linear.bias"):
        tensors[name] = torch.full((4,), 7.0)
    save_file(tensors, path, metadata={"step": "2", "seconds": "1"})
    run_stage(recipe, "vae", tmp_path, RESUMED)
    resumed = trained_vae(recipe, tmp_path).state_dict()
    assert resumed["encoder.linear.bias"].tolist() == [7, 7, 7, 7]
    trained = "decoder.network.rest.conv.weight"
    assert not torch.equal(resumed[trained], fitted[trained])  # it did go on
    run_stage(recipe, "vae", tmp_path, CPU)
    anew = trained_vae(recipe, tmp_path).state_dict()
    assert anew.keys() == fitted.keys()
    assert all(torch.equal(anew[name], fitted[name]) for name in fitted)


def test_a_finished_vae_is_frozen(recipe: Recipe, tmp_path: Path) -> None:
    run_stage(recipe, "vae", tmp_path, CPU)
    vae = trained_vae(recipe, tmp_path)
    assert not vae.training
    assert not any(p.requires_grad for p in vae.parameters())


def test_unknown_recipes_and_stages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no recipe 'noon': there are dawn, sunrise, toy"):
        run("noon", tmp_path, CPU)
    with pytest.raises(ValueError, match="'audio': there are vae, text, latents, transformer, distil, publish"):
        run("toy", tmp_path, CPU, ("vae", "audio"))
    assert not list(tmp_path.iterdir())


def test_training_goes_on_from_a_published_model(recipe: Recipe, prepared: Path, tmp_path: Path) -> None:
    for stage in STAGES:
        run_stage(recipe, stage, prepared, RESUMED)
    again = tmp_path / "again"
    adopt(prepared / "model", again, recipe)
    for name, tensor in averaged_weights(again / "transformer").items():
        assert torch.equal(tensor, averaged_weights(prepared / "transformer")[name].half().float())
    longer = replace(
        recipe, transformer=replace(recipe.transformer, loop=replace(recipe.transformer.loop, num_steps=6))
    )
    for stage in ("vae", "latents", "transformer", "publish"):
        run_stage(longer, stage, again, RESUMED)
    card = load_pipeline(again / "model", "cpu").components.card
    assert {stage: trained["step"] for stage, trained in card["trained"].items()} == {
        "vae": 4, "text": 4, "transformer": 6,
    }  # fmt: skip
    # Text states are what the transformer learnt from: they must be the same to the bit.
    before, after = (load_file(folder / "model" / "text_encoder.safetensors") for folder in (prepared, again))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    # What was trained here already is not overwritten.
    trained = (again / "transformer" / "state.safetensors").read_bytes()
    adopt(prepared / "model", again, recipe)
    assert (again / "transformer" / "state.safetensors").read_bytes() == trained


def test_weights_of_other_sizes_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dawn was trained by the recipe dawn: its sizes do not fit sunrise's"):
        adopt(BUNDLED, tmp_path / "run", find_recipe("sunrise"))
    assert not (tmp_path / "run").exists()
    adopt(BUNDLED, tmp_path / "run", find_recipe("dawn"))
    assert trained_vae(find_recipe("dawn"), tmp_path / "run").config == find_recipe("dawn").vae.model


def test_the_hook_is_called_for_every_stage_s_checkpoint(recipe: Recipe, tmp_path: Path) -> None:
    saved: list[bool] = []
    path = tmp_path / "vae" / "state.safetensors"
    run_stage(recipe, "vae", tmp_path, replace(CPU, on_save=lambda: saved.append(path.exists())))
    assert saved == [True]
