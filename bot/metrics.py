"""The figures that Prometheus reads: what each is called, and how they are written.

None has a label that grows with servers, members or threads. Each ``Metrics`` has a registry of
its own, so that several bots in one process don't count into each other's figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bot import __version__
from bot.observing import Observer

disable_created_metrics()  # type: ignore[no-untyped-call]  # a time beside each figure, which nobody asks for

CONTENT_TYPE = CONTENT_TYPE_LATEST

FAST = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
"""Bounds in seconds of what takes milliseconds; a database may be locked for 15."""

MODEL = (*FAST, 30.0, 60.0)
"""Of the model, to which a small machine may give many texts at once."""

SLOW = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Bounds in seconds of requests over the network."""

OUTCOMES = ("answer", "suggest", "none", "busy", "failed")
VOTES = ("up", "down", "taken_back", "refused", "reconciled")
LIMITS = ("member", "server")
SHARD_EVENTS = ("ready", "resumed", "disconnected")


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels at one moment. ``None`` is for those that can't be known just now."""

    is_ready: bool = False
    servers: int | None = None
    threads: int | None = None
    index_lag: int | None = None
    queues: Mapping[str, int] = field(default_factory=dict)
    connected: Mapping[int, bool] = field(default_factory=dict)
    latencies: Mapping[int, float] = field(default_factory=dict)
    """By shard; infinite or not a number before the first heartbeat."""


class Metrics(Observer):
    """Keeps the figures of one bot, and writes them as Prometheus reads them."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        Info("threadwise_build", "The version that runs.", registry=registry).info(
            {"version": __version__}
        )
        self._questions = _counter(registry, "questions", "Questions by verdict.", "verdict")
        self._question_seconds = _histogram(registry, "question_seconds", "Time for a verdict.")
        self._limited = _counter(
            registry,
            "limited",
            "Questions, presses and completions refused, by whose limit was reached.",
            "limit",
        )
        self._search_wait = _histogram(
            registry, "search_wait_seconds", "Time for which searches waited for their turn."
        )
        self._search = _histogram(registry, "search_seconds", "Time of searches.")
        self._model = Histogram(
            "threadwise_model_seconds",
            "Time of the embedding model, for a question or for some texts of the library.",
            ("work",),
            buckets=MODEL,
            registry=registry,
        )
        self._database_wait = _histogram(
            registry,
            "database_wait_seconds",
            "Time for which transactions waited for their turn and for other programs.",
            "access",
        )
        self._database = _histogram(
            registry, "database_seconds", "Time of transactions, without waiting.", "access"
        )
        self._database_failures = _counter(
            registry, "database_failures", "Times that the database could not be used."
        )
        self._requests = Histogram(
            "threadwise_discord_request_seconds",
            "Time of requests to Discord, each try by itself.",
            ("method", "status"),
            buckets=SLOW,
            registry=registry,
        )
        self._votes = _counter(registry, "votes", "Votes by what was done.", "vote")
        self._incidents = _counter(
            registry, "incidents", "Times that somebody was told that something went wrong."
        )
        self._shard_events = _counter(
            registry, "gateway_events", "Beginnings and ends of sessions.", "shard", "event"
        )
        self._loop_lag = _histogram(
            registry, "loop_lag_seconds", "How late the event loop did what was due."
        )
        self._ready = _gauge(registry, "ready", "1 when /readyz says that the bot is ready.")
        self._servers = _gauge(registry, "servers", "Discord servers that the bot is in.")
        self._threads = _gauge(registry, "indexed_threads", "Threads that can be found.")
        self._lag = _gauge(registry, "index_lag", "Changes that are not indexed yet.")
        self._queues = _gauge(registry, "queue_length", "What waits to be done.", "queue")
        self._connected = _gauge(
            registry, "gateway_connected", "1 while the shard is connected.", "shard"
        )
        self._latency = _gauge(
            registry, "gateway_latency_seconds", "Time of the latest heartbeat.", "shard"
        )
        self._show_zeros()

    def _show_zeros(self) -> None:
        """Have counters begin at 0, since ``rate()`` doesn't see a series begin at 1."""
        for outcome in OUTCOMES:
            self._questions.labels(outcome)
        for vote in VOTES:
            self._votes.labels(vote)
        for owner in LIMITS:
            self._limited.labels(owner)

    # Called from any thread.

    def asked(self, outcome: str, seconds: float) -> None:  # noqa: D102 (see Observer)
        self._questions.labels(outcome).inc()
        self._question_seconds.observe(seconds)

    def limited(self, owner: str) -> None:  # noqa: D102
        self._limited.labels(owner).inc()

    def searched(self, waited: float, seconds: float) -> None:  # noqa: D102
        self._search_wait.observe(waited)
        self._search.observe(seconds)

    def ran_model(self, work: str, seconds: float) -> None:  # noqa: D102
        self._model.labels(work).observe(seconds)

    def used_database(self, access: str, waited: float, seconds: float) -> None:  # noqa: D102
        self._database_wait.labels(access).observe(waited)
        self._database.labels(access).observe(seconds)

    def database_failed(self) -> None:  # noqa: D102
        self._database_failures.inc()

    def voted(self, what: str, count: int = 1) -> None:  # noqa: D102
        self._votes.labels(what).inc(count)

    def requested(self, method: str, status: str, seconds: float) -> None:  # noqa: D102
        self._requests.labels(method, status).observe(seconds)

    def shard_event(self, shard_id: int, event: str) -> None:  # noqa: D102
        for known in SHARD_EVENTS:
            self._shard_events.labels(str(shard_id), known)
        self._shard_events.labels(str(shard_id), event).inc()

    def incident(self) -> None:  # noqa: D102
        self._incidents.inc()

    def loop_lagged(self, seconds: float) -> None:
        """The event loop did something so much later than it was due."""
        self._loop_lag.observe(seconds)

    def text(self, levels: Levels) -> bytes:
        """Return all figures, with what is there just now, in Prometheus' text format."""
        self._ready.set(levels.is_ready)
        _set(self._servers, levels.servers)
        _set(self._threads, levels.threads)
        _set(self._lag, levels.index_lag)
        for gauge, values in (
            (self._queues, levels.queues),
            (self._connected, levels.connected),
            (self._latency, levels.latencies),
        ):
            gauge.clear()  # a shard or a queue that is no more has no figure
            for label, value in values.items():
                if math.isfinite(value):
                    gauge.labels(str(label)).set(value)
        return generate_latest(self.registry)


def _set(gauge: Gauge, value: float | None) -> None:
    gauge.set(math.nan if value is None else value)


def _counter(registry: CollectorRegistry, name: str, says: str, *labels: str) -> Counter:
    return Counter(f"threadwise_{name}", says, labels, registry=registry)


def _gauge(registry: CollectorRegistry, name: str, says: str, *labels: str) -> Gauge:
    return Gauge(f"threadwise_{name}", says, labels, registry=registry)


def _histogram(registry: CollectorRegistry, name: str, says: str, *labels: str) -> Histogram:
    return Histogram(f"threadwise_{name}", says, labels, buckets=FAST, registry=registry)
