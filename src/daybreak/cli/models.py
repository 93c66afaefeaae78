"""`daybreak models`: what is installed, what there is, and what each model needs and permits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.errors import CliError, told_plainly
from daybreak.cli.install import alias, import_, pull, remove

if TYPE_CHECKING:
    from daybreak.catalog import ModelCard
    from daybreak.open_models.catalogue import Entry
    from daybreak.open_models.loras import LoraCard

models = typer.Typer(help="List, pull, import and remove models.", invoke_without_command=True, rich_markup_mode=None)
models.command()(pull)
models.command("import")(import_)
models.command()(remove)
models.command()(alias)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_SECONDS = (2.0, 5.0, 10.0)  # the lengths that memory is shown for


@models.callback()
def _by_default(context: typer.Context, as_json: AsJson = False) -> None:
    """List the installed models; see the commands for more."""
    if context.invoked_subcommand is None:
        _print_installed(as_json=as_json)


@models.command("list")
def list_(
    available: Annotated[
        bool, typer.Option("--available", help="The open models that can be pulled, instead of what is installed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the installed models, or those that can be pulled."""
    if available:
        _print_available(as_json=as_json)
    else:
        _print_installed(as_json=as_json)


@models.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model that is installed or can be pulled.")],
    as_json: AsJson = False,
) -> None:
    """Show a model: licence, sizes, sound, abilities, and the memory that it needs."""
    with told_plainly():
        from daybreak.catalog import installed_models
        from daybreak.open_models.catalogue import catalogue
        from daybreak.settings import load_settings

        cards = {card.name: card for card in installed_models(load_settings().models_dir)}
        card = cards.get(name)
        entry = catalogue().get(str(card.details.get("catalogue", name)) if card else name)
        if card is None and entry is None:
            raise CliError(f"no model is called {name!r}: see `daybreak models list` and `… list --available`")
        shown = {"name": name, "installed": card is not None} | (_entry_facts(entry) if entry else {})
        shown |= _card_facts(card) if card else {}
    if as_json:
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    for key, value in shown.items():
        lines = value if isinstance(value, list) else [value]
        for number, line in enumerate(lines or ["-"]):
            print(f"{key.replace('_', ' ') if not number else '':14}{_said(line)}")


def _print_installed(*, as_json: bool) -> None:
    with told_plainly():
        from daybreak.catalog import installed_models
        from daybreak.open_models.loras import installed_loras
        from daybreak.settings import load_settings

        settings = load_settings()
        cards, loras = installed_models(settings.models_dir), installed_loras(settings.models_dir)
    if as_json:
        rows: list[dict[str, Any]] = [
            {
                "name": card.name,
                "default": card.name == settings.model,
                "procedural": card.procedural,
                "engine": card.engine,
                "bytes": card.size,
                "path": str(card.path) if card.path else None,
                "description": card.description,
            }
            for card in cards
        ]
        print(json.dumps([*rows, *map(_lora_row, loras)], indent=2))
        return
    width = max(len(name) for name in (*(card.name for card in cards), *(lora.name for lora in loras)))
    for card in cards:
        mark = "*" if card.name == settings.model else " "
        print(f"{mark} {card.name:{width}}  {card.size / 1e6:8.1f} MB  {card.description}")
    for lora in loras:
        words = f"; say {', '.join(lora.trigger_words)}" if lora.trigger_words else ""
        print(f"  {lora.name:{width}}  {lora.size / 1e6:8.1f} MB  LoRA for {lora.base}{words}")


def _lora_row(lora: LoraCard) -> dict[str, Any]:
    facts = {key: lora.details[key] for key in ("rank", "alpha", "made_by", "description") if key in lora.details}
    return {
        "name": lora.name,
        "lora": True,
        "base": lora.base,
        "trigger_words": lora.trigger_words,
        "bytes": lora.size,
        "path": str(lora.path),
        **facts,
    }


def _print_available(*, as_json: bool) -> None:
    with told_plainly():
        from daybreak.open_models.catalogue import catalogue

        entries = list(catalogue().values())
    if as_json:
        print(json.dumps([{"name": entry.name, **_entry_facts(entry)} for entry in entries], indent=2))
        return
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        sound = ", with sound" if entry.audio else ""
        print(f"{entry.name:{width}}  {entry.size / 1e9:5.1f} GB  {entry.title}{sound}; {entry.licence.name}")


def _entry_facts(entry: Entry) -> dict[str, Any]:
    from daybreak.open_models.memory import need, said

    memory = []
    for width, height in entry.sizes:
        for seconds in _SECONDS:
            needed = need(entry, width, height, seconds)
            memory.append(
                f"{width}x{height} for {seconds:g} s: {said(needed.whole)} at once, or a GPU with "
                f"{said(needed.offloaded)} (one part at a time) or {said(needed.streamed)} (block by block)"
            )
    licence = entry.licence
    to_check = [licence.check] if licence.check else []
    return {
        "title": entry.title,
        "repository": entry.repository,
        "family": entry.family.name,
        "download_bytes": entry.size,
        "licence": licence.name,
        "permits": licence.permits,
        "licence_text": licence.where,
        "to_check": [*to_check, *entry.check],
        "sizes": [f"{width}x{height}" for width, height in entry.sizes],
        "fps": entry.fps,
        "frames": f"{entry.frames_rule}, trained on {entry.num_frames} ({entry.seconds:.1f} s)",
        "sound": entry.audio,
        "memory": memory,
    }


def _card_facts(card: ModelCard) -> dict[str, Any]:
    from daybreak.engines.abilities import abilities_of

    facts = {
        "engine": card.engine,
        "description": card.description,
        "bytes": card.size,
        "path": str(card.path) if card.path else None,
        "abilities": sorted(abilities_of(card)),
    }
    named = {key: card.details[key] for key in ("pipeline", "licence", "source") if key in card.details}
    return facts | named


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(f"{key} {part}" for key, part in value.items()) if isinstance(value, dict) else str(value)
