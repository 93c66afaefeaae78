"""Checkpoints of random weights in the published layouts, a few hundred kilobytes each: built here, offline.

Shapes are those of diffusers' own quick tests; the tokenizers know single characters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

SIDE = 64  # pixels: the smallest clip there is


def tokenizer(max_length: int = 16) -> Any:
    """A tokenizer of characters."""
    vocabulary = {"<pad>": 0, "</s>": 1, "<unk>": 2, "<s>": 3}
    vocabulary |= {chr(code): code + 4 for code in range(32, 127)}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    special = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>", "bos_token": "<s>"}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=max_length, **special)


def t5(kind: str = "T5") -> Any:
    sizes = {"d_model": 32, "d_ff": 37, "d_kv": 8, "num_layers": 1, "num_heads": 4, "feed_forward_proj": "gated-gelu"}
    config = getattr(transformers, f"{kind}Config")(vocab_size=400, **sizes)
    return getattr(transformers, f"{kind}EncoderModel")(config).eval()


def unipc() -> Any:
    return diffusers.UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)


def flow() -> Any:
    return diffusers.FlowMatchEulerDiscreteScheduler()


def wan_vae() -> Any:
    return diffusers.AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )


def wan_transformer(in_channels: int = 16, out_channels: int = 16) -> Any:
    return diffusers.WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=in_channels,
        out_channels=out_channels, text_dim=32, freq_dim=256, ffn_dim=32, num_layers=2, cross_attn_norm=True,
        qk_norm="rms_norm_across_heads", rope_max_seq_len=32,
    )  # fmt: skip


def wan(**more: Any) -> Any:
    parts = {"text_encoder": t5("UMT5"), "tokenizer": tokenizer(), "vae": wan_vae(), "scheduler": unipc()}
    return diffusers.WanPipeline(**{**parts, "transformer": wan_transformer(), "transformer_2": None, **more})


def wan_two_experts() -> Any:
    return wan(transformer_2=wan_transformer(), boundary_ratio=0.875)


def wan_from_image() -> Any:
    parts = {"text_encoder": t5("UMT5"), "tokenizer": tokenizer(), "vae": wan_vae(), "scheduler": unipc()}
    return diffusers.WanImageToVideoPipeline(
        **parts, transformer=wan_transformer(36), transformer_2=None, image_encoder=None, image_processor=None
    )


def wan_5b() -> Any:
    """Wan 2.2's small model: text or an image, a VAE of its own, a timestep for each token."""
    vae = diffusers.AutoencoderKLWan(
        base_dim=3, decoder_base_dim=4, z_dim=48, dim_mult=[1, 1, 1, 1], num_res_blocks=1, in_channels=12,
        out_channels=12, temperal_downsample=[False, True, True], is_residual=True, patch_size=2,
        scale_factor_spatial=16, latents_mean=[0.1] * 48, latents_std=[1.5] * 48,
    )  # fmt: skip
    return wan(transformer=wan_transformer(48, 48), vae=vae, expand_timesteps=True)


def wan_30m() -> Any:
    """Large enough to be timed, and with text as long as Wan's."""
    transformer = diffusers.WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=6, attention_head_dim=64, in_channels=16, out_channels=16,
        text_dim=32, freq_dim=256, ffn_dim=1536, num_layers=12, cross_attn_norm=True,
        qk_norm="rms_norm_across_heads", rope_max_seq_len=256,
    )  # fmt: skip
    vae = diffusers.AutoencoderKLWan(
        base_dim=32, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    return wan(transformer=transformer, vae=vae, tokenizer=tokenizer(512))


def ltx_parts() -> dict[str, Any]:
    vae = diffusers.AutoencoderKLLTXVideo(
        in_channels=3, out_channels=3, latent_channels=8, block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8), layers_per_block=(1,) * 5, decoder_layers_per_block=(1,) * 5,
        spatio_temporal_scaling=(True, True, True, False), decoder_spatio_temporal_scaling=(True, True, True, False),
        decoder_inject_noise=(False,) * 5, upsample_residual=(False,) * 4, upsample_factor=(1,) * 4,
        timestep_conditioning=False, patch_size=4, patch_size_t=1, encoder_causal=True, decoder_causal=False,
    )  # fmt: skip
    transformer = diffusers.LTXVideoTransformer3DModel(
        in_channels=8, out_channels=8, patch_size=1, patch_size_t=1, num_attention_heads=4, attention_head_dim=8,
        cross_attention_dim=32, num_layers=1, caption_channels=32,
    )  # fmt: skip
    return {
        "transformer": transformer, "vae": vae, "scheduler": flow(), "text_encoder": t5(), "tokenizer": tokenizer()
    }  # fmt: skip


def ltx() -> Any:
    return diffusers.LTXPipeline(**ltx_parts())


def ltx_conditions() -> Any:
    return diffusers.LTXConditionPipeline(**ltx_parts())


def cogvideox_parts(in_channels: int) -> dict[str, Any]:
    transformer = diffusers.CogVideoXTransformer3DModel(
        num_attention_heads=4, attention_head_dim=8, in_channels=in_channels, out_channels=4, time_embed_dim=2,
        text_embed_dim=32, num_layers=1, sample_width=8, sample_height=8, sample_frames=9, patch_size=2,
        temporal_compression_ratio=4, max_text_seq_length=16,
    )  # fmt: skip
    vae = diffusers.AutoencoderKLCogVideoX(
        in_channels=3, out_channels=3, down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4, block_out_channels=(8,) * 4, latent_channels=4, layers_per_block=1,
        norm_num_groups=2, temporal_compression_ratio=4,
    )  # fmt: skip
    scheduler = diffusers.CogVideoXDDIMScheduler()
    return {
        "transformer": transformer, "vae": vae, "scheduler": scheduler, "text_encoder": t5(), "tokenizer": tokenizer()
    }  # fmt: skip


def cogvideox() -> Any:
    return diffusers.CogVideoXPipeline(**cogvideox_parts(4))


def cogvideox_from_image() -> Any:
    return diffusers.CogVideoXImageToVideoPipeline(**cogvideox_parts(8))


def sana_video() -> Any:
    config = transformers.Gemma2Config(
        head_dim=16, hidden_size=8, intermediate_size=64, num_attention_heads=2, num_hidden_layers=1,
        num_key_value_heads=2, vocab_size=400, attn_implementation="eager",
    )  # fmt: skip
    transformer = diffusers.SanaVideoTransformer3DModel(
        in_channels=16, out_channels=16, num_attention_heads=2, attention_head_dim=12, num_layers=2,
        num_cross_attention_heads=2, cross_attention_head_dim=12, cross_attention_dim=24, caption_channels=8,
        mlp_ratio=2.5, dropout=0.0, attention_bias=False, sample_size=8, patch_size=(1, 2, 2),
        norm_elementwise_affine=False, norm_eps=1e-6, qk_norm="rms_norm_across_heads", rope_max_seq_len=32,
    )  # fmt: skip
    return diffusers.SanaVideoPipeline(
        transformer=transformer, vae=wan_vae(), scheduler=diffusers.DPMSolverMultistepScheduler(),
        text_encoder=transformers.Gemma2Model(config).eval(), tokenizer=tokenizer(),
    )  # fmt: skip


def mochi() -> Any:
    transformer = diffusers.MochiTransformer3DModel(
        patch_size=2, num_attention_heads=2, attention_head_dim=8, num_layers=2, pooled_projection_dim=16,
        in_channels=12, out_channels=None, qk_norm="rms_norm", text_embed_dim=32, time_embed_dim=4,
        activation_fn="swiglu", max_sequence_length=16,
    )  # fmt: skip
    vae = diffusers.AutoencoderKLMochi(
        latent_channels=12, out_channels=3, encoder_block_out_channels=(32, 32, 32, 32),
        decoder_block_out_channels=(32, 32, 32, 32), layers_per_block=(1, 1, 1, 1, 1),
    )  # fmt: skip
    return diffusers.MochiPipeline(
        transformer=transformer, vae=vae, scheduler=flow(), text_encoder=t5(), tokenizer=tokenizer()
    )


def hunyuan_video_15() -> Any:
    from diffusers.guiders import ClassifierFreeGuidance

    transformer = diffusers.HunyuanVideo15Transformer3DModel(
        in_channels=9, out_channels=4, num_attention_heads=2, attention_head_dim=8, num_layers=1,
        num_refiner_layers=1, mlp_ratio=2.0, patch_size=1, patch_size_t=1, text_embed_dim=16, text_embed_2_dim=32,
        image_embed_dim=12, rope_axes_dim=(2, 2, 4), target_size=16, task_type="t2v",
    )  # fmt: skip
    vae = diffusers.AutoencoderKLHunyuanVideo15(
        in_channels=3, out_channels=3, latent_channels=4, block_out_channels=(16, 16), layers_per_block=1,
        spatial_compression_ratio=4, temporal_compression_ratio=2, downsample_match_channel=False,
        upsample_match_channel=False,
    )  # fmt: skip
    config = transformers.Qwen2_5_VLTextConfig(
        vocab_size=400, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, rope_parameters={"mrope_section": [1, 1, 2], "rope_type": "default", "rope_theta": 1e6},
    )  # fmt: skip
    chat = tokenizer(2000)
    chat.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    return diffusers.HunyuanVideo15Pipeline(
        transformer=transformer.eval(), vae=vae.eval(),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=7.0),
        text_encoder=transformers.Qwen2_5_VLTextModel(config).eval(), tokenizer=chat, text_encoder_2=t5(),
        tokenizer_2=transformers.ByT5Tokenizer(), guider=ClassifierFreeGuidance(guidance_scale=1.0),
    )  # fmt: skip


def ltx2() -> Any:
    from diffusers.pipelines.ltx2 import LTX2TextConnectors, LTX2Vocoder

    text = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 1, "head_dim": 8, "vocab_size": 400,
    }  # fmt: skip
    vision = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28,
        "patch_size": 14,
    }  # fmt: skip
    encoder = transformers.Gemma3ForConditionalGeneration(
        transformers.Gemma3Config(text_config=text, vision_config=vision, mm_tokens_per_image=1)
    )
    transformer = diffusers.LTX2VideoTransformer3DModel(
        in_channels=4, out_channels=4, patch_size=1, patch_size_t=1, num_attention_heads=2, attention_head_dim=8,
        cross_attention_dim=16, audio_in_channels=4, audio_out_channels=4, audio_num_attention_heads=2,
        audio_attention_head_dim=4, audio_cross_attention_dim=8, num_layers=2, qk_norm="rms_norm_across_heads",
        caption_channels=16, rope_double_precision=False, rope_type="split",
    )  # fmt: skip
    connectors = LTX2TextConnectors(
        caption_channels=16, text_proj_in_factor=3, video_connector_num_attention_heads=4,
        video_connector_attention_head_dim=4, video_connector_num_layers=1,
        video_connector_num_learnable_registers=None, audio_connector_num_attention_heads=4,
        audio_connector_attention_head_dim=4, audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=None, connector_rope_base_seq_len=32, rope_theta=10000.0,
        rope_double_precision=False, causal_temporal_positioning=False, rope_type="split",
    )  # fmt: skip
    vae = diffusers.AutoencoderKLLTX2Video(
        in_channels=3, out_channels=3, latent_channels=4, block_out_channels=(8,), decoder_block_out_channels=(8,),
        layers_per_block=(1,), decoder_layers_per_block=(1, 1), spatio_temporal_scaling=(True,),
        decoder_spatio_temporal_scaling=(True,), decoder_inject_noise=(False, False), downsample_type=("spatial",),
        upsample_residual=(False,), upsample_factor=(1,), timestep_conditioning=False, patch_size=4, patch_size_t=1,
        encoder_causal=True, decoder_causal=False,
    )  # fmt: skip
    audio_vae = diffusers.AutoencoderKLLTX2Audio(
        base_channels=4, output_channels=2, ch_mult=(1,), num_res_blocks=1, attn_resolutions=None, in_channels=2,
        resolution=32, latent_channels=2, norm_type="pixel", causality_axis="height", dropout=0.0,
        mid_block_add_attention=False, sample_rate=16000, mel_hop_length=160, is_causal=True, mel_bins=8,
    )  # fmt: skip
    vocoder = LTX2Vocoder(
        in_channels=16, hidden_channels=32, out_channels=2, upsample_kernel_sizes=[4, 4], upsample_factors=[2, 2],
        resnet_kernel_sizes=[3], resnet_dilations=[[1, 3, 5]], leaky_relu_negative_slope=0.1,
        output_sampling_rate=16000,
    )  # fmt: skip
    parts: dict[str, Any] = {
        "transformer": transformer, "connectors": connectors, "vae": vae, "audio_vae": audio_vae, "vocoder": vocoder,
        "scheduler": flow(), "text_encoder": encoder.eval(), "tokenizer": tokenizer(),
    }  # fmt: skip
    optional = {"processor", "prompt_enhancer", "duration_head"}
    known = inspect.signature(diffusers.LTX2Pipeline).parameters
    return diffusers.LTX2Pipeline(**parts, **{name: None for name in optional if name in known})


CHECKPOINTS: dict[str, Callable[[], Any]] = {
    "wan": wan,
    "wan-two-experts": wan_two_experts,
    "wan-from-image": wan_from_image,
    "wan-5b": wan_5b,
    "wan-30m": wan_30m,
    "ltx": ltx,
    "ltx-conditions": ltx_conditions,
    "ltx2": ltx2,
    "cogvideox": cogvideox,
    "cogvideox-from-image": cogvideox_from_image,
    "sana-video": sana_video,
    "hunyuan-video-1.5": hunyuan_video_15,
    "mochi": mochi,
}


def build(name: str, folder: Path) -> Path:
    """`folder`, now holding the checkpoint."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        CHECKPOINTS[name]().save_pretrained(folder)
    return folder
