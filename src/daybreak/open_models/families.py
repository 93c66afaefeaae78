"""Which diffusers pipelines Daybreak runs, and what each family of models can do: one fixed table.

A checkpoint names its classes in `model_index.json`; only names that are written here are ever looked up, so that
a checkpoint cannot choose what code runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Way = Literal["text", "image", "video", "conditions"]  # what a pipeline starts from


@dataclass(frozen=True, slots=True)
class Family:
    """What the models of one architecture have in common; a card may say otherwise for its own model."""

    name: str
    fps: float
    frame_step: int  # a clip has frame_step * k + 1 frames: pixel frames per latent frame
    side_step: int  # sides are multiples of this: pixels per transformer token
    steps: int
    guidance: float
    audio: bool = False
    prompt_tokens: int = 512


@dataclass(frozen=True, slots=True)
class PipelineKind:
    """A pipeline class of a checkpoint, and the classes that its components can be run by."""

    family: Family
    ways: Mapping[Way, str] = field(default_factory=dict)


WAN = Family("wan", 16, 4, 16, 50, 5.0)
LTX = Family("ltx", 24, 8, 32, 50, 3.0, prompt_tokens=128)
LTX2 = Family("ltx2", 24, 8, 32, 40, 4.0, audio=True, prompt_tokens=1024)
HUNYUAN = Family("hunyuan-video-1.5", 24, 4, 16, 50, 6.0)
COGVIDEOX = Family("cogvideox", 8, 4, 16, 50, 6.0, prompt_tokens=226)
SANA = Family("sana-video", 16, 4, 32, 50, 6.0, prompt_tokens=300)
MOCHI = Family("mochi", 30, 6, 16, 64, 4.5, prompt_tokens=256)

PIPELINES: Mapping[str, PipelineKind] = {
    "WanPipeline": PipelineKind(
        WAN, {"text": "WanPipeline", "image": "WanImageToVideoPipeline", "video": "WanVideoToVideoPipeline"}
    ),
    "WanImageToVideoPipeline": PipelineKind(WAN, {"image": "WanImageToVideoPipeline"}),
    "WanVideoToVideoPipeline": PipelineKind(WAN, {"text": "WanPipeline", "video": "WanVideoToVideoPipeline"}),
    "LTXPipeline": PipelineKind(LTX, {"text": "LTXPipeline", "image": "LTXImageToVideoPipeline"}),
    "LTXImageToVideoPipeline": PipelineKind(LTX, {"text": "LTXPipeline", "image": "LTXImageToVideoPipeline"}),
    "LTXConditionPipeline": PipelineKind(LTX, {"text": "LTXConditionPipeline", "conditions": "LTXConditionPipeline"}),
    "LTX2Pipeline": PipelineKind(LTX2, {"text": "LTX2Pipeline", "image": "LTX2ImageToVideoPipeline"}),
    "LTX2ImageToVideoPipeline": PipelineKind(LTX2, {"text": "LTX2Pipeline", "image": "LTX2ImageToVideoPipeline"}),
    "HunyuanVideo15Pipeline": PipelineKind(HUNYUAN, {"text": "HunyuanVideo15Pipeline"}),
    "HunyuanVideo15ImageToVideoPipeline": PipelineKind(HUNYUAN, {"image": "HunyuanVideo15ImageToVideoPipeline"}),
    "CogVideoXPipeline": PipelineKind(
        COGVIDEOX, {"text": "CogVideoXPipeline", "video": "CogVideoXVideoToVideoPipeline"}
    ),
    "CogVideoXVideoToVideoPipeline": PipelineKind(
        COGVIDEOX, {"text": "CogVideoXPipeline", "video": "CogVideoXVideoToVideoPipeline"}
    ),
    "CogVideoXImageToVideoPipeline": PipelineKind(COGVIDEOX, {"image": "CogVideoXImageToVideoPipeline"}),
    "SanaVideoPipeline": PipelineKind(SANA, {"text": "SanaVideoPipeline", "image": "SanaImageToVideoPipeline"}),
    "SanaImageToVideoPipeline": PipelineKind(SANA, {"image": "SanaImageToVideoPipeline"}),
    "MochiPipeline": PipelineKind(MOCHI, {"text": "MochiPipeline"}),
}

# Those that can load LoRAs: diffusers has no loader for HunyuanVideo 1.5.
LORA_PIPELINES = frozenset(name for name, kind in PIPELINES.items() if kind.family is not HUNYUAN)

# Those of Wan, which our own engine runs.
WAN_PIPELINES = frozenset(name for name, kind in PIPELINES.items() if kind.family is WAN)

_DIFFUSERS, _TRANSFORMERS, _LTX2_PARTS = "diffusers", "transformers", "diffusers.pipelines.ltx2"

# Classes with weights, and where each is imported from.
MODULES: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "WanTransformer3DModel", "AutoencoderKLWan",
            "LTXVideoTransformer3DModel", "AutoencoderKLLTXVideo",
            "LTX2VideoTransformer3DModel", "AutoencoderKLLTX2Video", "AutoencoderKLLTX2Audio",
            "HunyuanVideo15Transformer3DModel", "AutoencoderKLHunyuanVideo15",
            "CogVideoXTransformer3DModel", "AutoencoderKLCogVideoX",
            "SanaVideoTransformer3DModel", "AutoencoderDC",
            "MochiTransformer3DModel", "AutoencoderKLMochi",
        ),
        _DIFFUSERS,
    ),
    **dict.fromkeys(("LTX2TextConnectors", "LTX2Vocoder", "LTX2VocoderWithBWE"), _LTX2_PARTS),
    **dict.fromkeys(
        (
            "UMT5EncoderModel", "T5EncoderModel", "Gemma2Model", "Gemma2ForCausalLM", "Gemma3ForConditionalGeneration",
            "Qwen2_5_VLTextModel", "Qwen2_5_VLForConditionalGeneration", "CLIPVisionModel",
            "CLIPVisionModelWithProjection", "SiglipVisionModel",
        ),
        _TRANSFORMERS,
    ),
}  # fmt: skip

# Classes without weights: schedulers, guidance, tokenizers and image processors.
SETTINGS: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler", "CogVideoXDDIMScheduler",
            "CogVideoXDPMScheduler", "DPMSolverMultistepScheduler", "EulerDiscreteScheduler",
        ),
        _DIFFUSERS,
    ),
    "ClassifierFreeGuidance": "diffusers.guiders",
    **dict.fromkeys(
        (
            "T5Tokenizer", "T5TokenizerFast", "ByT5Tokenizer", "Qwen2Tokenizer", "Qwen2TokenizerFast", "GemmaTokenizer",
            "GemmaTokenizerFast", "TokenizersBackend", "PreTrainedTokenizerFast", "CLIPImageProcessor",
            "SiglipImageProcessor", "Gemma3Processor",
        ),
        _TRANSFORMERS,
    ),
}  # fmt: skip


def abilities(pipeline: str, index: Mapping[str, Any], parts: frozenset[str]) -> frozenset[str]:
    """What a checkpoint can honour beyond one prompt for the whole clip.

    `index` is its `model_index.json`, `parts` the names of the components that it has.
    """
    ways = ways_of(pipeline, index, parts)
    able = {"negative_prompt", "steps", "guidance"}
    if "image" in ways:
        able |= {"image_pin", "video_pin"}  # a clip is gone on with from its last frame
        if takes_last_image(pipeline, index, parts):
            able.add("later_pin")
    if "video" in ways:
        able |= {"video_pin", "partial_strength"}
    if "conditions" in ways:
        able |= {"image_pin", "video_pin", "later_pin", "partial_strength"}
    return frozenset(able)


def ways_of(pipeline: str, index: Mapping[str, Any], parts: frozenset[str]) -> Mapping[Way, str]:
    """What the checkpoint itself can start from: a pipeline class for each way."""
    ways = dict(PIPELINES[pipeline].ways)
    if pipeline == "WanPipeline":
        if not index.get("expand_timesteps"):  # only Wan 2.2's 5B takes text and an image with the same weights
            ways.pop("image", None)
        if index.get("expand_timesteps") or "transformer_2" in parts:  # the pipeline knows neither
            ways.pop("video", None)
    return ways


def takes_last_image(pipeline: str, index: Mapping[str, Any], parts: frozenset[str]) -> bool:
    """Whether a last image can be given beside the first one."""
    return (
        pipeline == "WanImageToVideoPipeline"
        and not index.get("expand_timesteps")
        and ("image_encoder" not in parts or bool(index.get("daybreak_last_image")))
    )
