"""`daybreak keys`: who may use the server, for which project, and for what."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daybreak.cli.errors import CliError, told_plainly

if TYPE_CHECKING:
    from daybreak.database.connect import Database
    from daybreak.database.keys import ApiKey

_DAY = 86_400  # seconds
_ALL_SCOPES = "videos.read, videos.write, files.read, files.write, webhooks.read, webhooks.write; admin is all of them"

keys = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True, rich_markup_mode=None)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")] = "default",
    project: Annotated[
        str, typer.Option(help="Name or id of the project that the key belongs to; made when it is new.")
    ] = "default",
    scopes: Annotated[
        list[str] | None,
        typer.Option("--scope", help=f"What it may do; may be repeated: {_ALL_SCOPES} [default: all but admin]."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, help="Days after which it expires [default: never].")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is shown once and can't be read again."""
    with _database() as db:
        from daybreak.database.keys import SCOPES, create_key
        from daybreak.database.projects import create_project, find_project

        if not 0 < len(name) <= 200 or not 0 < len(project) <= 200:
            raise CliError("a name has 1 to 200 characters")
        granted = scopes or [scope for scope in SCOPES if scope != "admin"]
        if unknown := sorted(set(granted) - set(SCOPES)):
            raise CliError(f"no scope is called {', '.join(unknown)}: there are {', '.join(SCOPES)}")
        now = time.time()
        owner = find_project(db, project) or create_project(db, project, now)
        key, secret = create_key(db, owner.id, name, granted, now, now + days * _DAY if days else None)
    if as_json:
        print(json.dumps({**_plain(key), "project": owner.name, "key": secret}, indent=2))
    else:
        print(secret)
        typer.echo(f"daybreak: {key.id} of project {owner.name}; keep the key, it is not shown again", err=True)


@keys.command("list")
def list_(
    project: Annotated[str | None, typer.Option(help="Only this project's [default: all].")] = None,
    as_json: AsJson = False,
) -> None:
    """List the keys, revoked ones too."""
    with _database() as db:
        from daybreak.database.keys import list_keys
        from daybreak.database.projects import find_project, list_projects

        only = find_project(db, project) if project else None
        if project and only is None:
            raise CliError(f"no project is called {project!r}")
        found = list_keys(db, only.id if only else None)
        names = {each.id: each.name for each in list_projects(db)}
    if as_json:
        print(json.dumps([{**_plain(key), "project": names.get(key.project_id)} for key in found], indent=2))
        return
    if not found:
        typer.echo("there is no key yet: make one with `daybreak keys create`", err=True)
    for key in found:
        print(f"{key.id}  …{key.hint}  {_state(key):8}  {names.get(key.project_id)}  {key.name}  {_said(key.scopes)}")


@keys.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `daybreak keys list` shows it.")]) -> None:
    """Revoke a key: it opens nothing from now on."""
    with _database() as db:
        from daybreak.database.keys import revoke_key

        if not revoke_key(db, key_id, time.time()):
            raise CliError(f"no key that still opens anything has the id {key_id!r}: see `daybreak keys list`")
    print(f"revoked {key_id}")


@contextmanager
def _database() -> Iterator[Database]:
    with told_plainly():
        from daybreak.database.connect import DatabaseUnavailable, open_database
        from daybreak.settings import load_settings

        try:
            db = open_database(load_settings().database)
        except DatabaseUnavailable as error:
            raise CliError(str(error)) from error
        try:
            yield db
        except DatabaseUnavailable as error:
            raise CliError(str(error)) from error
        finally:
            db.close()


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "valid" if key.valid(time.time()) else "expired"


def _said(scopes: frozenset[str]) -> str:
    return ",".join(sorted(scopes))


def _plain(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "project_id": key.project_id,
        "hint": key.hint,
        "scopes": sorted(key.scopes),
        "state": _state(key),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
