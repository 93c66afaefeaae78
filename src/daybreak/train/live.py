"""What the farm renders for each stage, and the sources that stages on a graphics card draw from."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from daybreak.diorama.sampling import sample_spec
from daybreak.diorama.scene import SceneSpec
from daybreak.models.precision import autocast
from daybreak.models.text_encoder import TextEncoderConfig
from daybreak.models.transformer import TransformerConfig
from daybreak.models.vae import VAE, VAEConfig
from daybreak.tokenizer import Tokenizer
from daybreak.train.farm import Arrays, DevicePool, Farm, Harvest, Task, numbered
from daybreak.train.latents import BUCKET_SHARES, BUCKETS, cover, render_reduced
from daybreak.train.loop import LoopConfig, step_generator
from daybreak.train.optimiser import OptimiserConfig
from daybreak.train.probes import FIRST_SCENE as FIRST_PROBE_SCENE
from daybreak.train.probes import render_clip
from daybreak.train.transformer import Batch, Conditioner, TransformerRecipe, training_caption
from daybreak.train.world import LIVE_WINDOWS, render_unit, to_unit_range

FEWEST_WINDOWS = 600  # before the first step
FEWEST_CLIPS = 1_500
FEWEST_STILLS, FEWEST_LATENTS = 256, 64
FIRST_CLIPS = 240
STILLS = 16  # an item of the farm holds so many
STILLS_EVERY = 12  # items, one is of stills
HARVEST = 8  # items encoded together
TRAINING_BYTES = 72 << 30  # of a card's memory, what training takes at the recipe's batches, with room to spare
NUM_CAPTIONS = 6  # of a scene, and of its mirror image
MAX_TOKENS = TextEncoderConfig().max_tokens
LIVE_SCENES = {False: 50_000_000, True: 60_000_000}  # of clips and of stills; far from all others
CAPTIONS = TransformerRecipe(TransformerConfig(), LoopConfig(0, OptimiserConfig()))  # how captions are drawn


def make_window(task: Task) -> Arrays:
    """A window for the VAE: frames (F, H, W, 3) and entities (F, H, W)."""
    unit = render_unit(task[1], LIVE_WINDOWS)
    return {"frames": unit.frames, "entities": unit.entities}


class Live:
    """What a farm renders while a stage learns from it."""

    harvest: Harvest

    def check(self) -> None:
        """Raises what ended the rendering before its time."""
        if self.harvest.error:
            raise self.harvest.error

    def close(self) -> None:
        """Ends the rendering."""
        self.harvest.stop()


class LiveWindows(Live):
    """Windows for the VAE, rendered while it trains."""

    def __init__(self, device: torch.device, num_workers: int) -> None:
        config = LIVE_WINDOWS
        self.pool = DevicePool(config.pool, device)
        pixels = config.window_frames * config.window**2
        self.farm = Farm(make_window, numbered("window", 0), num_workers, 4 * pixels + 128)
        self.harvest = Harvest(self.farm, lambda _kind, _numbers, items: self.pool.add(items), 8, device).start()

    def first(self, count: int) -> Iterable[Tensor]:
        """Pixels (n, 3, F, H, W) in [-1, 1] of `count` windows that the linear code is fitted to."""
        self.pool.wait(max(count, FEWEST_WINDOWS), lambda: self.harvest.error)
        for index in range(0, count, 16):
            yield to_unit_range(self.pool.tensors["frames"][index : index + 16])

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Pixels (B, 3, F, H, W) in [-1, 1] and entities (B, F, H, W), half of the windows mirrored."""
        self.check()
        generator = step_generator(1, step)
        drawn = self.pool.draw(LIVE_WINDOWS.batch, generator)
        mirrored = (torch.rand(LIVE_WINDOWS.batch, generator=generator) < 0.5).to(self.pool.device)
        pixels, entities = to_unit_range(drawn["frames"]), drawn["entities"]
        pixels = torch.where(mirrored[:, None, None, None, None], pixels.flip(-1), pixels)
        return pixels, torch.where(mirrored[:, None, None, None], entities.flip(-1), entities)


def make_probe_clip(task: Task) -> Arrays:
    """A clip for the probes: frames (8, 128, 224, 3), the subject's share of every cell (T, N), labels (7,)."""
    clip = render_clip(FIRST_PROBE_SCENE + task[1])
    return {"frames": clip.frames, "share": clip.share, "labels": np.array(clip.labels)}


class LiveClips(Live):
    """Clips for the probes, rendered while they train."""

    def __init__(self, device: torch.device, num_workers: int, capacity: int = 60_000) -> None:
        self.pool = DevicePool(capacity, device)
        self.farm = Farm(make_probe_clip, numbered("clip", 0), num_workers, 1 << 20)
        self.harvest = Harvest(self.farm, lambda _kind, _numbers, items: self.pool.add(items), 16, device).start()

    def batch(self, step: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pixels (B, 3, 8, H, W) in [-1, 1], labels (B, 7), and the subject's shares (B, T, N)."""
        self.pool.wait(FEWEST_CLIPS, lambda: self.harvest.error)
        self.check()
        drawn = self.pool.draw(size, step_generator(1, step))
        return to_unit_range(drawn["frames"]), drawn["labels"], drawn["share"]


def make_latent_item(task: Task, bucket: tuple[int, int], still: bool, tokenizer: Tokenizer) -> Arrays:
    """Clips or stills of one bucket for the transformer, as the encoder sees them, with captions of both mirror images.

    frames (n, f, h, w, 3), coverage (n, T, H, W), ids (n, 2, K, L) and lengths (n, 2, K) of the captions' tokens.
    """
    rows = []
    for index in range(STILLS if still else 1):
        seed = LIVE_SCENES[still] + task[1] * STILLS + index
        frames, entities = render_reduced(seed, *bucket, still=still)
        rng = random.Random(f"captions {seed}")
        spec = sample_spec(seed)
        texts = [training_caption(one, rng, CAPTIONS) for one in (spec, mirrored(spec)) for _ in range(NUM_CAPTIONS)]
        encoded = [tokenizer.encode(text, MAX_TOKENS) for text in texts]
        rows.append(
            {
                "frames": frames,
                "coverage": cover(entities).numpy(),
                "ids": np.array([ids for ids, _ in encoded], np.int16).reshape(2, NUM_CAPTIONS, MAX_TOKENS),
                "lengths": np.array([sum(mask) for _, mask in encoded], np.int16).reshape(2, NUM_CAPTIONS),
            }
        )
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def make_latents(task: Task, tokenizer: Tokenizer) -> Arrays:
    """`make_latent_item` of a task of the kind "clips 256x448" or "stills 256x448"."""
    what, size = task[0].split()
    height, width = size.split("x")
    return make_latent_item(task, (int(height), int(width)), what == "stills", tokenizer)


def latent_tasks(first_stills: int) -> Iterator[Task]:
    """A few clips, to be measured, then stills, then mostly clips; each of a random bucket."""
    rng = random.Random("latents")
    for number in itertools.count():
        still = FIRST_CLIPS <= number < FIRST_CLIPS + first_stills or number % STILLS_EVERY == 0
        height, width = rng.choices(BUCKETS, BUCKET_SHARES)[0]
        yield f"{'stills' if still else 'clips'} {height}x{width}", number


class LiveLatents(Live):
    """Latents for the transformer, rendered and encoded while it trains; every scene and its mirror image."""

    def __init__(self, vae: VAE, conditioner: Conditioner, recipe: TransformerRecipe, num_workers: int) -> None:
        self.vae, self.conditioner, self.recipe = vae, conditioner, recipe
        self.device = next(vae.parameters()).device
        room = room_for(recipe.kept, self.device)
        self.pools = {
            f"{what} {height}x{width}": DevicePool(
                max(64, int(share * room * recipe.kept[what == "stills"])), self.device
            )
            for what in ("clips", "stills")
            for (height, width), share in zip(BUCKETS, BUCKET_SHARES, strict=True)
        }
        tasks = latent_tasks(recipe.first_stills // STILLS)
        make = functools.partial(make_latents, tokenizer=conditioner.tokenizer)
        self.farm = Farm(make, tasks, num_workers, 5 << 19)
        self.harvest = Harvest(self.farm, self._keep, HARVEST, self.device).start()

    def _keep(self, kind: str, _numbers: list[int], items: dict[str, Tensor]) -> None:
        joined = {name: values.flatten(0, 1) for name, values in items.items()}
        for mirror in (0, 1):
            frames, coverage = joined["frames"], joined["coverage"]
            if mirror:
                frames, coverage = frames.flip(3), coverage.flip(3)
            with torch.no_grad(), autocast(self.device.type):
                latents = self.vae.encode_reduced(to_unit_range(frames)).half()
            self.pools[kind].add(
                {
                    "latents": latents,
                    "coverage": coverage,
                    "ids": joined["ids"][:, mirror],
                    "lengths": joined["lengths"][:, mirror],
                }
            )

    def wait(self) -> None:
        """Returns when there are enough stills to begin with."""
        for kind in self.pools:
            if kind.startswith("stills"):
                self.pools[kind].wait(FEWEST_STILLS, lambda: self.harvest.error)
        landscape = "x".join(map(str, BUCKETS[0]))
        self.pools[f"clips {landscape}"].wait(FEWEST_LATENTS, lambda: self.harvest.error)

    def deviations(self) -> Tensor:
        """Each channel's root mean square in latent frame 0 and in later ones, (2, C)."""
        some = [pool.tensors["latents"][: min(len(pool), 256)] for kind, pool in self.pools.items() if len(pool)]
        frames = [[part[:, :, index].float() for part in some] for index in (slice(0, 1), slice(1, None))]
        squares = [
            torch.cat([part.square().mean((2, 3, 4)) for part in parts if part.shape[2]]).mean(0) for parts in frames
        ]
        return torch.stack([square.sqrt() for square in squares])

    def batch(self, step: int, *, still: bool) -> Batch:
        """A batch of one bucket, with one of each item's captions."""
        self.check()
        what = "stills" if still else "clips"
        kinds = [kind for kind, pool in self.pools.items() if kind.startswith(what) and len(pool) >= FEWEST_LATENTS]
        shares = [len(self.pools[kind]) for kind in kinds]
        kind = random.Random(f"kind {step}").choices(kinds, shares)[0]
        size = self.recipe.live_batches[still]
        drawn = self.pools[kind].draw(size, step_generator(2, step))
        chosen = torch.randint(NUM_CAPTIONS, (size,), generator=step_generator(3, step)).to(self.device)
        rows = torch.arange(size, device=self.device)
        lengths = drawn["lengths"][rows, chosen]
        mask = torch.arange(MAX_TOKENS, device=self.device) < lengths[:, None]
        return Batch(drawn["latents"], drawn["coverage"], drawn["ids"][rows, chosen].long(), mask)


def room_for(kept: tuple[int, int], device: torch.device) -> float:
    """The share of so many clips and stills that fits on a card beside what training takes; 1 at most."""
    if device.type != "cuda":
        return 1.0
    values = VAEConfig().latent_channels * 8 * 14 * 2  # bytes of a latent frame
    wanted = values * (7 * kept[0] + kept[1])
    return min(1.0, (torch.cuda.get_device_properties(device).total_memory - TRAINING_BYTES) / wanted)


def mirrored(spec: SceneSpec) -> SceneSpec:
    """The scene as its mirror image is described."""
    swap = {"pan left": "pan right", "pan right": "pan left", "left of": "right of", "right of": "left of"}
    relation = spec.relation and swap.get(spec.relation, spec.relation)
    return replace(spec, camera=swap.get(spec.camera, spec.camera), relation=relation)
