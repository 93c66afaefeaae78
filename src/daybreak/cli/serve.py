"""`daybreak serve`: the API, and the workers that make its videos."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Annotated

import typer

from daybreak.cli.errors import CliError, told_plainly

if TYPE_CHECKING:
    from daybreak.server.run import Executor
    from daybreak.settings import Settings


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on [default: 127.0.0.1]. Others need a key first.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one [default: 8000].")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, max=64, help="Worker processes; 0 when they run elsewhere [default: 1].")
    ] = None,
) -> None:
    """Serve the Videos API, with workers that make the videos, until stopped."""
    with told_plainly():
        gc.disable()  # until it answers: nothing that starting makes is garbage
        from daybreak.server.listen import CannotServe
        from daybreak.server.run import serve as run_server
        from daybreak.settings import load_settings

        given = {"host": host, "port": port, "workers": workers}
        settings = load_settings().model_copy(
            update={name: value for name, value in given.items() if value is not None}
        )
        try:
            run_server(settings, announce=_announce, executor=_executor(settings))
        except CannotServe as error:
            raise CliError(str(error)) from error
        finally:
            gc.enable()


def _announce(line: str) -> None:
    print(line, flush=True)


def _executor(settings: Settings) -> Executor | None:
    if settings.workers == 0:
        return None
    from daybreak.executors.local import LocalExecutor

    return LocalExecutor(settings, settings.workers)
