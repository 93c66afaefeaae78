"""The models that LoRAs can be trained for: native ones such as dawn, and Wan as diffusers runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from daybreak.catalog import DIFFUSERS_ENGINE, NATIVE_ENGINE, ModelCard
from daybreak.checkpoint import load_components
from daybreak.diffusion.flow import add_noise, velocity
from daybreak.diffusion.schedule import shifted_schedule
from daybreak.engines.lowering import clip_spec
from daybreak.generation import Frames
from daybreak.models.lora import linear_layers
from daybreak.models.precision import autocast
from daybreak.open_models.families import PIPELINES, WAN
from daybreak.shapes import MAX_SIDE, MIN_SIDE, NATIVE_FPS, TEMPORAL_COMPRESSION, VideoSpec, nearest_bucket
from daybreak.train.footage import Grid
from daybreak.train.lora import LoraTarget
from daybreak.train.transformer import Conditioner, flow_matching_loss
from daybreak.train.world import CLIP_FRAMES, to_frames, to_pixels

Expert = Literal["high", "low"]
_WAN_LAYERS = r"blocks\.\d+\.(attn[12]\.(to_q|to_k|to_v|to_out\.0)|ffn\.net\.(0\.proj|2))"
_NATIVE_LAYERS = r"blocks\.\d+\.(attention\.(qkv|out)|text\.(q|kv|out)|mlp\.(up|down))"


def open_target(
    card: ModelCard, device: torch.device, *, size: tuple[int, int] | None = None, num_frames: int | None = None,
    expert: str | None = None,
) -> LoraTarget:  # fmt: skip
    """The model of a card, frozen and on `device`. Raises ValueError when no LoRA can be trained for it.

    `size` (width, height) and `num_frames` train an open model on smaller or shorter clips than its own; `expert` is
    which of two experts is adapted.
    """
    if card.engine == NATIVE_ENGINE and not card.procedural:
        if size or num_frames or expert:
            raise ValueError(
                f"{card.name!r} has sizes of its own and one network: leave out --size, --frames, --expert"
            )
        return NativeTarget(card, device)
    family = PIPELINES[card.details["pipeline"]].family if card.engine == DIFFUSERS_ENGINE else None
    if family is not WAN:
        raise ValueError(f"no LoRA can be trained for {card.name!r}: for dawn and other native models, and for Wan")
    if card.details["pipeline"] == "WanImageToVideoPipeline":
        raise ValueError(f"{card.name!r} starts from an image: LoRAs are trained for Wan models that start from text")
    return WanTarget(card, device, size, num_frames, expert)


def default_batch(card: ModelCard) -> int:
    """Clips a step: the native models' are small, of an open one's one fills a GPU."""
    return 4 if card.engine == NATIVE_ENGINE else 1


class NativeTarget:
    """Daybreak's own transformer: per-frame sigmas and pinned patterns, as it was trained itself."""

    learning_rate = 1e-3
    file_dtype = torch.float32
    sheet_rows = 4
    sheet_guidance = 4.0

    def __init__(self, card: ModelCard, device: torch.device) -> None:
        assert card.path is not None
        self.name, self.digest = card.name, card.digest() or ""
        self.header: dict[str, Any] = {}
        self.grid = Grid(NATIVE_FPS, CLIP_FRAMES, TEMPORAL_COMPRESSION, nearest_bucket)
        self._parts, self._device = load_components(card.path, device), device
        self._condition = Conditioner(self._parts.tokenizer, self._parts.text_encoder)

    @property
    def network(self) -> nn.Module:
        return self._parts.transformer

    def layers(self) -> dict[str, tuple[int, int]]:
        return linear_layers(self.network, _NATIVE_LAYERS)

    def embed(self, captions: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
        states, masks = self._condition(list(captions), self._device)
        return list(zip(states.cpu(), masks.cpu(), strict=True))

    def encode(self, frames: Frames) -> Tensor:
        with torch.no_grad(), autocast(self._device.type):
            return self._parts.vae.encode(to_pixels([frames]).to(self._device))[0].cpu()

    def ready(self) -> None:
        """Everything is small: it stays."""

    def loss(self, latents: Tensor, text: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        ones = torch.ones_like(latents[:, :1])  # nobody has said where in a clip its subjects are
        return flow_matching_loss(self._parts.transformer, latents, ones, text, generator)

    def velocity(self, latents: Tensor, sigmas: Tensor, text_embeds: Tensor, text_mask: Tensor) -> Tensor:
        result: Tensor = self._parts.transformer(latents, sigmas, text_embeds, text_mask)
        return result

    def sheet_schedule(self, num_inference_steps: int) -> Tensor:
        return shifted_schedule(num_inference_steps)

    def decode(self, latents: Tensor) -> Frames:
        return to_frames(self._parts.vae.decode(latents[None])[0])


class WanTarget:
    """Wan 2.1 and 2.2 from text, through diffusers' transformer; of two experts, one.

    On CUDA the frozen weights are bfloat16 and a block's activations are computed twice instead of kept. The adapters
    are float32 everywhere.
    """

    learning_rate = 1e-4
    file_dtype = torch.bfloat16
    sheet_rows = 2

    def __init__(
        self,
        card: ModelCard,
        device: torch.device,
        size: tuple[int, int] | None,
        num_frames: int | None,
        expert: str | None,
    ) -> None:
        from daybreak.engines.checkpoints import load_checkpoint

        self.name, self.digest, self._device = card.name, card.digest() or "", device
        two = card.path is not None and (card.path / "transformer_2").is_dir()
        _check_expert(card.name, expert, two=two)
        self.header: dict[str, Any] = {"expert": expert} if expert else {}
        self.grid = _wan_grid(card, size, num_frames)
        self._card, self._dtype = card, torch.bfloat16 if device.type == "cuda" else torch.float32
        checkpoint = load_checkpoint(card, self._dtype)
        self._pipeline = checkpoint.pipeline(str(card.details["pipeline"]))
        self._boundary = float(self._pipeline.config.boundary_ratio or 0) if two else 0.0
        self._expert = expert
        self._parts = {
            name: checkpoint.parts[name] for name in ("transformer", "transformer_2") if name in checkpoint.parts
        }
        for part in (*self._parts.values(), self._pipeline.vae, self._pipeline.text_encoder):
            part.requires_grad_(False)
        self._vae = self._pipeline.vae.to(device)
        self._shift = float(self._pipeline.scheduler.config.get("flow_shift") or 1.0)
        self.sheet_guidance = float(card.details.get("guidance_scale", 5.0))

    @property
    def network(self) -> nn.Module:
        network: nn.Module = self._parts["transformer_2" if self._expert == "low" else "transformer"]
        return network

    def layers(self) -> dict[str, tuple[int, int]]:
        return linear_layers(self.network, _WAN_LAYERS)

    def embed(self, captions: Sequence[str]) -> list[tuple[Tensor, Tensor]]:
        from daybreak.engines.diffusers import prompt_tokens

        self._pipeline.text_encoder.to(self._device)
        made = []
        with torch.no_grad():
            for caption in captions:
                states, _ = self._pipeline.encode_prompt(
                    caption, do_classifier_free_guidance=False, device=self._device,
                    max_sequence_length=prompt_tokens(self._pipeline, WAN),
                )  # fmt: skip
                made.append((states[0].cpu(), torch.ones(len(states[0]), dtype=torch.bool)))  # Wan attends to all of it
        return made

    def encode(self, frames: Frames) -> Tensor:
        with torch.no_grad():
            pixels = to_pixels([frames]).to(self._device, self._vae.dtype)
            latents = self._vae.encode(pixels).latent_dist.mode()
            mean, deviation = self._statistics()
            scaled: Tensor = (latents.float() - mean) / deviation
        return scaled[0].cpu()

    def ready(self) -> None:
        """The text encoder, the largest part of the small models, is not needed again."""
        from daybreak.engines.checkpoints import free_memory

        self._pipeline.text_encoder = None
        free_memory()
        for part in self._parts.values():
            part.to(self._device)
        if self._device.type == "cuda":
            self.network.enable_gradient_checkpointing()  # type: ignore[operator]

    def loss(self, latents: Tensor, text: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
        sigmas = self._sigmas(len(latents), generator).to(self._device)
        noise = torch.randn(latents.shape, generator=generator).to(self._device)
        each = sigmas[:, None].expand(-1, latents.shape[2])
        predicted = self._run(self.network, add_noise(latents, noise, each), sigmas, text[0])
        return (predicted.float() - velocity(latents, noise)).square().mean()

    def velocity(self, latents: Tensor, sigmas: Tensor, text_embeds: Tensor, _text_mask: Tensor) -> Tensor:
        noisy = float(sigmas[0, 0]) >= self._boundary or "transformer_2" not in self._parts
        network = self._parts["transformer" if noisy else "transformer_2"]
        return self._run(network, latents, sigmas[:, 0], text_embeds)

    def sheet_schedule(self, num_inference_steps: int) -> Tensor:
        return shifted_schedule(num_inference_steps, self._shift)

    def decode(self, latents: Tensor) -> Frames:
        mean, deviation = self._statistics()
        with torch.no_grad(), torch.autocast(self._device.type, enabled=False):
            pixels = self._vae.decode((latents[None].float() * deviation + mean).to(self._vae.dtype)).sample
        return to_frames(pixels[0])

    def _run(self, network: Any, latents: Tensor, sigmas: Tensor, text_embeds: Tensor) -> Tensor:
        made: Tensor = network(
            hidden_states=latents.to(self._dtype), timestep=1000 * sigmas,
            encoder_hidden_states=text_embeds.to(self._dtype), return_dict=False,
        )[0]  # fmt: skip
        return made.float()

    def _sigmas(self, batch: int, generator: torch.Generator) -> Tensor:
        """Logit-normal sigmas (Esser et al., 2024), shifted as the model's own schedule is; of an expert, its part."""
        drawn = torch.randn(batch, generator=generator).sigmoid()
        drawn = self._shift * drawn / (1 + (self._shift - 1) * drawn)
        low, high = {"high": (self._boundary, 1.0), "low": (0.0, self._boundary)}.get(self._expert or "", (0.0, 1.0))
        return low + (high - low) * drawn

    def _statistics(self) -> tuple[Tensor, Tensor]:
        """The latents' means and deviations, (C, 1, 1, 1) each."""
        config = self._vae.config
        mean, deviation = (
            torch.tensor(values, device=self._device).view(-1, 1, 1, 1)
            for values in (config.latents_mean, config.latents_std)
        )
        return mean, deviation


def _check_expert(model: str, expert: str | None, *, two: bool) -> None:
    if two and expert not in ("high", "low"):
        raise ValueError(
            f"{model!r} has two experts: train one with --expert high (layout and motion) or --expert low (detail)"
        )
    if not two and expert is not None:
        raise ValueError(f"{model!r} has no experts to choose from: leave out --expert")


def _wan_grid(card: ModelCard, size: tuple[int, int] | None, num_frames: int | None) -> Grid:
    native = card.details.get("native", {})
    fps, most = float(native.get("fps", WAN.fps)), int(num_frames or native.get("num_frames", 81))
    if most % WAN.frame_step != 1:
        raise ValueError(f"--frames must be {WAN.frame_step}k + 1, such as {most // 4 * 4 + 1}, not {most}")
    step = int(native.get("side_step", WAN.side_step))
    if size is not None and (size[0] % step or size[1] % step):
        raise ValueError(f"--size must be of multiples of {step}, not {size[0]}x{size[1]}")

    def fit(width: int, height: int) -> tuple[int, int]:
        if size is not None:
            return size
        scale = min(1.0, MAX_SIDE / max(width, height))
        sides = (min(max(MIN_SIDE, 2 * round(side * scale / 2)), MAX_SIDE) for side in (width, height))
        spec = clip_spec(
            card, replace(VideoSpec(1, MIN_SIDE, MIN_SIDE, fps), **dict(zip(("width", "height"), sides, strict=True)))
        )
        return spec.width, spec.height

    return Grid(fps, most, WAN.frame_step, fit)
