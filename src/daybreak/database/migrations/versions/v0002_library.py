"""What the studio's library keeps about clips, and its documents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _create_folders()
    _create_entries()
    _create_tags()
    _create_documents()


def _create_folders() -> None:
    op.create_table(
        "library_folders",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("project_id", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_library_folders"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_library_folders_project_id_projects"),
    )
    op.create_index("ix_library_folders_project", "library_folders", ["project_id"])


def _create_entries() -> None:
    op.create_table(
        "library_entries",
        sa.Column("job_id", sa.String(length=48), nullable=False),
        sa.Column("project_id", sa.String(length=48), nullable=False),
        sa.Column("title", sa.String(length=200)),
        sa.Column("favourite", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("folder_id", sa.String(length=48)),
        sa.Column("trashed_at", sa.BigInteger()),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_library_entries"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_library_entries_job_id_jobs", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_library_entries_project_id_projects"),
        sa.ForeignKeyConstraint(
            ["folder_id"],
            ["library_folders.id"],
            name="fk_library_entries_folder_id_library_folders",
            ondelete="SET NULL",
        ),
    )
    op.create_index("ix_library_entries_project", "library_entries", ["project_id", "revision"])
    op.create_index("ix_library_entries_folder", "library_entries", ["folder_id"])


def _create_tags() -> None:
    op.create_table(
        "library_tags",
        sa.Column("job_id", sa.String(length=48), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("project_id", sa.String(length=48), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "name", name="pk_library_tags"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_library_tags_job_id_jobs", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_library_tags_project_id_projects"),
    )
    op.create_index("ix_library_tags_project", "library_tags", ["project_id", "name"])


def _create_documents() -> None:
    op.create_table(
        "library_documents",
        sa.Column("id", sa.String(length=48), nullable=False),
        sa.Column("project_id", sa.String(length=48), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_library_documents"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_library_documents_project_id_projects"),
    )
    op.create_index("ix_library_documents_project", "library_documents", ["project_id", "kind"])
