"""Requests made up from the OpenAPI document by schemathesis, right ones and wrong ones, to every operation."""

from __future__ import annotations

import contextlib
import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

_TURNS = 12  # of all operations: those that take little have few requests to be made up
_MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass(slots=True)
class Fuzzed:
    """What came back: how often each status, and what should not have come."""

    patience: float  # seconds for which an answer is awaited
    statuses: Counter[int] = field(default_factory=Counter)
    waited: int = 0  # requests whose answer was awaited in vain, as that of /sync and /events may be
    wrong: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Requests made."""
        return self.statuses.total() + self.waited


def fuzz(root: str, count: int, number: int, ids: dict[str, str] | None = None, patience: float = 5.0) -> Fuzzed:
    """At least `count` requests to the server at `root`; `number` is the seed. Half of those whose path holds one of
    `ids`' parameters name the thing that is there.
    """
    schema = schemathesis.openapi.from_url(f"{root}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    fuzzed = Fuzzed(patience)
    with requests.Session() as session:
        for turn in range(_TURNS):
            each = math.ceil((count - fuzzed.total) / (len(operations) * len(_MODES)))
            for operation in operations:
                _try_modes(fuzzed, session, root, operation, each, number + turn, ids or {})
            if fuzzed.total >= count:
                break
    return fuzzed


def _try_modes(
    fuzzed: Fuzzed,
    session: requests.Session,
    root: str,
    operation: Any,
    count: int,
    number: int,
    ids: dict[str, str],
) -> None:
    for mode in _MODES:
        known = {name: value for name, value in ids.items() if f"{{{name}}}" in operation.path}
        for fixed in [known, None] if known and count > 1 else [None]:
            share = count // 2 if known and count > 1 else count
            _try_operation(fuzzed, session, root, operation.as_strategy(mode, path_parameters=fixed), share, number)


def _try_operation(fuzzed: Fuzzed, session: requests.Session, root: str, cases: Any, count: int, number: int) -> None:
    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases)
    def ask(case: Any) -> None:
        try:
            answer = case.call(base_url=root, session=session, timeout=fuzzed.patience, stream=False)
        except requests.exceptions.Timeout:
            fuzzed.waited += 1
            return
        except requests.exceptions.ConnectionError as error:
            if "timed out" in str(error).lower():
                fuzzed.waited += 1
            else:
                fuzzed.wrong.append(f"{case.method} {case.path}: {error}"[:300])
            return
        _note(fuzzed, case, answer)

    with contextlib.suppress(Unsatisfiable):  # an operation that takes nothing can't be asked wrongly
        ask()


def _note(fuzzed: Fuzzed, case: Any, answer: Any) -> None:
    fuzzed.statuses[answer.status_code] += 1
    if answer.status_code >= 500:
        fuzzed.wrong.append(f"{answer.status_code} {case.as_curl_command()[:400]} {answer.content[:200]!r}")
    elif answer.status_code >= 400:
        try:
            keys = set(json.loads(answer.content)["error"])
        except (ValueError, KeyError, TypeError):
            keys = set()
        if keys != {"message", "type", "param", "code"} and case.method.upper() != "HEAD":
            fuzzed.wrong.append(f"no envelope: {answer.status_code} {case.method} {case.path} {answer.content[:200]!r}")
