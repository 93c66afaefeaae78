"""The `daybreak` command."""

from daybreak.cli.app import main

__all__ = ["main"]
