"""Probes: a small network that reads from a clip's pixels what it shows: the judge of generated clips.

It learns from rendered clips only (`train/probes.py`), whose attributes are known exactly, and never sees a
generated one. What it gets right on held-out renders is the ceiling for what it can find in generated clips.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

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
from daybreak.diorama.scene import ACTIONS, CAMERAS, COLOURS, ENVIRONMENTS, SUBJECTS, TIMES_OF_DAY, WEATHERS, SceneSpec

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
SCENE_ATTRIBUTES = ATTRIBUTES[3:]  # those of the whole scene; the others are the subject's

HEIGHT, WIDTH = 64, 112  # pixels that the probes see, of a landscape clip
PROBE_FRAMES = (0, 3, 15, 18, 30, 33, 45, 48)  # of a clip's 49: four moments, each with how things move
TUBELET = 2  # frames that become one moment of the network, so that its first layer sees motion
CELL = 8  # pixels of the grid on which the subject is looked for
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
    """The part of a clip (F, H, W, 3) that the probes see, (8, 64, 112, 3): whole blocks of pixels averaged.

    Raises ValueError unless the clip is long enough and its sides are the same multiple of 64 and 112.
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
    width: int = 192
    patch_blocks: int = 2  # where a cell is 4 pixels: shapes
    fine_blocks: int = 3  # where it is 8
    coarse_blocks: int = 1  # where it is 16
    moment_width: int = 64


class MatrixConv(nn.Module):
    """A 3x3 convolution whose weight is kept as a matrix, (D_out, D_in * 9), so that Muon can train it."""

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


class Probe(nn.Module):
    """Pixels (B, 3, 8, 64, 112) to logits of every attribute, and to where the subject is.

    It looks for the subject first, then names what it finds there: features are averaged once over the whole
    picture and once under the map of where the subject is.
    """

    def __init__(self, config: ProbeConfig) -> None:
        super().__init__()
        self.config = config
        width, moments = config.width, len(PROBE_FRAMES) // TUBELET
        self.patches = nn.Linear(3 * TUBELET * (CELL // 2) ** 2, config.patch_width)
        self.patch_blocks = nn.ModuleList(ShiftBlock(config.patch_width) for _ in range(config.patch_blocks))
        self.to_fine = nn.Linear(config.patch_width * 4, width)
        self.fine_blocks = nn.ModuleList(ShiftBlock(width) for _ in range(config.fine_blocks))
        self.to_coarse = nn.Linear(width * 4, width)
        self.coarse_blocks = nn.ModuleList(ShiftBlock(width) for _ in range(config.coarse_blocks))
        self.from_coarse = nn.Linear(width, width)
        self.norm_fine, self.norm_coarse = nn.LayerNorm(width), nn.LayerNorm(width)
        self.where = nn.Linear(width, 1)
        self.moment = nn.Linear(2 * width + 4, config.moment_width)
        self.story = nn.Linear(moments * config.moment_width, width)
        self.norm = nn.LayerNorm(3 * width)
        self.heads = nn.ModuleDict({name: nn.Linear(3 * width, len(words)) for name, words in CLASSES.items()})

    def forward(
        self, pixels: Float[Tensor, "B 3 F H W"]
    ) -> tuple[dict[str, Float[Tensor, "B K"]], Float[Tensor, "B T N"]]:
        """Logits by attribute, and the logarithm of the share of the subject in each cell at each moment."""
        moments = pixels.shape[2] // TUBELET
        patches = rearrange(pixels, "B C (T t) (H h) (W w) -> (B T) H W (t h w C)", t=TUBELET, h=CELL // 2, w=CELL // 2)
        x = channels_first(F.silu(self.patches(patches)))
        for block in self.patch_blocks:
            x = block(x, moments)
        x = channels_first(self.to_fine(join_cells(channels_last(x))))
        for block in self.fine_blocks:
            x = block(x, moments)
        coarse = channels_first(self.to_coarse(join_cells(channels_last(x))))
        for block in self.coarse_blocks:
            coarse = block(coarse, moments)
        wide = channels_last(coarse)
        spread = self.from_coarse(wide).repeat_interleave(2, 1).repeat_interleave(2, 2)
        fine = rearrange(self.norm_fine(channels_last(x) + spread), "(B T) H W D -> B T (H W) D", T=moments)
        scene = rearrange(self.norm_coarse(wide), "(B T) H W D -> B T (H W) D", T=moments).mean(2)
        where = self.where(fine).squeeze(-1).float().log_softmax(-1)  # (B, T, N)
        share = where.exp()
        subject = torch.einsum("btn,btnd->btd", share.to(fine.dtype), fine)
        # The mean and mean square of the subject's place: its path, and how large it is.
        place = torch.einsum("btn,np->btp", share, grid(x.shape[2], x.shape[3], x.device))
        story = self.story(F.silu(self.moment(torch.cat([subject, scene, place.to(scene.dtype)], -1))).flatten(1))
        features = self.norm(torch.cat([subject.mean(1), scene.mean(1), F.silu(story)], -1))
        return {name: head(features).float() for name, head in self.heads.items()}, where


def grid(rows: int, columns: int, device: torch.device) -> Float[Tensor, "N 4"]:
    """x, y and their squares for every cell of a grid, -1 to 1."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns), indexing="ij")
    return torch.stack([x, y, x.square(), y.square()], -1).flatten(0, 1).to(device)


@torch.inference_mode()
def classify(probe: Probe, clips: Sequence[NDArray[np.uint8]], batch: int = 16) -> list[dict[str, str]]:
    """What each clip from `probe_frames` shows, as attribute to word."""
    device = next(probe.parameters()).device
    found: list[dict[str, str]] = []
    for first in range(0, len(clips), batch):
        pixels = probe_pixels(clips[first : first + batch]).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            logits, _ = probe(pixels)
        chosen = {name: values.argmax(1).tolist() for name, values in logits.items()}
        found += [{name: CLASSES[name][chosen[name][row]] for name in ATTRIBUTES} for row in range(len(pixels))]
    return found


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
        probe = Probe(ProbeConfig(**card["probe"]))
        probe.load_state_dict(load_file(folder / "probe.safetensors"))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelUnavailable(
            f"the probes in {folder} cannot be loaded ({reason}): run `daybreak train probes`"
        ) from error
    return probe.to(device or torch.device("cpu")).eval().requires_grad_(False)
