"""A recipe's trained stages as a model folder, in half precision, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import save_file

from daybreak.checkpoint import Components, load_components, save_components
from daybreak.train.finished import WORDS_FILE, known_words, trained_text_encoder, trained_transformer, trained_vae
from daybreak.train.loop import pick_device, read_metadata
from daybreak.train.recipes import Recipe

NUM_INFERENCE_STEPS = 10  # with 20 the probes found no more of what was asked (docs/log.md)


def publish(recipe: Recipe, directory: Path, folder: Path) -> None:
    """Writes the averaged weights of all three networks trained under `directory`, and their card, to `folder`.

    Raises FileNotFoundError when a stage has not been trained.
    """
    tokenizer, text_encoder = trained_text_encoder(recipe, directory, pick_device("cpu"))
    transformer, vae = trained_transformer(recipe, directory), trained_vae(recipe, directory)
    modules = {"vae": vae, "text_encoder": text_encoder, "transformer": transformer}
    card = {
        "name": recipe.name,
        "description": recipe.description,
        "licence": "Apache-2.0",
        "world": "diorama",  # whose words and sounds go with it
        "native": {"sizes": ["448x256", "256x448", "320x320"], "fps": 24, "num_frames": 49},
        "num_inference_steps": NUM_INFERENCE_STEPS,
        "guidance_scale": 4.0,
        "parameters": {
            name: sum(part.numel() for part in module.state_dict().values()) for name, module in modules.items()
        },
        **({"words": dict(words)} if (words := known_words(directory)) else {}),
        "trained": {stage: _training(directory / stage) for stage in ("vae", "text", "transformer")},
    }
    save_components(folder, Components(tokenizer, text_encoder, transformer, vae, card))


def adopt(folder: Path, directory: Path, recipe: Recipe) -> None:
    """Makes checkpoints of the model in `folder` that `recipe` can go on from; those already in `directory` stay.

    The optimisers start anew, and the text encoder can be used but not trained on: its training needs heads that
    are not published. Raises ModelUnavailable when the folder's weights are missing or damaged, ValueError when they
    are not of the recipe's sizes.
    """
    components = load_components(folder, pick_device("cpu"))
    sizes = (components.vae.config, components.text_encoder.config, components.transformer.config)
    if sizes != (recipe.vae.model, recipe.text.model, recipe.transformer.model):
        name = components.card.get("name", "no name")
        raise ValueError(f"{folder.name} was trained by the recipe {name}: its sizes do not fit {recipe.name}'s")
    modules = {"vae": components.vae, "text": components.text_encoder, "transformer": components.transformer}
    for stage, module in modules.items():
        path = directory / stage / "state.safetensors"
        if path.exists():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        prefixes = ("averaged.encoder.",) if stage == "text" else ("averaged.", "module.")
        weights = {
            f"{prefix}{k}": v.contiguous().clone() for prefix in prefixes for k, v in module.state_dict().items()
        }
        trained = components.card["trained"][stage]
        save_file(weights, path, metadata={key: str(trained[key]) for key in ("step", "seconds")})
    if words := components.card.get("words"):
        (directory / WORDS_FILE).write_text(json.dumps(words), encoding="utf-8")
    tokenizer = directory / "text" / "tokenizer.json"
    if not tokenizer.exists():
        components.tokenizer.save(tokenizer)


def _training(stage: Path) -> dict[str, int]:
    """How many steps and seconds a stage was trained for."""
    return {key: round(float(value)) for key, value in read_metadata(stage / "state.safetensors").items()}
