"""What an operator sees: counts and times for Prometheus, and lines in the log. Prompts and keys are in neither."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

# What a careless call might pass along; `_redact` is the last look before a line is written.
_SECRET_FIELDS = frozenset({"prompt", "negative_prompt", "authorization", "api_key", "secret", "cookie", "body"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds


class Metrics:
    """The counters of one server process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "daybreak_http_requests", "Answered requests.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "daybreak_http_request_seconds",
            "Time to answer, bodies included.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge("daybreak_http_requests_in_flight", "Requests being answered.", registry=self.registry)
        self.dropped = Counter(
            "daybreak_http_connections_dropped", "Connections closed for slowness.", ("why",), registry=self.registry
        )

        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # looking them up is slow

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts an answered request. The number of routes, methods and statuses is small and ours."""
        children = self._children.get((method, route, status))
        if children is None:
            counter = self.requests.labels(method, route, str(status))
            children = self._children[method, route, status] = (counter, self.seconds.labels(method, route))
        children[0].inc()
        children[1].observe(seconds)

    def add(self, collector: JobNumbers) -> None:
        self.registry.register(collector)


class JobNumbers(Collector):
    """Numbers that are asked for at each scrape: gauges by name, each with its help and its values by label."""

    def __init__(self, read: Any) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        return []  # so that registering asks the database nothing

    def collect(self) -> Iterable[Metric]:
        for name, (text, label, values) in self._read().items():
            family = GaugeMetricFamily(name, text, labels=[label] if label else [])
            for key, value in values.items():
                family.add_metric([key] if label else [], value)
            yield family


def set_up_logs(form: Literal["auto", "console", "json"], level: str) -> None:
    """Makes structlog and the standard library write one line an event to standard error."""
    number = logging.getLevelNamesMapping()[level.upper()]
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
    ]
    renderers: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if as_json
        # Plain tracebacks: the usual ones show local variables, which hold prompts and keys.
        else [_console()]
    )
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))  # libraries speak up only when something is wrong


def _console() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in _SECRET_FIELDS & event.keys():
        event[name] = "…"
    return event
