"""Jobs that were asked for together."""

from __future__ import annotations

import pytest

from daybreak.database.connect import Database
from daybreak.database.groups import Group, get_group, list_groups
from daybreak.database.pages import UnknownCursor
from daybreak.database.projects import create_project
from daybreak.jobs.job import NewJob
from daybreak.jobs.queue import claim, complete, delete_job, enqueue_many

PROJECT = "proj_default"
NOW = 1_700_000_000.0


def a_group(db: Database, name: str, jobs: int = 2, project: str = PROJECT) -> Group:
    new = NewJob(project, "create", "sora", "dawn", "a dog", "64x64", "1", {}, {}, "print", batch_id=name)
    return Group(name, tuple(job.id for job in enqueue_many(db, [new] * jobs, NOW)))


def test_groups_are_listed_between_cursors(db: Database) -> None:
    one, two, three = (a_group(db, f"task_{n}") for n in range(3))
    a_group(db, "batch_1")  # a batch is no group
    a_group(db, "taskless")  # nor is what only begins alike
    assert list_groups(db, PROJECT) == ([three, two, one], False)
    assert list_groups(db, PROJECT, limit=2) == ([three, two], True)
    assert list_groups(db, PROJECT, after=two.id) == ([one], False)
    assert list_groups(db, PROJECT, before=two.id) == ([three], False)
    assert list_groups(db, PROJECT, order="asc", after=one.id) == ([two, three], False)
    with pytest.raises(UnknownCursor):
        list_groups(db, PROJECT, after="task_9")


def test_a_group_is_in_progress_until_the_last_one_ends(db: Database) -> None:
    group = a_group(db, "task_1")

    def state() -> list[str]:
        return [name for name in ("queued", "in_progress", "completed") if list_groups(db, PROJECT, statuses=[name])[0]]

    seen = [state()]
    for _ in group.job_ids:
        claimed = claim(db, "worker", NOW, 15)
        assert claimed is not None
        seen.append(state())
        assert complete(db, claimed, [], NOW, 1.0)
        seen.append(state())
    assert seen == [["queued"], ["in_progress"], ["in_progress"], ["in_progress"], ["completed"]]


def test_what_is_deleted_or_another_project_s_is_no_group(db: Database) -> None:
    group = a_group(db, "task_1")
    other = create_project(db, "other", NOW).id
    assert get_group(db, other, group.id) is None
    delete_job(db, PROJECT, group.job_ids[0], NOW)
    assert get_group(db, PROJECT, group.id) == Group(group.id, group.job_ids[1:])
    delete_job(db, PROJECT, group.job_ids[1], NOW)
    assert get_group(db, PROJECT, group.id) is None
    assert list_groups(db, PROJECT) == ([], False)
