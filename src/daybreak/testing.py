"""Stand-ins for tests, shipped so that users can test too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from daybreak.engines.abilities import Ability
from daybreak.generation import Audio, Frames, OnStep, State, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.timeline import Timeline


def make_clip(num_frames: int = 9, height: int = 64, width: int = 96, seed: int = 0) -> Frames:
    """A smooth gradient that drifts to the right, (F, H, W, 3); `seed` picks its colours."""
    phase = np.random.default_rng(seed).uniform(0, 2 * np.pi, 3)
    time, row, column = np.meshgrid(np.arange(num_frames), np.arange(height), np.arange(width), indexing="ij")
    wave = ((column - 2 * time) / width + row / height * 0.5)[..., None] * 2 * np.pi + phase
    return np.round(127.5 + 110 * np.sin(wave)).astype(np.uint8)


def make_tone(seconds: float, sample_rate: int = 48_000, hertz: float = 440.0) -> Audio:
    """A sine tone on both channels, (2, N)."""
    moments = np.arange(round(seconds * sample_rate)) / sample_rate
    tone = (0.25 * np.sin(2 * np.pi * hertz * moments)).astype(np.float32)
    return np.stack([tone, tone])


class FakeEngine:
    """An engine without a model: a drifting gradient whose colours are its seed's.

    `before_step` is called with each step's number before it is reported: raise in it to make the engine fail, wait in
    it to make it slow. It resumes at the step after the one whose state it is given. `metadata` is what it says of its
    clips.
    """

    name = "fake"
    procedural = False

    def __init__(
        self,
        abilities: frozenset[Ability] = frozenset({"image_pin", "negative_prompt", "steps", "guidance"}),
        before_step: Callable[[int], None] = lambda _step: None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.abilities, self._metadata = abilities, metadata or {}
        self._before_step = before_step

    def generate(
        self, timeline: Timeline, settings: GenerationSettings, on_step: OnStep, resume: State | None = None
    ) -> Video:
        """A clip of one fixed size, 96x64 at 12 fps, as long as what was asked."""
        steps = settings.num_inference_steps or 4
        frames = make_clip(max(1, round(timeline.seconds * 12)), seed=settings.seed)
        for step in range(1 + (int(resume["step"][0]) if resume else 0), steps + 1):
            self._before_step(step)
            state = {"step": np.array([step])}
            on_step(step, steps, preview=lambda: frames[:1], state=partial(dict, state))
        return Video(frames, 12.0, make_tone(timeline.seconds), metadata=self._metadata)


def tiny_model(folder: Path, seed: int = 0, steps: int = 2) -> Path:
    """`folder`, now holding a whole model of random weights: it makes noise, but by the built-in model's own code.

    `steps` is what it takes where none are asked for: a step takes milliseconds, so hundreds of them give a test time
    to interrupt it.
    """
    import torch

    from daybreak.checkpoint import Components, save_components
    from daybreak.models.text_encoder import TextEncoder, TextEncoderConfig
    from daybreak.models.transformer import Transformer, TransformerConfig
    from daybreak.models.vae import VAE, VAEConfig
    from daybreak.tokenizer import Tokenizer, build_vocabulary

    tokenizer = Tokenizer(build_vocabulary(["a brown dog runs across a meadow at sunset"], 128))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        text_encoder = TextEncoder(
            TextEncoderConfig(len(tokenizer), max_tokens=32, width=16, num_layers=1, num_heads=2)
        )
        transformer = Transformer(TransformerConfig(4, 2, 16, 1, 2, 8, text_width=16))
        vae = VAE(VAEConfig(4, decoder_widths=(8, 8, 4), decoder_blocks=(1, 1, 1)))
        for module in (text_encoder, transformer, vae):
            for parameter in module.parameters():
                if not parameter.any():  # what starts at zero would hide everything before it
                    torch.nn.init.normal_(parameter, std=0.1)
    card = {
        "name": folder.name,
        "description": "Random weights, for tests.",
        "num_inference_steps": steps,
        "guidance_scale": 3.0,
    }
    save_components(folder, Components(tokenizer, text_encoder.eval(), transformer.eval(), vae.eval(), card))
    return folder
