"""Webhook endpoints, and which deliveries are whose turn."""

from __future__ import annotations

import base64

import pytest

from daybreak.database.connect import Database
from daybreak.database.pages import UnknownCursor
from daybreak.database.projects import create_project
from daybreak.database.webhooks import (
    OLD_SECRET_SECONDS,
    Endpoint,
    add_endpoint,
    claim_due,
    delete_endpoint,
    delivered,
    disable_endpoint,
    get_endpoint,
    list_deliveries,
    list_endpoints,
    next_due,
    not_delivered,
    replay,
    rotate_secret,
    update_endpoint,
)
from daybreak.jobs.outbox import add_event

PROJECT = "proj_default"
NOW = 1_700_000_000.0


def an_endpoint(db: Database, name: str = "mine", project: str = PROJECT) -> Endpoint:
    return add_endpoint(db, project, name, f"https://{name}.example/hook", ["video.completed"], NOW)


def an_event(db: Database, subject: str = "video_1", now: float = NOW, project: str = PROJECT) -> None:
    with db.write() as connection:
        add_event(connection, project, "video.completed", subject, now)


def test_a_secret_has_the_form_and_length_that_standard_webhooks_ask_for(db: Database) -> None:
    first, second = an_endpoint(db), an_endpoint(db)
    assert first.secret != second.secret
    assert first.secret.startswith("whsec_")
    assert 24 <= len(base64.b64decode(first.secret[6:])) <= 64


def test_endpoints_are_listed_newest_first_in_pages_that_survive_deletion(db: Database) -> None:
    ids = [an_endpoint(db, f"e{number}").id for number in range(5)]
    first, more = list_endpoints(db, PROJECT, None, 2)
    assert ([endpoint.id for endpoint in first], more) == ([ids[4], ids[3]], True)
    assert delete_endpoint(db, PROJECT, ids[3], NOW)
    rest, more = list_endpoints(db, PROJECT, ids[3], 10)
    assert ([endpoint.id for endpoint in rest], more) == ([ids[2], ids[1], ids[0]], False)
    assert get_endpoint(db, PROJECT, ids[3]) is None
    assert not delete_endpoint(db, PROJECT, ids[3], NOW)


def test_another_project_sees_and_changes_nothing(db: Database) -> None:
    mine = an_endpoint(db)
    an_event(db)
    other = create_project(db, "other", NOW).id
    assert get_endpoint(db, other, mine.id) is None
    assert list_endpoints(db, other) == ([], False)
    assert update_endpoint(db, other, mine.id, {"name": "stolen"}, NOW) is None
    assert rotate_secret(db, other, mine.id, False, NOW) is None
    assert not delete_endpoint(db, other, mine.id, NOW)
    assert list_deliveries(db, other, mine.id) == ([], False)
    delivery = list_deliveries(db, PROJECT, mine.id)[0][0]
    assert replay(db, other, mine.id, delivery.id, NOW) is None
    with pytest.raises(UnknownCursor):
        list_endpoints(db, other, mine.id)
    assert get_endpoint(db, PROJECT, mine.id) == mine


def test_updated_at_moves_only_when_something_changes(db: Database) -> None:
    mine = an_endpoint(db)
    same = update_endpoint(db, PROJECT, mine.id, {"name": "mine", "event_types": ["video.completed"]}, NOW + 5)
    assert same == mine
    changed = update_endpoint(db, PROJECT, mine.id, {"event_types": ["video.failed"]}, NOW + 6)
    assert changed is not None
    assert (changed.event_types, changed.updated_at, changed.secret) == (("video.failed",), int(NOW) + 6, mine.secret)


def test_a_kept_old_secret_signs_for_a_day_and_not_a_second_longer(db: Database) -> None:
    mine = an_endpoint(db)
    rotated = rotate_secret(db, PROJECT, mine.id, True, NOW)
    assert rotated is not None
    assert rotated.secrets_at(NOW + OLD_SECRET_SECONDS - 1) == (rotated.secret, mine.secret)
    assert rotated.secrets_at(NOW + OLD_SECRET_SECONDS) == (rotated.secret,)
    again = rotate_secret(db, PROJECT, mine.id, False, NOW + 1)
    assert again is not None
    assert again.secrets_at(NOW + 1) == (again.secret,)
    assert len({mine.secret, rotated.secret, again.secret}) == 3


def test_a_claim_is_a_lease_that_nobody_else_gets_until_it_ends(db: Database) -> None:
    mine = an_endpoint(db)
    an_event(db)
    [(delivery, endpoint)] = claim_due(db, NOW, 60)
    assert (endpoint.id, delivery.attempts, delivery.next_attempt_at) == (mine.id, 1, NOW + 60)
    assert claim_due(db, NOW + 59, 60) == []
    [(again, _)] = claim_due(db, NOW + 60, 60)
    assert (again.id, again.body, again.attempts) == (delivery.id, delivery.body, 2)


def test_the_backlog_of_one_endpoint_hides_no_other(db: Database) -> None:
    dead, alive = an_endpoint(db, "dead"), an_endpoint(db, "alive")
    for number in range(10):
        an_event(db, f"video_{number}", NOW + number)
    update_endpoint(db, PROJECT, dead.id, {"name": "still dead"}, NOW)
    claimed = claim_due(db, NOW + 100, 60, limit=4, each=2)
    assert sorted(endpoint.id for _, endpoint in claimed) == sorted([dead.id, dead.id, alive.id, alive.id])
    rest = claim_due(db, NOW + 100, 60, full=[dead.id], limit=100, each=100)
    assert {endpoint.id for _, endpoint in rest} == {alive.id}
    assert len(rest) == 8


def test_what_ended_is_not_due_and_can_be_replayed_under_its_id(db: Database) -> None:
    mine = an_endpoint(db)
    an_event(db, "video_1")
    an_event(db, "video_2")
    (first, _), (second, _) = claim_due(db, NOW, 60)
    delivered(db, first.id, 204, NOW)
    not_delivered(db, second.id, 500, "answered 500", None, NOW)
    assert next_due(db) is None
    kept = {delivery.id: delivery for delivery in list_deliveries(db, PROJECT, mine.id)[0]}
    assert (kept[first.id].delivered_at, kept[first.id].last_status) == (int(NOW), 204)
    assert (kept[second.id].exhausted_at, kept[second.id].last_error) == (int(NOW), "answered 500")
    replayed = replay(db, PROJECT, mine.id, second.id, NOW + 9)
    assert replayed is not None
    assert (replayed.attempts, replayed.exhausted_at, replayed.body) == (0, None, second.body)
    assert [delivery.id for delivery, _ in claim_due(db, NOW + 9, 60)] == [second.id]


def test_a_late_failure_does_not_undo_a_success(db: Database) -> None:
    mine = an_endpoint(db)
    an_event(db)
    [(delivery, _)] = claim_due(db, NOW, 60)
    delivered(db, delivery.id, 200, NOW)
    not_delivered(db, delivery.id, None, "timed out", NOW + 5, NOW)
    assert next_due(db) is None
    assert list_deliveries(db, PROJECT, mine.id)[0][0].delivered_at == int(NOW)


def test_a_disabled_endpoint_gets_nothing_until_it_is_updated(db: Database) -> None:
    mine = an_endpoint(db)
    an_event(db)
    disable_endpoint(db, PROJECT, mine.id, "gone", NOW)
    an_event(db, "video_2")
    assert claim_due(db, NOW, 60) == []
    enabled = update_endpoint(db, PROJECT, mine.id, {}, NOW + 1)
    assert enabled is not None
    assert enabled.disabled_at is None
    an_event(db, "video_3", NOW + 2)
    assert ["video_3" in delivery.body for delivery, _ in claim_due(db, NOW + 2, 60)] == [True]


def test_deleting_an_endpoint_gives_up_what_was_due(db: Database) -> None:
    mine, other = an_endpoint(db), an_endpoint(db, "other")
    an_event(db)
    delete_endpoint(db, PROJECT, mine.id, NOW)
    assert [endpoint.id for _, endpoint in claim_due(db, NOW, 60)] == [other.id]


def test_the_log_is_read_in_pages(db: Database) -> None:
    mine = an_endpoint(db)
    for number in range(5):
        an_event(db, f"video_{number}", NOW + number // 2)  # pairs of the same second
    whole, more = list_deliveries(db, PROJECT, mine.id)
    assert (len(whole), more) == (5, False)
    walked, after = [], None
    while True:
        some, more = list_deliveries(db, PROJECT, mine.id, after, 2)
        walked += some
        after = some[-1].id
        if not more:
            break
    assert walked == whole
    assert whole[0].created_at == int(NOW) + 2
