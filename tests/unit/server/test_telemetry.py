from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from daybreak.server.telemetry import Metrics, set_up_logs


@pytest.fixture
def _unchanged() -> Iterator[None]:
    """Puts back what `set_up_logs` changes for the whole process."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_unchanged")
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_log_has_neither_prompts_nor_keys(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("json" if form == "json" else "console", "info")
    prompt = "a canary in a coal mine"  # a local variable, as in any function that meets a bug
    structlog.get_logger().info("created", prompt=prompt, secret="canary", job="video_1")
    try:
        raise ValueError("a bug")
    except ValueError:
        structlog.get_logger().exception("failed", api_key="canary")
        logging.getLogger("somewhere").exception("failed as well")
    logged = capsys.readouterr().err
    assert "canary in" not in logged
    assert logged.count("ValueError: a bug") == 2
    assert "video_1" in logged
    if form == "json":
        lines = [json.loads(line) for line in logged.splitlines()]
        assert [line["event"] for line in lines] == ["created", "failed", "failed as well"]
        assert (lines[0]["prompt"], lines[0]["secret"], lines[1]["api_key"]) == ("…", "…", "…")


@pytest.mark.usefixtures("_unchanged")
def test_what_is_below_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("json", "warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("somewhere").warning("loud")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["loud"]


def test_every_server_counts_for_itself() -> None:
    first, second = Metrics(), Metrics()
    first.note("GET", "/", 200, 0.01)
    first.note("GET", "/", 200, 0.02)
    labels = {"method": "GET", "route": "/", "status": "200"}
    assert first.registry.get_sample_value("daybreak_http_requests_total", labels) == 2
    assert second.registry.get_sample_value("daybreak_http_requests_total", labels) is None
