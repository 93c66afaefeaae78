"""The command's tree, its version, and what happens to errors: one clear line and an exit status.

Nothing heavy is imported here or by any command's module: `daybreak --help` must answer at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer

from daybreak import __version__
from daybreak.cli.doctor import doctor
from daybreak.cli.errors import CliError, one_line
from daybreak.cli.evaluate import evaluate
from daybreak.cli.generate import generate
from daybreak.cli.keys import keys
from daybreak.cli.models import models
from daybreak.cli.serve import serve
from daybreak.cli.train import train
from daybreak.cli.worker import worker

OK, WRONG_INPUT, INTERRUPTED = 0, 2, 130

app = typer.Typer(
    name="daybreak",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(generate)
app.command()(evaluate)
app.command()(serve)
app.command()(worker)
app.add_typer(train, name="train")
app.add_typer(models, name="models")
app.add_typer(keys, name="keys")
app.command()(doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"daybreak {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Daybreak turns a prompt into a video, on your own machine."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0 done, 2 wrong input, 130 interrupted."""
    # Threads that wait for one another sleep: spinning, they hold the cores that the others need as soon as anything
    # else runs (27 s a clip became 10 s on a busy machine; docs/log.md). Read once, when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        status = app(args=arguments, prog_name="daybreak", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        _say("stopped; nothing was written")
        return INTERRUPTED
    except typer.TyperException as error:  # the command line itself is wrong
        message = getattr(error, "format_message", lambda: str(error))()
        hint = ": put the prompt in quotes" if "unexpected extra argument" in message else ""
        _say(message + hint)
        return WRONG_INPUT
    except CliError as error:
        _say(str(error))
        return WRONG_INPUT
    return status if isinstance(status, int) else OK


def main() -> NoReturn:
    """The `daybreak` command."""
    sys.exit(run())


def _say(message: str) -> None:
    typer.echo(f"daybreak: {one_line(message)}", err=True)
