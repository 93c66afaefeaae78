"""Documents that the studio keeps for a project: storyboards, styles, templates. Their content is the studio's own."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update

from daybreak.database.connect import Database
from daybreak.database.tables import library_documents

KINDS = ("storyboard", "style", "template")
MAX_DOCUMENTS = 1000  # of one kind in a project


class TooManyDocuments(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """A project holds as many documents of a kind as it may."""


@dataclass(frozen=True, slots=True)
class Document:
    """A row of `library_documents`."""

    id: str
    kind: str
    name: str
    content: Any
    created_at: int
    updated_at: int


def create_document(db: Database, project_id: str, kind: str, name: str, content: Any, now: float) -> Document:
    """The new document. Raises TooManyDocuments."""
    made = Document(f"doc_{secrets.token_hex(16)}", kind, name, content, int(now), int(now))
    mine = (library_documents.c.project_id == project_id) & (library_documents.c.kind == kind)
    with db.write() as connection:
        if (connection.scalar(select(func.count()).where(mine)) or 0) >= MAX_DOCUMENTS:
            raise TooManyDocuments(f"there are {MAX_DOCUMENTS} documents of kind {kind!r} already: delete some")
        connection.execute(
            insert(library_documents).values(
                id=made.id,
                project_id=project_id,
                kind=kind,
                name=name,
                content=content,
                created_at=made.created_at,
                updated_at=made.updated_at,
            )
        )
    return made


def list_documents(db: Database, project_id: str, kind: str) -> list[Document]:
    """All of a kind, the last changed first."""
    query = (
        select(library_documents)
        .where(library_documents.c.project_id == project_id, library_documents.c.kind == kind)
        .order_by(library_documents.c.updated_at.desc(), library_documents.c.id)
    )
    with db.read() as connection:
        return [_document_of(row) for row in connection.execute(query).mappings()]


def get_document(db: Database, project_id: str, document_id: str) -> Document | None:
    """The document, unless it is another project's."""
    mine = (library_documents.c.id == document_id) & (library_documents.c.project_id == project_id)
    with db.read() as connection:
        row = connection.execute(select(library_documents).where(mine)).mappings().first()
    return None if row is None else _document_of(row)


def save_document(
    db: Database, project_id: str, document_id: str, name: str, content: Any, now: float
) -> Document | None:
    """The document with another name and content; None where there is none."""
    mine = (library_documents.c.id == document_id) & (library_documents.c.project_id == project_id)
    with db.write() as connection:
        connection.execute(
            update(library_documents).where(mine).values(name=name, content=content, updated_at=int(now))
        )
    return get_document(db, project_id, document_id)


def delete_document(db: Database, project_id: str, document_id: str) -> bool:
    """Whether there was such a document."""
    mine = (library_documents.c.id == document_id) & (library_documents.c.project_id == project_id)
    with db.write() as connection:
        return connection.execute(delete(library_documents).where(mine)).rowcount > 0


def _document_of(row: RowMapping) -> Document:
    return Document(row["id"], row["kind"], row["name"], row["content"], row["created_at"], row["updated_at"])
