"""One clip on its way from noise to frames, by the parts of a Wan checkpoint.

Where it starts, for each way of asking (as in the pipelines of diffusers, whose clips these are for the same seed):
text from noise; image from noise beside the encoded image and a mask of what is known of each frame, or, with Wan
2.2's 5B, with the image as the first latent frame at timestep 0; video from its latents, part of the way to noise.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from daybreak.diffusion.guidance import guide
from daybreak.diffusion.unipc import History, flow_schedule, timestep, unipc_step
from daybreak.engines.lowering import Task
from daybreak.engines.wan import check_finite
from daybreak.engines.wan_checkpoint import WanParts
from daybreak.generation import Frames, State
from daybreak.models.step_cache import StepCache
from daybreak.models.wan.layers import TextStates
from daybreak.models.wan.transformer import PATCH, WanTransformer

_BATCHED = 8192  # tokens: up to here both branches go in one batch, which keeps the cores busier on small clips


class Clip:
    """Its latents, and what is known of it. `done` of `steps_to_do` steps are done.

    With a step cache, it is taken up before the last step at which all blocks were asked, which needs nothing older.
    """

    def __init__(
        self,
        parts: WanParts,
        task: Task,
        device: str,
        steps: int,
        guidance_scale: float,
        seed: int,
        step_cache: float = 0.0,
    ) -> None:
        self._parts, self._task, self._device, self._guidance_scale = parts, task, device, guidance_scale
        self._sigmas = flow_schedule(steps, parts.shift)
        # As diffusers counts them, rounded down; at least one, or nothing would be changed.
        self.steps_to_do = max(1, int(steps * task.change)) if task.way == "video" else steps
        self._begin, self.done = steps - self.steps_to_do, 0
        self._history = History()
        self._beside: Tensor | None = None  # (1, C, T, H, W): what the transformer sees beside the latents
        self._first: Tensor | None = None  # (1, C, 1, H, W): the first latent frame, where it is known
        self._texts: list[Tensor] = []
        self._padded = 0
        self._states: dict[int, TextStates] = {}
        self._step_cache, self._cache = step_cache, dict[int, StepCache]()  # of the expert that is asked now
        self.latents = self._start(seed)
        self._resumable = self._reached()

    def prompt(self, prompt: str, negative_prompt: str, most_tokens: int) -> None:
        """Tells what the clip is to show, and, where guidance asks for it, what not."""
        tokenizer, encoder = self._parts.tokenizer, _placed(self._parts, self._parts.text_encoder, self._device)
        limit = getattr(tokenizer, "model_max_length", None)
        self._padded = min(most_tokens, int(limit)) if limit else most_tokens
        for text in (prompt, negative_prompt) if self._guidance_scale > 1 else (prompt,):
            given = tokenizer([clean(text)], max_length=self._padded, truncation=True, return_tensors="pt")
            if not given.input_ids.numel():  # a tokenizer without an end mark, and nothing asked
                self._texts.append(torch.zeros(0, encoder.config.d_model, device=self._device))
                continue
            # Padding is masked in the encoder and cut off behind it, so it is left out from the start.
            embeds = encoder(given.input_ids.to(self._device), given.attention_mask.to(self._device))
            self._texts.append(embeds.last_hidden_state[0])

    def step(self) -> None:
        """One step of the sampler."""
        number, before = self._begin + self.done, self._reached()
        velocity = self._velocity(timestep(self._sigmas[number]))
        self.latents, self._history = unipc_step(
            velocity, self.latents, self._sigmas, number, self._history, self._parts.solver_order
        )
        self.done += 1
        if not self._step_cache:
            self._resumable = self._reached()
        elif next(iter(self._cache.values())).full:
            self._resumable = before

    def frames(self) -> Frames:
        """The finished clip, (F, H, W, 3): frame by frame, so that memory does not grow with F."""
        spec = self._task.spec
        frames = np.empty((spec.num_frames, spec.height, spec.width, 3), np.uint8)
        vae = _placed(self._parts, self._parts.vae, self._device)
        for number, pixels in enumerate(vae.decode(self._known_first(self.latents))):
            check_finite(pixels)
            levels = (pixels[0] / 2 + 0.5).clamp_(0, 1).mul_(255).round_().byte()
            frames[number] = levels.permute(1, 2, 0).cpu().numpy()
        return frames

    def state(self) -> State:
        """All that is needed to go on."""
        done, latents, history = self._resumable
        before = () if history.before is None else (history.before,)
        tensors = (latents, *before, *history.data)
        return {
            "step": np.array([done, history.order, len(before)]),
            "latents": np.stack([tensor.cpu().numpy() for tensor in tensors]),
        }

    def take_up(self, state: State) -> None:
        """Goes on from a state that this clip had."""
        self.done, order, before = (int(number) for number in state["step"])
        latents, *rest = (torch.tensor(array, device=self._device) for array in state["latents"])
        self.latents = latents
        self._history = History(tuple(rest[before:]), rest[0] if before else None, order)
        self._resumable = self._reached()

    def _reached(self) -> tuple[int, Tensor, History]:
        return self.done, self.latents, self._history

    def _velocity(self, now: int) -> Tensor:
        """The guided velocity of the latents at a timestep."""
        number = 1 if len(self._parts.experts) > 1 and now < self._parts.boundary else 0
        expert = _placed(self._parts, self._parts.experts[number], self._device)
        if number not in self._states:
            self._states = {number: expert.text_states(self._texts, self._padded)}
        cache = self._cache_of(number)
        given, timesteps, spans = self._known_first(self.latents), [float(now)], None
        if self._first is not None:
            frames = given.shape[2]
            timesteps, spans = ([0.0, float(now)], [1, frames - 1]) if frames > 1 else ([0.0], [1])
        if self._beside is not None:
            given = torch.cat([given, self._beside], 1)
        moment = torch.tensor(timesteps, device=self._device)
        velocities = predict(expert, given, moment, self._states[number], spans, cache)
        if len(velocities) == 1:
            return velocities.float()
        conditional, unconditional = velocities.float().chunk(2)
        return guide(conditional, unconditional, self._guidance_scale)

    def _cache_of(self, number: int) -> StepCache | None:
        """The step cache of an expert, told that a step begins; None without one."""
        if not self._step_cache:
            return None
        if number not in self._cache:
            self._cache = {number: StepCache(self._step_cache, self.steps_to_do - self.done)}
        self._cache[number].next_step()
        return self._cache[number]

    def _known_first(self, latents: Tensor) -> Tensor:
        return latents if self._first is None else torch.cat([self._first, latents[:, :, 1:]], 2)

    def _start(self, seed: int) -> Tensor:
        spec, config = self._task.spec, self._parts.vae.config
        side, step = config.scale_factor_spatial, config.scale_factor_temporal
        shape = (1, config.z_dim, (spec.num_frames - 1) // step + 1, spec.height // side, spec.width // side)
        # Drawn on the CPU, so that a seed means the same clip on every device.
        noise = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed)).to(self._device)
        if self._task.way == "video":
            assert self._task.source is not None
            sigma, vae = self._sigmas[self._begin], _placed(self._parts, self._parts.vae, self._device)
            data: Tensor = vae.encode(self._pixels(self._task.source))
            return (1 - sigma) * data + sigma * noise
        if self._task.first is not None:
            self._keep_image(self._task.first, self._task.last, shape)
        return noise

    def _keep_image(self, first: Frames, last: Frames | None, shape: Sequence[int]) -> None:
        vae = _placed(self._parts, self._parts.vae, self._device)
        image = self._pixels(first[None])
        if self._parts.expand_timesteps:
            self._first = vae.encode(image)
            return
        step, count = vae.config.scale_factor_temporal, self._task.spec.num_frames
        pixels = F.pad(image, (0, 0, 0, 0, 0, count - 1))
        known = torch.zeros(1, step, *shape[2:], device=self._device)
        known[:, :, 0] = 1
        if last is not None:
            pixels[:, :, -1:] = self._pixels(last[None])
            known[:, -1, -1] = 1
        self._beside = torch.cat([known, vae.encode(pixels)], 1)

    def _pixels(self, frames: Frames) -> Tensor:
        """(1, 3, F, H, W) in [-1, 1] of frames (F, H, W, 3)."""
        tensor = torch.from_numpy(np.ascontiguousarray(frames)).to(self._device)
        return tensor.permute(3, 0, 1, 2)[None].float() / 255 * 2 - 1


def predict(
    transformer: WanTransformer,
    latents: Tensor,
    timesteps: Tensor,
    text: TextStates,
    spans: list[int] | None = None,
    cache: StepCache | None = None,
) -> Tensor:
    """Velocities (B, C, T, H, W) of latents (1, C, T, H, W) for each prompt, together or one after the other."""
    tokens = latents[0, 0].numel() // PATCH**2
    if len(text.bias) * tokens <= _BATCHED:
        together: Tensor = transformer(latents, timesteps, text, spans, cache)
        return together
    apart = [transformer(latents, timesteps, text.branch(each), spans, cache) for each in range(len(text.bias))]
    return torch.cat(apart)


def clean(text: str) -> str:
    """A prompt as those that Wan was trained with: mended, unescaped, single spaces (wan/modules/tokenizers.py)."""
    import ftfy

    return re.sub(r"\s+", " ", html.unescape(html.unescape(ftfy.fix_text(text))).strip()).strip()


def _placed(parts: WanParts, module: Any, device: str) -> Any:
    """`module`, on the device; on a GPU the other large parts make room for it where not all of them fit."""
    if device == "cpu" or next(module.parameters()).device.type == device:
        return module
    size = sum(tensor.numel() * tensor.element_size() for tensor in module.parameters())
    if torch.cuda.mem_get_info()[0] < 1.5 * size + 2**31:
        for other in (parts.text_encoder, *parts.experts, parts.vae):
            if other is not module:
                other.to("cpu")
        torch.cuda.empty_cache()
    return module.to(device)
