"""A few hundred requests made up from the OpenAPI document; `make fuzz` sends twenty thousand."""

from __future__ import annotations

import pytest

from fuzzing import fuzz
from live_server import LiveServer, live_server


@pytest.fixture
def idle(tmp_path_factory: pytest.TempPathFactory) -> LiveServer:
    """A server without workers: whatever is asked of it stays queued."""
    with live_server(tmp_path_factory.mktemp("fuzz"), sora_model="diorama", workers=0, queue_limit=50) as server:
        yield server


# schemathesis warns of its own use of its dependencies.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_nothing_that_can_be_asked_is_a_bug(idle: LiveServer) -> None:
    fuzzed = fuzz(idle.root, 250, 1, patience=1.0)
    assert fuzzed.wrong == []
    assert fuzzed.statuses.total() >= 200
    assert min(fuzzed.statuses) >= 200
