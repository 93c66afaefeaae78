"""`daybreak models pull`, `import`, `remove` and `alias`: how models come, go and are called."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from daybreak.cli.errors import CliError, told_plainly

INTERRUPTED = 130
Replace = Annotated[bool, typer.Option("--replace", help="Put it in the place of an installed model of that name.")]


def pull(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A model of `models list --available`, or OWNER/REPOSITORY.")
    ],
    as_: Annotated[str | None, typer.Option("--as", metavar="NAME", help="What to call it here.")] = None,
    revision: Annotated[str, typer.Option(help="A branch, tag or commit.")] = "main",
    mirror: Annotated[
        str | None, typer.Option(metavar="URL", help="A mirror of the hub [default: HF_ENDPOINT, or the hub].")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Take it from the local cache; the network is not used.")
    ] = False,
    replace: Replace = False,
) -> None:
    """Download a model and install it. A download that was stopped goes on where it was."""
    with _told():
        from daybreak.open_models.catalogue import catalogue
        from daybreak.open_models.hub import Source
        from daybreak.open_models.hub import pull as pull_model
        from daybreak.settings import load_settings

        entry = catalogue().get(name)
        if entry is None and "/" not in name:
            raise CliError(f"no open model is called {name!r}: see `daybreak models list --available`")
        chosen = as_ or (entry.name if entry else name.rpartition("/")[2].lower())
        if entry is not None:
            _note(f"{entry.title}. {entry.licence.name}: {entry.licence.permits}")
            if entry.licence.check:
                _note(f"check before you rely on it: {entry.licence.check} ({entry.licence.where})")
        source = Source(entry.repository if entry else name, revision, mirror, offline)
        try:
            with _bar(f"pulling {chosen}") as on_bytes:
                folder = pull_model(source, chosen, load_settings().models_dir, on_bytes, entry, replace=replace)
        except KeyboardInterrupt:
            _note("stopped; what came is kept: the same command goes on from there")
            raise typer.Exit(INTERRUPTED) from None
    print(folder)


def import_(
    source: Annotated[Path, typer.Argument(metavar="PATH", help="A folder in the layout of diffusers, or a file.")],
    as_: Annotated[str | None, typer.Option("--as", "--name", metavar="NAME", help="What to call it.")] = None,
    like: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="For a single file: the model whose transformer it replaces."),
    ] = None,
    lora: Annotated[bool, typer.Option("--lora", help="The file is a LoRA, for the model --base.")] = False,
    base: Annotated[str | None, typer.Option(metavar="MODEL", help="The installed model that a LoRA changes.")] = None,
    replace: Replace = False,
) -> None:
    """Install a copy of a model or LoRA that is on this machine already. Only weights are taken, no code."""
    if lora or base is not None:
        _import_lora(source, as_, base, replace=replace)
        return
    with _told():
        from daybreak.open_models.install import import_folder, import_transformer
        from daybreak.settings import load_settings

        models_dir = load_settings().models_dir
        chosen = as_ or source.resolve().name.removesuffix(".safetensors").removesuffix(".gguf").lower()
        with _bar(f"importing {chosen}") as on_bytes:
            if source.is_dir():
                folder = import_folder(source, chosen, models_dir, {}, on_bytes, replace=replace)
            else:
                other = _base(source, like, models_dir)
                folder = import_transformer(source, chosen, models_dir, other, on_bytes, replace=replace)
    print(folder)


def _import_lora(file: Path, name: str | None, base: str | None, *, replace: bool) -> None:
    with _told():
        from daybreak.catalog import find_model
        from daybreak.engines.loras import check_lora
        from daybreak.open_models.loras import check_lora_file, check_lora_name, install_lora
        from daybreak.settings import load_settings

        models_dir = load_settings().models_dir
        chosen = name or re.sub(r"[^a-z0-9._-]+", "-", file.name.removesuffix(".safetensors").lower())
        check_lora_name(chosen, models_dir, replace=replace)
        model = base or check_lora_file(file).get("made_for")
        if model is None:
            raise CliError(f"{file.name} does not say which model it is for: name it with --base MODEL")
        facts = check_lora(file, find_model(model, models_dir))
        with _bar(f"importing {chosen}") as on_bytes:
            folder = install_lora(file, chosen, models_dir, model, facts, on_bytes, replace=replace)
    print(folder)


def remove(name: Annotated[str, typer.Argument(metavar="NAME", help="An installed model.")]) -> None:
    """Remove an installed model or LoRA from the disk."""
    with _told():
        from daybreak.open_models.install import remove_model
        from daybreak.open_models.loras import remove_lora
        from daybreak.settings import load_settings

        models_dir = load_settings().models_dir
        freed = remove_lora(name, models_dir)
        if freed is None:
            freed = remove_model(name, models_dir)
    print(f"removed {name}: {freed / 1e6:.0f} MB are free again")


def alias(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="What clients ask for.")] = None,
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="What they get.")] = None,
    remove_: Annotated[bool, typer.Option("--remove", help="Forget the alias NAME.")] = False,
) -> None:
    """Give a model another name for clients of the server. Without arguments, list the aliases."""
    with _told():
        from daybreak.catalog import find_model
        from daybreak.database.aliases import list_aliases, remove_alias, set_alias
        from daybreak.database.connect import open_database
        from daybreak.settings import load_settings

        settings = load_settings()
        if model is not None:
            find_model(model, settings.models_dir)  # an alias of nothing would only fail later
        db = open_database(settings.database)
        try:
            if name is None:
                for each in list_aliases(db):
                    print(f"{each.name} = {each.model}")
            elif remove_:
                if not remove_alias(db, name):
                    raise CliError(f"there is no alias {name!r}: `daybreak models alias` lists them")
                print(f"forgot {name}")
            elif model is None:
                raise CliError("say what it stands for: daybreak models alias NAME MODEL")
            elif not 0 < len(name) <= 200:
                raise CliError("an alias has 1 to 200 characters")
            else:
                set_alias(db, name, model, time.time())
                print(f"{name} = {model}")
        finally:
            db.close()


def _base(source: Path, like: str | None, models_dir: Path) -> Path:
    """The folder of the model whose other parts a single file is used with."""
    from daybreak.catalog import DIFFUSERS_ENGINE, find_model
    from daybreak.open_models.single_files import what_is_missing

    if source.suffix not in (".safetensors", ".gguf"):
        raise CliError(
            f"{source} is neither a folder nor a .safetensors or .gguf file: pickles can run any code and are not read"
        )
    if not source.is_file():
        raise CliError(f"{source} is not there")
    if like is None:
        raise CliError(what_is_missing(source, models_dir))
    card = find_model(like, models_dir)
    if card.path is None or card.engine != DIFFUSERS_ENGINE:
        raise CliError(f"{like!r} is not a model in the layout of diffusers")
    return card.path


@contextlib.contextmanager
def _told() -> Iterator[None]:
    with told_plainly():
        from daybreak.database.connect import DatabaseUnavailable
        from daybreak.open_models.hub import CannotPull

        try:
            yield
        except (CannotPull, DatabaseUnavailable) as error:
            raise CliError(str(error)) from error


@contextlib.contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yields what is told of bytes: a bar with the time left, or a line every tenth where there is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    told = -1
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(label, total=None)

        def on_bytes(done: int, total: int) -> None:
            nonlocal told
            progress.update(task, completed=done, total=total)
            tenth = 10 * done // max(total, 1)
            if not console.is_terminal and tenth > told:
                told = tenth
                console.print(f"{label}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")

        yield on_bytes


def _note(message: str) -> None:
    typer.echo(f"daybreak: {message}", err=True)
