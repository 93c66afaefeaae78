"""The stages of the recipe `sunrise`, on one graphics card and its machine's processor cores, in minutes.

    python runs/gpu.py vae FOLDER --seconds 300 --workers 8
    python runs/gpu.py pack FOLDER      # the averaged weights of all stages, in half precision, under FOLDER/packed

Stages can run side by side: the VAE, the text encoder and the probes need nothing of one another. "denoise" is the
transformer and the few-step student one after the other, on one stream of rendered clips, and between them the choice
of schedule and guidance: the probes judge them. It begins with the VAE and the text encoder of FOLDER or, where they
are not trained there, of `runs/checkpoints`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from daybreak.evaluate.probes import FOLDER, load_probe
from daybreak.evaluate.tuning import Choice, accuracies, tuning_captions
from daybreak.models.transformer import Transformer
from daybreak.train.distil import DistilStage
from daybreak.train.finished import trained_text_encoder, trained_vae
from daybreak.train.live import LiveClips, LiveLatents
from daybreak.train.loop import pick_device, read_metadata
from daybreak.train.probes import train_probes_live
from daybreak.train.recipes import SUNRISE
from daybreak.train.run import STAGES, How, run_stage, train, train_denoiser
from daybreak.train.transformer import Conditioner

CHECKPOINTS = Path(__file__).parent / "checkpoints" / "sunrise"
CAPTIONS = 128  # on which schedule and guidance are chosen
SHIFTS, GUIDANCES = (6.0, 15.0, 40.0), (2.5, 4.0, 6.0)


def main() -> None:
    """Runs one stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=[*STAGES, "probes", "denoise", "pack"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=0.0, help="of training; 0: the recipe's steps")
    parser.add_argument("--distil-seconds", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    asked = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = True
    how = How(pick_device(), seconds=asked.seconds, workers=asked.workers)
    if asked.stage == "pack":
        pack(asked.folder)
    elif asked.stage == "probes":
        packed = asked.folder / "packed" / "probes"
        with contextlib.closing(LiveClips(how.device, how.workers)) as clips:
            train_probes_live(clips, how.seconds, asked.folder / "probes", packed, how.device)
    elif asked.stage == "denoise":
        # Packed whenever a checkpoint is written: a machine that vanishes then takes minutes with it and not all.
        denoise(asked.folder, replace(how, on_save=lambda: pack(asked.folder)), asked.distil_seconds)
    else:
        run_stage(SUNRISE, asked.stage, asked.folder, how)


def denoise(folder: Path, how: How, distil_seconds: float) -> None:
    """The transformer, the choice of how to sample from it, and the student, which is then measured too."""
    prepare(folder)
    conditioner = Conditioner(*trained_text_encoder(SUNRISE, folder, how.device))
    vae, probe = trained_vae(SUNRISE, folder).to(how.device), load_probe(folder / "packed" / "probes", how.device)
    asked = tuning_captions(CAPTIONS)
    table: list[dict[str, float]] = []

    def measure(network: nn.Module, choice: Choice) -> float:
        """The mean accuracy; all measured so far go to sampling.json."""
        assert isinstance(network, Transformer)
        shares = accuracies(network, conditioner, vae, probe, asked, choice)
        print(choice, {name: round(share, 3) for name, share in shares.items()}, flush=True)
        table.append({**asdict(choice), **shares})
        (folder / "packed" / "sampling.json").write_text(json.dumps(table, indent=1))
        return shares["mean"]

    with contextlib.closing(LiveLatents(vae, conditioner, SUNRISE.transformer, how.workers)) as source:
        teacher = train_denoiser(SUNRISE, "transformer", folder, how, source)
        assert isinstance(teacher, Transformer)
        choices = [Choice(20, guidance, shift) for shift, guidance in itertools.product(SHIFTS, GUIDANCES)]
        best = max(choices, key=lambda choice: measure(teacher, choice))
        print("best", best, {kind: pool.added for kind, pool in source.pools.items()}, flush=True)
        recipe = replace(SUNRISE.distil, guidance=best.guidance_scale, shift=best.shift)
        stage = DistilStage(recipe, teacher, conditioner, vae, source)
        student = train(stage, recipe.loop, folder / "distil", replace(how, seconds=distil_seconds))
    for steps in (1, 2, 4, 6):
        measure(student, Choice(steps, 1.0, best.shift))
    for steps in (4, 6, 8, 10, 14, 30):
        measure(teacher, replace(best, num_steps=steps))


def prepare(folder: Path) -> None:
    """Takes from CHECKPOINTS and from the package what `folder` has not trained itself."""
    for stage in ("vae", "text"):
        if not (folder / stage / "state.safetensors").exists():
            shutil.copytree(CHECKPOINTS / stage, folder / stage, dirs_exist_ok=True)
    if not (folder / "packed" / "probes" / "probe.safetensors").exists():
        shutil.copytree(FOLDER, folder / "packed" / "probes", dirs_exist_ok=True)


def pack(folder: Path) -> None:
    """What later stages and publishing need of the trained ones: averaged weights, logs and sheets."""
    packed = folder / "packed"
    for stage in folder.iterdir():
        if stage == packed or not stage.is_dir():
            continue
        (packed / stage.name).mkdir(parents=True, exist_ok=True)
        state, target = stage / "state.safetensors", packed / stage.name / "state.safetensors"
        # The probes are written there whole; what is packed already is not read again at every checkpoint.
        if stage.name != "probes" and state.exists() and not (target.exists() and newer(target, state)):
            pack_weights(state, target)
        for kept in [*stage.glob("*.json*"), *stage.glob("loss.png"), *sorted(stage.glob("sample-*.png"))[-1:]]:
            shutil.copy(kept, packed / stage.name / kept.name)


def newer(file: Path, other: Path) -> bool:
    """Whether `file` was written after `other`."""
    return file.stat().st_mtime > other.stat().st_mtime


def pack_weights(state: Path, target: Path) -> None:
    """Writes a checkpoint's averaged weights in half precision, and swaps them in whole."""
    with safe_open(state, "pt") as file:  # without reading the rest, which is several times as much
        names = [name for name in file.keys() if name.startswith("averaged.")]  # noqa: SIM118 - it is no mapping
        tensors = {name: file.get_tensor(name).half().contiguous() for name in names}
    partial = target.with_suffix(".part")
    save_file(tensors, partial, metadata=read_metadata(state))
    partial.replace(target)


if __name__ == "__main__":
    main()
