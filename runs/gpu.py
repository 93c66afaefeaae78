"""The stages of the recipe `sunrise`, on one graphics card and its machine's processor cores, in minutes.

    python runs/gpu.py vae FOLDER --seconds 300 --workers 8
    python runs/gpu.py pack FOLDER      # the averaged weights of all stages, in half precision, under FOLDER/packed

Stages can run side by side: the VAE, the text encoder and the probes need nothing of one another. "denoise" is the
transformer and the few-step student one after the other, on one stream of rendered clips, and between them the choice
of schedule and guidance: the probes of FOLDER/packed/probes judge them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from daybreak.evaluate.probes import load_probe
from daybreak.evaluate.tuning import Choice, accuracies, tuning_captions
from daybreak.models.transformer import Transformer
from daybreak.train.distil import DistilStage
from daybreak.train.finished import trained_text_encoder, trained_vae
from daybreak.train.live import LiveClips, LiveLatents
from daybreak.train.loop import pick_device, read_metadata, under
from daybreak.train.probes import train_probes_live
from daybreak.train.recipes import SUNRISE
from daybreak.train.run import STAGES, How, run_stage, train, train_denoiser
from daybreak.train.transformer import Conditioner

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
        source = LiveClips(how.device, how.workers)
        train_probes_live(source, how.seconds, asked.folder / "probes", asked.folder / "packed" / "probes", how.device)
        source.harvest.stop()
    elif asked.stage == "denoise":
        denoise(asked.folder, how, asked.distil_seconds)
    else:
        run_stage(SUNRISE, asked.stage, asked.folder, how)


def denoise(folder: Path, how: How, distil_seconds: float) -> None:
    """The transformer, the choice of how to sample from it, and the student, which is then measured too."""
    conditioner = Conditioner(*trained_text_encoder(SUNRISE, folder, how.device))
    vae, probe = trained_vae(SUNRISE, folder).to(how.device), load_probe(folder / "packed" / "probes", how.device)
    source = LiveLatents(vae, conditioner, SUNRISE.transformer, how.workers)
    asked = tuning_captions(CAPTIONS)
    teacher = train_denoiser(SUNRISE, "transformer", folder, how, source)
    assert isinstance(teacher, Transformer)
    pack(folder)
    measured = []
    for shift, guidance in itertools.product(SHIFTS, GUIDANCES):
        choice = Choice(20, guidance, shift)
        measured.append((choice, accuracies(teacher, conditioner, vae, probe, asked, choice)))
        print(choice, {name: round(share, 3) for name, share in measured[-1][1].items()}, flush=True)
    best = max(measured, key=lambda one: one[1]["mean"])[0]
    print("best", best, {kind: pool.added for kind, pool in source.pools.items()}, flush=True)
    recipe = replace(SUNRISE.distil, guidance=best.guidance_scale, shift=best.shift)
    stage = DistilStage(recipe, teacher, conditioner, vae, source)
    student = train(stage, recipe.loop, folder / "distil", replace(how, seconds=distil_seconds))
    assert isinstance(student, Transformer)
    pack(folder)
    few = [(student, Choice(steps, 1.0, best.shift)) for steps in (1, 2, 4, 6)]
    for network, choice in [*few, *((teacher, replace(best, num_steps=steps)) for steps in (4, 6, 8, 10, 14, 30))]:
        measured.append((choice, accuracies(network, conditioner, vae, probe, asked, choice)))
        print(choice, {name: round(share, 3) for name, share in measured[-1][1].items()}, flush=True)
    table = [{**asdict(choice), **shares} for choice, shares in measured]
    (folder / "packed" / "distil" / "sampling.json").write_text(json.dumps(table, indent=1))
    source.harvest.stop()


def pack(folder: Path) -> None:
    """What later stages and publishing need of the finished ones: averaged weights, logs and sheets."""
    for state in folder.glob("*/state.safetensors"):
        stage = state.parent
        if stage.name == "probes":
            continue
        target = folder / "packed" / stage.name
        target.mkdir(parents=True, exist_ok=True)
        averaged = under("averaged.", load_file(state))
        tensors = {f"averaged.{name}": tensor.half().contiguous() for name, tensor in averaged.items()}
        save_file(tensors, target / "state.safetensors", metadata=read_metadata(state))
    for stage in folder.iterdir():
        for kept in [*stage.glob("*.json*"), *stage.glob("loss.png"), *sorted(stage.glob("sample-*.png"))[-1:]]:
            if stage.name != "packed":
                (folder / "packed" / stage.name).mkdir(parents=True, exist_ok=True)
                shutil.copy(kept, folder / "packed" / stage.name / kept.name)


if __name__ == "__main__":
    main()
