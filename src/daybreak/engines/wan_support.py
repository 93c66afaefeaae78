"""Which Wan checkpoints our own engine runs, told from their configuration alone: no weights, no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from daybreak.catalog import ModelCard
from daybreak.open_models.layout import INDEX_FILE, read_index, read_json
from daybreak.open_models.weights import UnusableModel

# What the configuration of each part must say, the default of diffusers first.
_SUPPORTED: dict[str, Mapping[str, tuple[Any, ...]]] = {
    "transformer": {
        "_class_name": ("WanTransformer3DModel",), "patch_size": ([1, 2, 2],), "cross_attn_norm": (True,),
        "qk_norm": ("rms_norm_across_heads",), "image_dim": (None,), "added_kv_proj_dim": (None,),
    },
    "vae": {"_class_name": ("AutoencoderKLWan",), "attn_scales": ([],), "scale_factor_temporal": (4,)},
    "scheduler": {
        "_class_name": ("UniPCMultistepScheduler",), "use_flow_sigmas": (True,), "solver_type": ("bh2",),
        "prediction_type": ("flow_prediction",), "predict_x0": (True,), "lower_order_final": (True,),
        "disable_corrector": ([],), "thresholding": (False,), "use_dynamic_shifting": (False,),
        "use_karras_sigmas": (False,), "use_exponential_sigmas": (False,), "use_beta_sigmas": (False,),
        "shift_terminal": (None,), "final_sigmas_type": ("zero",), "num_train_timesteps": (1000,),
    },
}  # fmt: skip
_SUPPORTED["transformer_2"] = _SUPPORTED["transformer"]


def why_not(card: ModelCard) -> str:
    """Why a checkpoint is left to diffusers; empty when our own engine runs it. Reads its configuration alone."""
    assert card.path is not None
    try:
        _, components = read_index(read_json(card.path / INDEX_FILE, INDEX_FILE))
        configs = {name: read_part(card.path, name) for name in components if name in _SUPPORTED}
    except (UnusableModel, OSError) as error:
        return str(error)
    if "image_encoder" in components:
        return "it sees its first image through CLIP"
    for name, config in configs.items():
        for key, values in _SUPPORTED[name].items():
            if config.get(key, values[0]) not in values:
                return f"{key} of {name} is {config[key]!r}"
    return "" if components.get("text_encoder") == "UMT5EncoderModel" else "its text encoder is another"


def read_part(folder: Path, part: str) -> Mapping[str, Any]:
    """The configuration of a part of a checkpoint. Raises UnusableModel, OSError."""
    name = "scheduler_config.json" if part == "scheduler" else "config.json"
    return read_json(folder / part / name, f"{part}/{name}")
