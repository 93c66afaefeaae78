"""`daybreak evaluate`: how much of what is asked for a model's clips show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.errors import CliError, told_plainly


def evaluate(
    num_captions: Annotated[
        int, typer.Option(help="Held-out captions, and at most as many hand-written sentences.")
    ] = 200,
    model: Annotated[str | None, typer.Option(help="An installed model; see `daybreak models`.")] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps. Default: the model's.")] = None,
    guidance: Annotated[
        float | None, typer.Option(help="How closely to follow the prompt. Default: the model's.")
    ] = None,
    enhance: Annotated[
        bool, typer.Option("--enhance/--no-enhance", help="Tell the model the prompts in the words that it knows best.")
    ] = True,
    docs: Annotated[
        Path, typer.Option(help="Folder whose model.md gets the tables and sheets, if it has the report's markers.")
    ] = Path("docs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON instead of tables.")] = False,
) -> None:
    """Measure a model with probes that were trained on rendered clips."""
    with told_plainly():
        from daybreak.catalog import find_model
        from daybreak.cli.progress import progress_bar
        from daybreak.evaluate.page import BEGIN, PAGE, tables, write_page
        from daybreak.evaluate.probes import load_probe
        from daybreak.evaluate.report import evaluate as measure
        from daybreak.generation_settings import GenerationSettings
        from daybreak.pipeline import load_pipeline
        from daybreak.settings import load_settings

        settings = load_settings()
        wanted = GenerationSettings(0, steps, guidance, enhance_prompt=enhance)
        if num_captions < 1:
            raise ValueError(f"--num-captions must be at least 1, not {num_captions}")
        card = find_model(model or settings.model, settings.models_dir)
        if card.path is None:
            raise CliError(f"{card.name} is procedural and has nothing to learn: evaluate a model, with --model")
        pipeline = load_pipeline(card.path)
        probe = load_probe(device=pipeline.device)
        with progress_bar(f"evaluating {card.name}") as on_step:
            evaluation = measure(
                card.name, pipeline.components, probe, num_captions, settings=wanted, on_progress=on_step
            )
        page = docs / PAGE
        if page.exists() and BEGIN in page.read_text(encoding="utf-8"):
            typer.echo(f"daybreak: wrote {write_page(evaluation, docs)}", err=True)
    report = evaluation.report
    print(json.dumps(report.to_dict(), indent=2) if as_json else tables(report))
