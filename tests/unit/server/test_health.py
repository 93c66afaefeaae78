from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daybreak.server import health
from daybreak.server.health import numbers
from daybreak.server.telemetry import JobNumbers
from serving import Served


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(health, "_FRESH_SECONDS", -1.0)
    served = Served(tmp_path)
    yield served
    served.client.close()
    served.db.close()


class Workers:
    def __init__(self, count: int) -> None:
        self.count = count

    def alive(self) -> int:
        return self.count


def test_all_is_well(served: Served) -> None:
    answer = served.client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "storage": "ok", "disk": "ok", "workers": "ok"}
    assert served.client.get("/livez").json()["status"] == "ok"


def test_what_is_wrong_is_named_and_nothing_else(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served.context.workers = Workers(0)
    assert served.client.get("/healthz").json()["checks"]["workers"] == "none is running"
    served.context.workers = Workers(1)
    monkeypatch.setattr(health, "MIN_FREE", 2**62)
    assert served.client.get("/healthz").json()["checks"]["disk"].endswith("MiB free")
    monkeypatch.setattr(served.storage, "put_bytes", lambda *_: 1 / 0)
    answer = served.client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    assert answer.json()["checks"]["storage"] == "failing"


def test_a_database_that_cannot_be_written_is_told(served: Served) -> None:
    with served.db.read() as connection:
        connection.exec_driver_sql("PRAGMA query_only=ON")  # what the pool gives next is this connection again
    assert served.client.get("/healthz").json()["checks"]["database"] == "failing"


def test_a_server_that_ends_is_not_ready_but_alive(served: Served) -> None:
    served.context.draining.set()
    answer = served.client.get("/healthz")
    assert (answer.status_code, answer.json()["status"]) == (503, "draining")
    assert served.client.get("/livez").status_code == 200


def test_the_queue_in_numbers(served: Served) -> None:
    served.context.metrics.add(JobNumbers(lambda: numbers(served.context)))
    served.post("/v1/videos", {"prompt": "a dog", "seconds": 1, "size": "96x64"})
    served.finished()
    served.now += 30
    text = served.client.get("/metrics").text
    assert 'daybreak_jobs{status="queued"} 1.0' in text
    assert 'daybreak_jobs{status="completed"} 1.0' in text
    assert "daybreak_queue_oldest_seconds 30.0" in text
    assert "daybreak_event_streams 0.0" in text
