"""Stars that an owner gives a clip."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("library_entries", sa.Column("rating", sa.Integer(), server_default="0", nullable=False))
