"""The two published layouts of Wan, as the converters of diffusers know them."""

from __future__ import annotations

from typing import Any

import pytest

from daybreak.open_models.wan_names import transformer_layout, transformer_sources, vae_sources

pytest.importorskip("diffusers", reason="needs the extra: pip install 'daybreak[diffusers]'")
pytestmark = pytest.mark.filterwarnings("ignore")


def converters() -> Any:
    from diffusers.loaders import single_file_utils

    return single_file_utils


def test_the_transformers_original_names_are_those_that_diffusers_converts() -> None:
    from diffusers import WanTransformer3DModel

    from daybreak.models.wan.transformer import WanConfig, WanTransformer

    sizes = {"num_attention_heads": 1, "attention_head_dim": 12, "text_dim": 8, "ffn_dim": 8, "num_layers": 12}
    ours = WanTransformer(WanConfig(**sizes)).state_dict()
    original = {name for _, sources in transformer_sources(ours, "original") for name in sources}
    theirs = {name for _, sources in transformer_sources(ours, "diffusers") for name in sources}
    assert theirs == set(WanTransformer3DModel(**sizes).state_dict())
    assert (transformer_layout(original), transformer_layout(theirs)) == ("original", "diffusers")
    assert transformer_layout(["encoder.conv1.weight"]) is None
    for name, sources in transformer_sources(ours, "original"):
        converted = converters().convert_wan_transformer_to_diffusers({source: source for source in sources})
        assert list(converted) == list(dict(transformer_sources([name], "diffusers"))[name])


def test_the_vaes_original_names_are_those_that_diffusers_converts() -> None:
    from diffusers import AutoencoderKLWan

    names = list(AutoencoderKLWan(base_dim=2).state_dict())
    sources = dict(vae_sources(names, {"decoder.conv1.weight"}, 2, residual=False))
    converted = converters().convert_wan_vae_to_diffusers({source[0]: name for name, source in sources.items()})
    assert converted == {name: name for name in names}
    assert dict(vae_sources(names, names, 2, residual=False)) == {name: (name,) for name in names}


@pytest.mark.parametrize(
    ("name", "original"),
    [  # Wan2.2, wan/modules/vae2_2.py: a stage is a list of layers within the list of stages
        ("encoder.down_blocks.1.resnets.1.conv2.weight", "encoder.downsamples.1.downsamples.1.residual.6.weight"),
        ("encoder.down_blocks.1.downsampler.time_conv.bias", "encoder.downsamples.1.downsamples.2.time_conv.bias"),
        ("decoder.up_blocks.0.resnets.2.norm1.gamma", "decoder.upsamples.0.upsamples.2.residual.0.gamma"),
        ("decoder.up_blocks.2.upsampler.resample.1.weight", "decoder.upsamples.2.upsamples.3.resample.1.weight"),
        ("decoder.up_blocks.3.resnets.0.conv_shortcut.bias", "decoder.upsamples.3.upsamples.0.shortcut.bias"),
        ("decoder.conv_in.bias", "decoder.conv1.bias"),
        ("quant_conv.weight", "conv1.weight"),
    ],
)
def test_the_wider_vae_nests_its_stages(name: str, original: str) -> None:
    assert dict(vae_sources([name], {"decoder.conv1.weight"}, 2, residual=True)) == {name: (original,)}
