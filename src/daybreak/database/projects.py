"""Projects: what every job, file and key belongs to, and what shares the workers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import RowMapping, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from daybreak.database.connect import Database
from daybreak.database.ids import new_id
from daybreak.database.tables import projects

DEFAULT_PROJECT = "proj_default"  # a row that the first migration makes, named "default"


class NameTaken(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """Another project has this name."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project. Of two with work waiting, one of twice the weight gets twice the work done."""

    id: str
    name: str
    weight: float
    created_at: int


def create_project(db: Database, name: str, now: float, weight: float = 1.0) -> Project:
    """The new project. Raises NameTaken."""
    if not weight > 0:
        raise ValueError(f"a project's weight must be above 0, not {weight:g}")
    project = Project(new_id("proj"), name, weight, int(now))
    try:
        with db.write() as connection:
            connection.execute(
                insert(projects).values(id=project.id, name=name, weight=weight, created_at=project.created_at)
            )
    except IntegrityError as error:
        raise NameTaken(f"there is a project {name!r} already") from error
    return project


def list_projects(db: Database) -> list[Project]:
    """Every project, the oldest first."""
    with db.read() as connection:
        rows = connection.execute(select(projects).order_by(projects.c.created_at, projects.c.id)).mappings()
        return [_project_of(row) for row in rows]


def find_project(db: Database, name_or_id: str) -> Project | None:
    """The project with this id or, failing that, with this name."""
    wanted = or_(projects.c.id == name_or_id, projects.c.name == name_or_id)
    with db.read() as connection:
        found = [_project_of(row) for row in connection.execute(select(projects).where(wanted)).mappings()]
    return min(found, key=lambda project: project.id != name_or_id, default=None)


def set_weight(db: Database, project_id: str, weight: float) -> bool:
    """Whether there is such a project; its share of the workers changes with the next claim."""
    if not weight > 0:
        raise ValueError(f"a project's weight must be above 0, not {weight:g}")
    with db.write() as connection:
        return (
            connection.execute(update(projects).where(projects.c.id == project_id).values(weight=weight)).rowcount > 0
        )


def _project_of(row: RowMapping) -> Project:
    return Project(row["id"], row["name"], row["weight"], row["created_at"])
