from __future__ import annotations

from pathlib import Path

import pytest

from daybreak.database.connect import Database
from working import Place


@pytest.fixture
def place(tmp_path: Path, sqlite_db: Database) -> Place:
    return Place(tmp_path, sqlite_db)
