"""Which SQLite this process uses: one without the bug that damages a write-ahead log.

From 3.7.0 to 3.51.2, two connections of which one resets the log while the other checkpoints could lose commits; 3.44.6
and 3.50.7 carry the correction as well. A server and its workers are such connections.
"""

from __future__ import annotations

import importlib
import sqlite3
from types import ModuleType

_FIRST_AFFECTED = (3, 7, 0)
_CORRECTED = (3, 51, 3)
_CORRECTED_BRANCHES = ((3, 44, 6), (3, 50, 7))


class SqliteUnusable(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """No SQLite library without the bug is there; the message says what to install."""


def loses_commits(version: tuple[int, ...]) -> bool:
    """Whether the SQLite of this version has the WAL-reset bug."""
    if any(version[:2] == fixed[:2] and version >= fixed for fixed in _CORRECTED_BRANCHES):
        return False
    return _FIRST_AFFECTED <= version < _CORRECTED


def find_sqlite() -> ModuleType:
    """The DB-API module to use: the standard library's, or pysqlite3 where that one has the bug.

    Raises SqliteUnusable where both have it.
    """
    if not loses_commits(sqlite3.sqlite_version_info):
        return sqlite3
    found = f"Python's SQLite is {sqlite3.sqlite_version}"
    try:
        other = importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        found += " and pysqlite3 is not installed"
    else:
        if not loses_commits(other.sqlite_version_info):
            return other
        found += f" and pysqlite3's is {other.sqlite_version}"
    raise SqliteUnusable(
        f"{found}, which can lose commits (SQLite 3.7.0 to 3.51.2): "
        "install pysqlite3 0.6.1 or newer, or a Python with SQLite 3.51.3 or newer, or use PostgreSQL"
    )
