"""The stages of what is shipped, on one graphics card and its machine's processor cores, in minutes.

    python runs/gpu.py vae FOLDER --seconds 300 --workers 8
    python runs/gpu.py pack FOLDER      # the averaged weights of all stages, in half precision, under FOLDER/packed

Stages can run side by side: the VAE, the text encoder and the probes need nothing of one another.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from daybreak.train.live import LiveClips
from daybreak.train.loop import pick_device, read_metadata, under
from daybreak.train.probes import train_probes_live
from daybreak.train.recipes import DAWN
from daybreak.train.run import STAGES, How, run_stage


def main() -> None:
    """Runs one stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=[*STAGES, "probes", "pack"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=0.0, help="of training; 0: the recipe's steps")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    asked = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = True
    how = How(pick_device(), seconds=asked.seconds, workers=asked.workers)
    if asked.stage == "pack":
        pack(asked.folder)
    elif asked.stage == "probes":
        source = LiveClips(how.device, how.workers)
        train_probes_live(source, how.seconds, asked.folder / "probes", asked.folder / "packed" / "probes", how.device)
    else:
        run_stage(DAWN, asked.stage, asked.folder, how)


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
