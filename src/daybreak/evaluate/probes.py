"""Probes: a small network that reads from a clip's pixels what it shows: the judge of generated clips.

It learns from rendered clips only (`train/probes.py`), whose attributes are known exactly, and never sees a
generated one. What it gets right on held-out renders is the ceiling for what it can find in generated clips.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from jaxtyping import Float
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from daybreak.catalog import PACKAGED_WEIGHTS, ModelUnavailable
from daybreak.diorama.narrowing import Words
from daybreak.diorama.scene import ACTIONS, CAMERAS, COLOURS, ENVIRONMENTS, SUBJECTS, TIMES_OF_DAY, WEATHERS, SceneSpec
from daybreak.evaluate.framing import CROP, HEIGHT, TUBELET, WIDTH, crops, moved, places, windows
from daybreak.models.precision import autocast

CLASSES: dict[str, tuple[str, ...]] = {
    "subject": SUBJECTS,
    "colour": COLOURS,
    "action": ACTIONS,
    "environment": ENVIRONMENTS,
    "time_of_day": TIMES_OF_DAY,
    "weather": WEATHERS,
    "camera": CAMERAS,
}
ATTRIBUTES = tuple(CLASSES)
MUST_READ = ATTRIBUTES[:5]  # the attributes whose ceiling has to be 95 % or more
SUBJECT_ATTRIBUTES, SCENE_ATTRIBUTES = ATTRIBUTES[:3], ATTRIBUTES[3:]  # the subject's, and the whole scene's

PROBE_FRAMES = (0, 3, 15, 18, 30, 33, 45, 48)  # of a clip's 49: four moments, each with how things move
FOLDER = PACKAGED_WEIGHTS / "probes"


def readable_labels(spec: SceneSpec) -> dict[str, str]:
    """What pictures of the scene show, of the first subject; those without colours show neither colour nor light."""
    first = spec.subjects[0]
    labels = {"subject": first.kind, "colour": first.colour, "action": first.action}
    labels |= {name: getattr(spec, name) for name in SCENE_ATTRIBUTES}
    if spec.style in ("noir", "sepia"):
        del labels["colour"], labels["time_of_day"]
    return labels


def probe_frames(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part of a clip (F, H, W, 3) that the probes see, (8, 128, 224, 3): whole blocks of pixels averaged.

    Raises ValueError unless the clip is long enough and its sides are the same multiple of 128 and 224.
    """
    factor = frames.shape[1] // HEIGHT
    if frames.shape[1:3] != (factor * HEIGHT, factor * WIDTH) or len(frames) <= PROBE_FRAMES[-1]:
        raise ValueError(f"probes read at least {PROBE_FRAMES[-1] + 1} frames of 448x256, not {frames.shape[:3]}")
    seen = frames[list(PROBE_FRAMES)].astype(np.float32)
    small = reduce(seen, "F (H a) (W b) C -> F H W C", "mean", a=factor, b=factor)
    rounded: NDArray[np.uint8] = np.round(small).astype(np.uint8)
    return rounded


def probe_pixels(clips: Sequence[NDArray[np.uint8]]) -> Float[Tensor, "B 3 F H W"]:
    """Clips from `probe_frames` as one batch in [-1, 1]."""
    return torch.from_numpy(np.stack(clips)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


@dataclass(frozen=True, slots=True)
class ProbeConfig:
    """Sizes of the network; saved beside its weights."""

    patch_width: int = 128
    width: int = 160
    scene_blocks: tuple[int, int] = (1, 2)  # in the trunk that sees the whole picture, by level
    shape_blocks: tuple[int, int] = (1, 3)  # in the one that sees the subject
    moment_width: int = 64
    sketch_width: int = 16  # of what tells where in its picture the subject is


class MatrixConv(nn.Module):
    """A 3x3 convolution whose weight is kept as a matrix, (D_out, D_in * 9), so that Muon trains it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, width * 9) / (width * 9) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        kernel = rearrange(self.weight, "D (d h w) -> D d h w", h=3, w=3)
        return F.conv2d(x, kernel.contiguous(memory_format=torch.channels_last), self.bias, padding=1)


class ShiftBlock(nn.Module):
    """A residual block on (B * T, D, H, W) whose input takes an eighth of its channels from either neighbour in time.

    The temporal shift module (Lin et al., 2019): time is mixed at no cost.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.spatial = MatrixConv(width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor, moments: int) -> Tensor:
        hidden = channels_first(self.norm(channels_last(x)))
        hidden = F.silu(self.spatial(shift(hidden, moments)))
        return x + channels_first(self.out(channels_last(hidden)))


def channels_last(x: Float[Tensor, "BT D H W"]) -> Float[Tensor, "BT H W D"]:
    """`x` with its channels last; a view."""
    return x.permute(0, 2, 3, 1)


def channels_first(x: Float[Tensor, "BT H W D"]) -> Float[Tensor, "BT D H W"]:
    """`x` with its channels first; a view that lies in memory as convolutions like it."""
    return x.permute(0, 3, 1, 2)


def shift(x: Float[Tensor, "BT D H W"], moments: int) -> Float[Tensor, "BT D H W"]:
    """`x` with its first eighth of channels one moment late and its second eighth one early; zeros at the ends."""
    eighth = x.shape[1] // 8
    clip = rearrange(x, "(B T) D H W -> B T D H W", T=moments)
    late = F.pad(clip[:, :-1, :eighth], (0, 0, 0, 0, 0, 0, 1, 0))
    early = F.pad(clip[:, 1:, eighth : 2 * eighth], (0, 0, 0, 0, 0, 0, 0, 1))
    return (
        torch.cat([late, early, clip[:, :, 2 * eighth :]], 2)
        .flatten(0, 1)
        .contiguous(memory_format=torch.channels_last)
    )


def join_cells(x: Float[Tensor, "BT H W D"]) -> Float[Tensor, "BT h w 4D"]:
    """Each 2 x 2 cells as one; quicker than a strided convolution, whose backward pass is slow on CPUs."""
    return rearrange(x, "BT (H h) (W w) D -> BT H W (h w D)", h=2, w=2)


class Trunk(nn.Module):
    """Two frames on top of each other (B * T, 6, H, W) to features of every 8 x 8 pixels, (B * T, D, H / 8, W / 8)."""

    def __init__(self, config: ProbeConfig, blocks: tuple[int, int]) -> None:
        super().__init__()
        self.patches = nn.Linear(3 * TUBELET * 4 * 4, config.patch_width)
        self.patch_blocks = nn.ModuleList(ShiftBlock(config.patch_width) for _ in range(blocks[0]))
        self.join = nn.Linear(config.patch_width * 4, config.width)
        self.cell_blocks = nn.ModuleList(ShiftBlock(config.width) for _ in range(blocks[1]))

    def forward(self, x: Tensor, moments: int) -> Tensor:
        x = channels_first(F.silu(self.patches(rearrange(x, "BT C (H h) (W w) -> BT H W (h w C)", h=4, w=4))))
        for block in self.patch_blocks:
            x = block(x, moments)
        x = channels_first(self.join(join_cells(channels_last(x))))
        for block in self.cell_blocks:
            x = block(x, moments)
        return x


class Seen(NamedTuple):
    """What a view shows of the subject: features, logits of its attributes, and what moves the view to the mark."""

    shape: Float[Tensor, "B T D"]
    logits: dict[str, Float[Tensor, "B T K"]]
    offset: Float[Tensor, "B T 3"]


class SubjectView(nn.Module):
    """The part of the probes that sees the subject alone.

    Every moment of it has a say of its own about what it is, so that it can learn from close-ups, which cost a fifth of
    a clip. It also says how far off the mark its picture was taken, so that a better one can be.
    """

    def __init__(self, config: ProbeConfig) -> None:
        super().__init__()
        self.trunk = Trunk(config, config.shape_blocks)
        self.norm = nn.LayerNorm(config.width)
        self.heads = nn.ModuleDict({name: nn.Linear(config.width, len(CLASSES[name])) for name in SUBJECT_ATTRIBUTES})
        self.sketch = nn.Linear(config.width, config.sketch_width)
        self.offset = nn.Linear(config.sketch_width * (CROP // 8) ** 2, 3)
        nn.init.zeros_(self.offset.weight)
        nn.init.zeros_(self.offset.bias)

    def forward(self, x: Float[Tensor, "BT C CROP CROP"], moments: int) -> Seen:
        """What pictures around the subject show at each moment."""
        cells = self.norm(rearrange(self.trunk(x, moments), "(B T) D H W -> B T (H W) D", T=moments))
        shape = cells.mean(2)
        logits = {name: head(shape).float() for name, head in self.heads.items()}
        return Seen(shape, logits, self.offset(F.silu(self.sketch(cells)).flatten(2)).float())


class Probe(nn.Module):
    """Pixels (B, 3, 8, 128, 224) to logits of every attribute, and to where the subject is.

    It looks for the subject in the picture at half the size, then twice at the subject alone, scaled to one size: the
    first look tells how to take the second. It names what it sees from the picture and the second look.
    """

    def __init__(self, config: ProbeConfig) -> None:
        super().__init__()
        self.config = config
        width, moments = config.width, len(PROBE_FRAMES) // TUBELET
        self.scene = Trunk(config, config.scene_blocks)
        self.coarse = nn.Linear(width * 4, width)
        self.coarse_blocks = nn.ModuleList([ShiftBlock(width)])
        self.spread = nn.Linear(width, width)
        self.view = SubjectView(config)
        self.norm_fine, self.norm_coarse = nn.LayerNorm(width), nn.LayerNorm(width)
        self.where = nn.Linear(width, 1)
        self.moment = nn.Linear(3 * width + 7, config.moment_width)
        self.story = nn.Linear(moments * config.moment_width, width)
        self.norm = nn.LayerNorm(4 * width)
        self.heads = nn.ModuleDict({name: nn.Linear(4 * width, len(words)) for name, words in CLASSES.items()})

    def forward(
        self, pixels: Float[Tensor, "B 3 F H W"]
    ) -> tuple[dict[str, Float[Tensor, "B K"]], Float[Tensor, "B T N"]]:
        """Logits by attribute, and the logarithm of the share of the subject in each cell at each moment."""
        moments = pixels.shape[2] // TUBELET
        x = rearrange(pixels, "B C (T t) H W -> (B T) (t C) H W", t=TUBELET)
        fine, scene = self._see_scene(F.avg_pool2d(x, 2), moments)
        where = self.where(fine).squeeze(-1).float().log_softmax(-1)  # (B, T, N)
        found = where.exp()
        place = places(found.detach())
        first = windows(place)
        window = moved(first, self.view(crops(x, first.flatten(0, 1)), moments).offset)
        seen = self.view(crops(x, window.flatten(0, 1)), moments)
        subject = torch.einsum("btn,btnd->btd", found.to(fine.dtype), fine)
        all_seen = torch.cat([seen.shape, subject, scene], -1)
        told = torch.cat([all_seen, place.to(fine.dtype), window.to(fine.dtype)], -1)
        story = self.story(F.silu(self.moment(told)).flatten(1))
        features = self.norm(torch.cat([all_seen.mean(1), F.silu(story)], -1))
        logits = {name: head(features).float() for name, head in self.heads.items()}
        for name, of_moments in seen.logits.items():
            logits[name] = logits[name] + of_moments.mean(1)
        return logits, where

    def _see_scene(self, x: Tensor, moments: int) -> tuple[Tensor, Tensor]:
        """Features of every cell (B, T, N, D) and of the whole picture (B, T, D)."""
        fine = self.scene(x, moments)
        coarse = channels_first(self.coarse(join_cells(channels_last(fine))))
        for block in self.coarse_blocks:
            coarse = block(coarse, moments)
        wide = channels_last(coarse)
        spread = self.spread(wide).repeat_interleave(2, 1).repeat_interleave(2, 2)
        cells = rearrange(self.norm_fine(channels_last(fine) + spread), "(B T) H W D -> B T (H W) D", T=moments)
        whole = rearrange(self.norm_coarse(wide), "(B T) H W D -> B T (H W) D", T=moments).mean(2)
        return cells, whole


@torch.inference_mode()
def classify(
    probe: Probe, clips: Sequence[NDArray[np.uint8]], words: Words | None = None, batch: int = 16
) -> list[dict[str, str]]:
    """What each clip from `probe_frames` shows, as attribute to word: what it and its mirror image say together.

    Where a model knows some `words` only, those are what its clips can show.
    """
    device = next(probe.parameters()).device
    possible = {name: [words is None or word in words[name] for word in CLASSES[name]] for name in ATTRIBUTES}
    found: list[dict[str, str]] = []
    for first in range(0, len(clips), batch):
        pixels = probe_pixels(clips[first : first + batch]).to(device)
        with autocast(device.type):
            logits, mirrored = probe(pixels)[0], mirrored_logits(probe(pixels.flip(-1))[0])
        chosen = {
            name: (values.log_softmax(1) + mirrored[name].log_softmax(1))
            .masked_fill(~torch.tensor(possible[name], device=device), -torch.inf)
            .argmax(1)
            .tolist()
            for name, values in logits.items()
        }
        found += [{name: CLASSES[name][chosen[name][row]] for name in ATTRIBUTES} for row in range(len(pixels))]
    return found


def mirrored_logits(logits: dict[str, Tensor]) -> dict[str, Tensor]:
    """The logits (B, K) of the mirrored clips: a pan to the left becomes one to the right."""
    words = CLASSES["camera"]
    left, right = words.index("pan left"), words.index("pan right")
    order = list(range(len(words)))
    order[left], order[right] = right, left
    return {**logits, "camera": logits["camera"][:, order]}


def save_probe(probe: Probe, folder: Path) -> None:
    """Writes the probes in half precision, with what they can name."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().half().cpu().contiguous() for name, tensor in probe.state_dict().items()}
    save_file(tensors, folder / "probe.safetensors")
    card = {"probe": asdict(probe.config), "classes": CLASSES}
    (folder / "probe.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def load_probe(folder: Path = FOLDER, device: torch.device | None = None) -> Probe:
    """The probes that `save_probe` wrote. Raises ModelUnavailable when they are missing or damaged."""
    try:
        card = json.loads((folder / "probe.json").read_text(encoding="utf-8"))
        if {name: tuple(words) for name, words in card["classes"].items()} != CLASSES:
            raise ValueError("they were trained on other words")
        sizes: dict[str, Any] = {
            name: tuple(size) if isinstance(size, list) else size for name, size in card["probe"].items()
        }
        probe = Probe(ProbeConfig(**sizes))
        probe.load_state_dict(load_file(folder / "probe.safetensors"))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelUnavailable(
            f"the probes in {folder} cannot be loaded ({reason}): run `daybreak train probes`"
        ) from error
    return probe.to(device or torch.device("cpu")).eval().requires_grad_(False)
