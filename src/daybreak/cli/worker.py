"""`daybreak worker`: work on the queue without serving, on this machine or another one."""

from __future__ import annotations

from typing import Annotated

import typer

from daybreak.cli.errors import told_plainly


def worker(
    models: Annotated[
        str | None, typer.Option(help="Only jobs for these models, with commas [default: every installed one].")
    ] = None,
) -> int:
    """Take jobs from the queue and do them, until Ctrl-C; `daybreak serve` starts workers by itself."""
    with told_plainly():
        from daybreak.worker.process import main

        return main(["--models", models] if models else [])
