"""Identifiers, projects, aliases and characters: what has a name."""

from __future__ import annotations

import pytest

from daybreak.database.aliases import get_alias, list_aliases, remove_alias, set_alias
from daybreak.database.assets import add_asset
from daybreak.database.characters import add_character, delete_character, get_character, list_characters
from daybreak.database.connect import Database
from daybreak.database.ids import PREFIXES, is_id, new_id
from daybreak.database.pages import UnknownCursor
from daybreak.database.projects import (
    DEFAULT_PROJECT,
    NameTaken,
    create_project,
    find_project,
    list_projects,
    set_weight,
)
from new_jobs import new_video

NOW = 1_000.0


@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_id_is_its_prefix_and_32_hex_digits(prefix: str) -> None:
    made = {new_id(prefix), new_id(prefix[:-1])}
    assert len(made) == 2
    assert all(is_id(each, prefix) and len(each) == len(prefix) + 32 for each in made)


@pytest.mark.parametrize(
    "text", ["", "video_", "video_" + "a" * 31, "video_" + "A" * 32, "video_" + "a" * 33, "video_" + "٣" * 32, "x"]
)
def test_what_is_no_id(text: str) -> None:
    assert not is_id(text, "video_")
    assert not is_id("file-" + "a" * 32, "video_")


def test_an_id_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="'job_'"):
        new_id("job_")


def test_projects_are_found_by_id_and_by_name(db: Database) -> None:
    default = find_project(db, "default")
    assert default is not None
    assert default.id == DEFAULT_PROJECT
    assert default.weight == 1.0
    made = create_project(db, "films", default.created_at + 5)
    assert find_project(db, "films") == find_project(db, made.id) == made
    assert find_project(db, "none") is None
    assert list_projects(db) == [default, made]
    with pytest.raises(NameTaken, match="'films'"):
        create_project(db, "films", NOW)


def test_an_id_comes_before_a_name_that_looks_like_it(db: Database) -> None:
    create_project(db, DEFAULT_PROJECT, NOW)
    found = find_project(db, DEFAULT_PROJECT)
    assert found is not None
    assert found.name == "default"


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_a_weight_is_above_zero(db: Database, weight: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        create_project(db, "a", NOW, weight)
    with pytest.raises(ValueError, match="above 0"):
        set_weight(db, DEFAULT_PROJECT, weight)
    assert not set_weight(db, "proj_no", 1.0)


def test_an_alias_means_what_was_said_last(db: Database) -> None:
    assert get_alias(db, "sora-2") is None
    first = set_alias(db, "sora-2", "dawn", NOW)
    changed = set_alias(db, "sora-2", "noon", NOW + 5)
    assert (first.model, changed.model, changed.created_at) == ("dawn", "noon", 1000)
    assert get_alias(db, "sora-2") == changed
    other = set_alias(db, "a", "dawn", NOW)
    assert list_aliases(db) == [other, changed]
    assert remove_alias(db, "a")
    assert not remove_alias(db, "a")
    assert list_aliases(db) == [changed]


def test_characters_belong_to_their_project_and_go_when_deleted(db: Database) -> None:
    other = create_project(db, "other", NOW).id
    asset = add_asset(db, new_video("clip"), NOW)
    made = [add_character(db, DEFAULT_PROJECT, name, asset.id, NOW) for name in ("Ada", "Bo", "Cy")]
    assert [get_character(db, DEFAULT_PROJECT, each.id) for each in made] == made
    assert get_character(db, other, made[0].id) is None
    assert delete_character(db, other, made[0].id, NOW) is None
    assert list_characters(db, other).characters == []
    page = list_characters(db, DEFAULT_PROJECT, limit=2)
    assert (page.characters, page.has_more) == ([made[2], made[1]], True)
    assert delete_character(db, DEFAULT_PROJECT, made[1].id, NOW) == []  # the others are of the same clip
    rest = list_characters(db, DEFAULT_PROJECT, after=made[1].id)
    assert (rest.characters, rest.has_more) == ([made[0]], False)
    assert get_character(db, DEFAULT_PROJECT, made[1].id) is None
    assert delete_character(db, DEFAULT_PROJECT, made[1].id, NOW) is None
    assert delete_character(db, DEFAULT_PROJECT, made[0].id, NOW) == []
    assert delete_character(db, DEFAULT_PROJECT, made[2].id, NOW) == ["clip"]
    with pytest.raises(UnknownCursor):
        list_characters(db, DEFAULT_PROJECT, after="char_no")
