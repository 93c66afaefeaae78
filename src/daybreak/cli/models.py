"""`daybreak models`: what is installed."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from daybreak.cli.errors import told_plainly


def models(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False) -> None:
    """List the installed models."""
    with told_plainly():
        from daybreak.catalog import installed_models
        from daybreak.settings import load_settings

        settings = load_settings()
        cards = installed_models(settings.models_dir)
    if as_json:
        rows = [
            {
                "name": card.name,
                "default": card.name == settings.model,
                "procedural": card.procedural,
                "bytes": card.size,
                "path": str(card.path) if card.path else None,
                "description": card.description,
            }
            for card in cards
        ]
        print(json.dumps(rows, indent=2))
        return
    width = max(len(card.name) for card in cards)
    for card in cards:
        mark = "*" if card.name == settings.model else " "
        print(f"{mark} {card.name:{width}}  {card.size / 1e6:6.1f} MB  {card.description}")
