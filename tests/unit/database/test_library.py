"""What an owner says about clips, and how they are found again by it, on both databases."""

from __future__ import annotations

import pytest

from daybreak.database.connect import Database
from daybreak.database.library import Filters, Order, change_clips, get_clips, list_clips, revision
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.jobs.queue import enqueue
from new_jobs import new_job

DAY = 86_400
NOW = 1_000.0 * DAY


@pytest.fixture
def clips(db: Database) -> list[str]:
    """Four clips, made a day apart: the first has 2 stars, the second 5, the third had 3 and lost them."""
    made = [enqueue(db, new_job(), NOW + number * DAY, None).job.id for number in range(4)]
    for clip, stars in zip(made, (2, 5, 3), strict=False):
        change_clips(db, DEFAULT_PROJECT, [clip], {"rating": stars})
    change_clips(db, DEFAULT_PROJECT, [made[2]], {"rating": 0})
    return made


def found(db: Database, filters: Filters, order: Order = "oldest") -> list[str]:
    listed, total = list_clips(db, DEFAULT_PROJECT, filters, order)
    assert total == len(listed)
    return [clip.id for clip in listed]


def test_clips_are_found_by_their_stars(db: Database, clips: list[str]) -> None:
    assert [clip.rating for clip in list_clips(db, DEFAULT_PROJECT, Filters(), "oldest")[0]] == [2, 5, 0, 0]
    assert found(db, Filters(rating=2)) == clips[:2]
    assert found(db, Filters(rating=3)) == [clips[1]]
    assert found(db, Filters(rating=0)) == clips[2:]
    assert found(db, Filters(), "best") == [clips[1], clips[0], clips[3], clips[2]]


def test_stars_are_a_change_that_others_hear_of(db: Database, clips: list[str]) -> None:
    before = revision(db, DEFAULT_PROJECT)
    assert change_clips(db, DEFAULT_PROJECT, clips, {"rating": 4}) == sorted(clips)
    assert {clip.rating for clip in get_clips(db, DEFAULT_PROJECT, clips).values()} == {4}
    assert revision(db, DEFAULT_PROJECT) != before


def test_clips_are_found_by_when_they_were_made(db: Database, clips: list[str]) -> None:
    first = int(NOW)
    assert found(db, Filters(created_from=first + DAY)) == clips[1:]
    assert found(db, Filters(created_before=first + DAY)) == clips[:1]
    assert found(db, Filters(created_from=first + 1, created_before=first + 3 * DAY)) == clips[1:3]
    assert found(db, Filters(created_from=first + DAY, rating=0)) == clips[2:]
