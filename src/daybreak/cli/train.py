"""`daybreak train`: a recipe becomes a checkpoint; `daybreak train lora`: a folder of clips becomes a LoRA."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from daybreak.cli.errors import told_plainly
from daybreak.cli.train_lora import train_lora


class _RecipeFirst(TyperGroup):
    """`train dawn` is `train recipe dawn`: what is no command is a recipe's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["recipe", *args]
        return super().parse_args(ctx, args)


train = typer.Typer(cls=_RecipeFirst, help="Train a model from a recipe, or a LoRA.", rich_markup_mode=None)
train.command("lora")(train_lora)


@train.command("recipe")
def train_recipe(
    recipe: Annotated[
        str, typer.Argument(metavar="RECIPE", help="A recipe's name (see daybreak/train/recipes.py), or probes.")
    ],
    stages: Annotated[list[str] | None, typer.Option("--stage", help="Only this stage; may be repeated.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="MODEL", help="Go on from this model's weights; of probes, the installed ones."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for checkpoints and samples [default: in the data folder].")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto: CUDA where there is one.")] = "auto",
    seconds: Annotated[float, typer.Option(min=0, help="Of training each stage, instead of the recipe's steps.")] = 0.0,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Processes that render for a graphics card [default: one less than there are processor cores]."
        ),
    ] = None,
) -> None:
    """Train a model from a recipe."""
    with told_plainly():
        from daybreak.settings import load_settings
        from daybreak.train.loop import pick_device
        from daybreak.train.run import DEFAULT_STAGES, How, run

        settings = load_settings()
        folder = out or settings.data_dir / "training" / recipe
        if recipe == "probes":  # what `daybreak evaluate` measures with
            from daybreak.evaluate.probes import FOLDER
            from daybreak.train.probes import train_probes

            train_probes(folder, FOLDER, resume=resume, again=start is not None, device=device)
            return
        if start:
            from daybreak.catalog import find_model
            from daybreak.train.publish import adopt
            from daybreak.train.recipes import find_recipe

            card = find_model(start, settings.models_dir)
            if card.path is None:
                raise ValueError(f"model {start!r} is a program without weights: there is nothing to go on from")
            adopt(card.path, folder, find_recipe(recipe))
            resume = True
        how = How(pick_device(device), resume, seconds)
        if workers:
            how = replace(how, workers=workers)
        run(recipe, folder, how, tuple(stages or DEFAULT_STAGES))
