"""`daybreak train lora`: a folder of clips with captions becomes a LoRA."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.errors import told_plainly

INTERRUPTED = 130


def train_lora(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="Clips or pictures, and what each shows: name.txt beside name.mp4, or captions.jsonl.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The .safetensors to write.")],
    model: Annotated[str | None, typer.Option(help="The model to adapt: dawn, or an installed Wan.")] = None,
    rank: Annotated[int, typer.Option(help="How much it can learn, and how large it gets.")] = 16,
    steps: Annotated[int, typer.Option(help="Training steps.")] = 500,
    learning_rate: Annotated[float | None, typer.Option(help="Default: 0.001 for dawn, 0.0001 for Wan.")] = None,
    batch: Annotated[int | None, typer.Option(help="Clips a step. Default: 4 for dawn, 1 for Wan.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed and folder give the same file.")] = 0,
    trigger: Annotated[
        list[str] | None, typer.Option(help="A word of the captions that calls for it; written into the file.")
    ] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Wan: train on clips of this size.")] = None,
    frames: Annotated[int | None, typer.Option(help="Wan: train on clips of this many frames, 4k + 1.")] = None,
    expert: Annotated[str | None, typer.Option(help="Wan with two experts: high or low.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: CUDA where there is one.")] = "auto",
) -> None:
    """Train a LoRA on a folder of clips. Install the result with: daybreak models import FILE --lora"""
    with told_plainly():
        from daybreak.catalog import find_model
        from daybreak.cli.request import parse_size
        from daybreak.settings import load_settings
        from daybreak.train.footage import read_footage
        from daybreak.train.loop import lower_priority, pick_device

        if out.suffix != ".safetensors":
            raise ValueError(f"{out} must end in .safetensors")
        footage = read_footage(folder)
        settings = load_settings()
        card = find_model(model or settings.model, settings.models_dir)
        wanted = parse_size(size) if size else None
        from daybreak.train.lora import LoraConfig
        from daybreak.train.lora import train_lora as run
        from daybreak.train.lora_targets import default_batch, open_target

        config = LoraConfig(
            rank, steps, learning_rate, batch or default_batch(card), seed=seed, trigger_words=tuple(trigger or ())
        )
        on = pick_device(device)
        target = open_target(card, on, size=wanted, num_frames=frames, expert=expert)
        lower_priority()
        try:
            path = run(target, footage, out, config, on, resume=resume)
        except KeyboardInterrupt:
            typer.echo("daybreak: stopped; what was learnt is kept: the same command with --resume goes on", err=True)
            raise typer.Exit(INTERRUPTED) from None
    print(path)
