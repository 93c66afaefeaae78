"""A model and probes with random weights, small enough to evaluate in seconds."""

from __future__ import annotations

import pytest
import torch

from daybreak.checkpoint import Components
from daybreak.evaluate.probes import Probe, ProbeConfig
from daybreak.models.text_encoder import TextEncoder, TextEncoderConfig
from daybreak.models.transformer import Transformer, TransformerConfig
from daybreak.models.vae import VAE, VAEConfig
from daybreak.tokenizer import Tokenizer, build_vocabulary


@pytest.fixture
def components() -> Components:
    torch.manual_seed(0)
    tokenizer = Tokenizer(build_vocabulary(["a dog runs"], 160))
    text = TextEncoderConfig(vocabulary_size=len(tokenizer), width=16, num_layers=1, num_heads=2)
    transformer = TransformerConfig(
        latent_channels=4, width=24, num_layers=1, num_heads=2, modulation_width=8, text_width=16
    )
    vae = VAEConfig(latent_channels=4, decoder_widths=(8, 8, 8), decoder_blocks=(1, 1, 1))
    modules = TextEncoder(text), Transformer(transformer), VAE(vae)
    for parameter in modules[1].parameters():
        if not parameter.any():  # what starts at zero would make every clip the same
            torch.nn.init.normal_(parameter, std=0.1)
    for module in modules:
        module.eval().requires_grad_(False)
    return Components(tokenizer, *modules, {"num_inference_steps": 2, "guidance_scale": 3.0})


@pytest.fixture
def probe() -> Probe:
    torch.manual_seed(0)
    return Probe(ProbeConfig(patch_width=8, width=16, scene_blocks=(1, 1), shape_blocks=(1, 1), moment_width=4)).eval()
