"""Wan by our own engine and by diffusers, in one interleaved run on a checkpoint of 30 million random parameters.

Same weights, prompt, seed, schedule, steps and threads; guidance on, text padded to the 512 tokens that Wan was trained
with, 17 frames of 128 x 128. Every round runs each engine once; figures are each engine's best, which a busy machine
disturbs least. The output's difference stands beside each ratio, and beside a step's speed the share that it reaches of
the speed of a large matrix product. Peak memory is of decoding alone, in processes of their own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import numpy as np
import torch

from daybreak.catalog import ModelCard, find_model
from daybreak.engines.diffusers import DiffusersEngine
from daybreak.engines.protocol import Engine
from daybreak.engines.wan import WanEngine
from daybreak.engines.wan_checkpoint import load_transformer, load_vae
from daybreak.generation import Frames
from daybreak.generation_settings import GenerationSettings
from daybreak.models.wan.int8 import quantise
from daybreak.open_models.install import import_folder
from daybreak.shapes import VideoSpec
from daybreak.timeline import Shot, Timeline
from tiny_checkpoints import build

SPEC = VideoSpec(17, 128, 128, 16)
PROMPT = "a brown dog runs across a meadow at sunset"
LENGTHS = (17, 81, 161)  # frames
SIDE = 128  # pixels, of the clips whose decoding is measured


class Timed:
    """One engine's clips: the seconds of each step, of decoding, and of the whole clip, round after round."""

    def __init__(self, engine: Engine, steps: int) -> None:
        self.engine, self.settings = engine, GenerationSettings(1, steps, 5.0)
        self.steps: list[float] = []
        self.decodes: list[float] = []
        self.clips: list[float] = []

    def run(self) -> Frames:
        moments = [time.perf_counter()]
        video = self.engine.generate(
            Timeline((Shot(PROMPT),), SPEC), self.settings, lambda *_, **__: moments.append(time.perf_counter())
        )
        self.clips.append(time.perf_counter() - moments[0])
        gaps = [after - before for before, after in pairwise(moments[1:])]
        self.steps += gaps[:-1]  # the first step's start is not told, and the last gap is the decoding
        self.decodes.append(gaps[-1])
        return video.frames


def compare(card: ModelCard, rounds: int, steps: int) -> None:
    """Prints the ratios of one interleaved run."""
    general = DiffusersEngine(card, "cpu")
    engines = {
        "diffusers": Timed(general, steps),
        "float32": Timed(WanEngine(card, general, "cpu"), steps),
        "int8": Timed(WanEngine(card, general, "cpu", "int8"), steps),
    }
    frames = {name: timed.run() for name, timed in engines.items()}  # loads the weights and warms up
    for timed in engines.values():
        timed.steps, timed.decodes, timed.clips = [], [], []
    ceilings = []
    for _ in range(rounds):
        ceilings.append(ceiling())
        for timed in engines.values():
            timed.run()
    errors, flops = difference(card)
    slow = engines["diffusers"]
    limit = max(ceilings)
    print(f"ceiling: float32 matrix products at {limit:.0f} GFLOP/s; diffusers runs in float32 too")
    for name in ("float32", "int8"):
        quick = engines[name]
        print(
            f"native/diffusers {name} step {min(slow.steps) / min(quick.steps):.2f}x "
            f"({min(slow.steps):.3f} to {min(quick.steps):.3f} s), velocities differ by {errors[name]:.1e}"
        )
        share = flops["native"] / min(quick.steps) / 1e9 / limit
        print(f"native {name} step reaches {share:.0%} of the ceiling, of {flops['native'] / 1e9:.1f} GFLOP")
    share = flops["diffusers"] / min(slow.steps) / 1e9 / limit
    print(f"diffusers step reaches {share:.0%} of the ceiling, of {flops['diffusers'] / 1e9:.1f} GFLOP")
    decode, ours = min(slow.decodes), min(engines["float32"].decodes)
    print(f"native/diffusers float32 decode {decode / ours:.2f}x ({decode:.2f} to {ours:.2f} s)")
    for name in ("float32", "int8"):
        quick = engines[name]
        off = np.abs(frames[name].astype(int) - frames["diffusers"].astype(int))
        print(
            f"native/diffusers {name} clip {min(slow.clips) / min(quick.clips):.2f}x "
            f"({min(slow.clips):.2f} to {min(quick.clips):.2f} s, {steps} steps and decoding), pixels differ by "
            f"{off.mean():.3f} levels of 255 on average, {off.max()} at most"
        )


def ceiling() -> float:
    """GFLOP/s of a large float32 matrix product: the best of five."""
    one, other = torch.randn(1024, 1024), torch.randn(1024, 1024)
    return 2 * 1024**3 / min(seconds(lambda: one @ other) for _ in range(5)) / 1e9


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@torch.inference_mode()
def difference(card: ModelCard) -> tuple[dict[str, float], dict[str, float]]:
    """How far velocities are from those of diffusers, relative, and the floating-point operations of a step."""
    import diffusers
    from torch.utils.flop_counter import FlopCounterMode

    assert card.path is not None
    theirs: Any = diffusers.WanTransformer3DModel.from_pretrained(card.path / "transformer").eval()
    ours = load_transformer(card.path / "transformer")
    torch.manual_seed(0)
    latents, prompts = torch.randn(1, 16, 5, 16, 16), [torch.randn(42, 32), torch.randn(1, 32)]
    padded = [torch.nn.functional.pad(prompt, (0, 0, 0, 512 - len(prompt)))[None] for prompt in prompts]
    moment, text = torch.tensor([500]), ours.text_states(prompts)
    # The counter leaves out what a processor's fused attention does.
    attention: Any = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: attention_flops}
    with FlopCounterMode(display=False, custom_mapping=attention) as counted:
        expected = torch.cat([theirs(latents, moment, prompt, return_dict=False)[0] for prompt in padded])
    with FlopCounterMode(display=False, custom_mapping=attention) as counted_ours:
        found = {"float32": ours(latents, moment.float(), text)}
    found["int8"] = quantise(ours)(latents, moment.float(), text)
    errors = {name: float((one - expected).norm() / expected.norm()) for name, one in found.items()}
    return errors, {"diffusers": counted.get_total_flops(), "native": counted_ours.get_total_flops()}


def attention_flops(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """Floating-point operations of attention for shapes (B, K, N, d)."""
    from torch.utils.flop_counter import sdpa_flop_count

    return int(sdpa_flop_count(query, key, value))


@torch.inference_mode()
def decode(folder: Path, frames: int, engine: str) -> None:
    """Prints the MB that decoding a clip of `frames` frames adds to this process, beside the finished clip itself."""
    latents = torch.zeros(1, 16, (frames - 1) // 4 + 1, SIDE // 8, SIDE // 8)
    made = np.empty((frames, SIDE, SIDE, 3), np.uint8)
    if engine == "native":
        vae = load_vae(folder)
        list(vae.decode(torch.zeros(1, 16, 2, 8, 8)))  # loads the compiled kernels
        before = resident(anew=True)
        for number, pixels in enumerate(vae.decode(latents)):
            made[number] = ((pixels[0] / 2 + 0.5) * 255).round().byte().permute(1, 2, 0).numpy()
    else:
        import diffusers

        theirs: Any = diffusers.AutoencoderKLWan.from_pretrained(folder).eval()
        theirs.decode(torch.zeros(1, 16, 2, 8, 8))
        before = resident(anew=True)
        pixels = theirs.decode(latents).sample
        made[:] = ((pixels[0] / 2 + 0.5) * 255).round().byte().permute(1, 2, 3, 0).numpy()
    print(resident() - before - made.nbytes / 2**20)


def resident(*, anew: bool = False) -> float:
    """The most MB that this process has held; with `anew` what it holds, from where the most is then counted."""
    if anew:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**10


def memory(card: ModelCard) -> None:
    """Prints the peak memory of decoding clips of three lengths, each in a process of its own."""
    assert card.path is not None
    for engine in ("native", "diffusers"):
        added = []
        for frames in LENGTHS:
            command = [sys.executable, __file__, "--decode", str(card.path / "vae"), str(frames), engine]
            # Freed tensors go back to the system at once, so that the process is as large as what it holds.
            environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": str(2**17), "MALLOC_ARENA_MAX": "1"}
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            added.append(float(done.stdout.split()[-1]))
        said = ", ".join(f"{frames} frames {size:.0f} MB" for frames, size in zip(LENGTHS, added, strict=True))
        print(f"{engine} decode peak memory at {SIDE}x{SIDE}: {said}: {added[-1] / added[0]:.2f}x from first to last")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--decode", nargs=3, metavar=("FOLDER", "FRAMES", "ENGINE"), help="measure this one alone")
    options = parser.parse_args()
    if options.decode:
        folder, frames, engine = options.decode
        decode(Path(folder), int(frames), engine)
        return
    print(f"Wan, 30 million random parameters, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        import_folder(build("wan-30m", root / "built"), "wan-30m", root / "models", {}, lambda *_: None)
        card = find_model("wan-30m", root / "models")
        compare(card, options.rounds, options.steps)
        memory(card)


if __name__ == "__main__":
    main()
