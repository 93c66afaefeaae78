"""The errors that a person can act on, told in one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class CliError(Exception):
    """What is wrong and what to do, in one line; the command ends with status 2."""


@contextlib.contextmanager
def told_plainly() -> Iterator[None]:
    """Turns the errors that a person can act on into CliError; anything else is a bug and keeps its traceback."""
    from daybreak.catalog import ModelUnavailable
    from daybreak.durable import OutOfSpace

    try:
        yield
    except (ValueError, ModelUnavailable, OutOfSpace) as error:
        raise CliError(str(error)) from error
    except OSError as error:
        raise CliError(f"{error}: check the file and the folder it is in") from error
    except MemoryError as error:
        raise CliError("there is not enough memory: ask for a smaller --size or fewer --seconds") from error


def one_line(message: str) -> str:
    return " ".join(message.split())
