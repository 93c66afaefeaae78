"""`daybreak serve`: not there yet, and it says so."""

from __future__ import annotations

from daybreak.cli.errors import CliError


def serve() -> None:
    """Not in this version: the API server arrives with 0.2."""
    raise CliError("the API server arrives with version 0.2; until then, use `daybreak generate`")
