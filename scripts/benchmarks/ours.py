"""Threadwise itself: the whole way of a question, database included."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import Doc, beginnings, library, questions
from benchmarks.timing import disk_mb, found, memory_mb, timed
from bot.app import App
from bot.models import Answer, Thread, VectorStage
from bot.search.semantic.retrieval import SemanticIndex
from bot.settings import load_settings
from bot.store import change_feed, vectors
from bot.store.vectors import Made

REAL_VECTORS = 2_000
"""Threads up to which the model makes all vectors; it makes some 50 to 100 a second."""

TOPICS, NOISE = 5_000, 0.8
"""Of made vectors: how many clusters, and how far from their middles they are."""

AT_ONCE = 5_000

ASKERS = 32
"""People who ask at the same time, each the next question when the last is answered."""

Figures = dict[str, Any]


def build(place: Path) -> Figures:
    """Make the library, step by step."""

    async def run() -> Figures:
        figures: Figures = {}
        app = await open_app(place)
        try:
            for step in STEPS:
                figures |= await step(app, place)
        finally:
            await app.close()
        return figures

    return asyncio.run(run())


async def fill(app: App, place: Path) -> Figures:
    """Import the threads: store and text index together."""
    started = time.perf_counter()
    report = await app.library.add(_thread(doc) for doc in library(place))
    seconds = time.perf_counter() - started
    return {"import_s": seconds, "import_per_s": report.total / seconds}


async def mean(app: App, place: Path) -> Figures:
    """Give the threads vectors: the model's for a small library, made ones for a large one.

    Making a million real ones takes the better part of a day; how long a search takes is
    the same with those. Questions are embedded by the model in any case.
    """
    del place
    semantic = app.engine.semantic
    if semantic is None:
        return {"vectors": "none", "no_meaning": app.no_meaning}
    kind, size = "real", len(app.engine)
    started = time.perf_counter()
    if size <= REAL_VECTORS:
        await app.embedding.make()
    else:
        kind = "made"
        await _make_up(app, semantic)
        started = time.perf_counter()
        await app.embedding.catch_up()
    seconds = time.perf_counter() - started
    return {"vectors": kind, "vectors_per_s": size / seconds}


async def _make_up(app: App, semantic: SemanticIndex) -> None:
    """Vectors in clusters, as alike within those as real ones are, straight into the store."""
    rng, size = np.random.default_rng(7), semantic.dimensions
    topics = _unit(rng.normal(size=(TOPICS, size)))
    last = len(app.engine)
    for start in range(1, last + 1, AT_ONCE):
        ids = range(start, min(last, start + AT_ONCE - 1) + 1)
        near = topics[rng.integers(TOPICS, size=len(ids))]
        made = _unit(near + NOISE * _unit(rng.normal(size=near.shape)))
        rows = [row.tobytes() for row in semantic.quantised(made.astype(np.float32))]
        packed = {i: Made(1, VectorStage.BODY, row) for i, row in zip(ids, rows, strict=True)}
        async with app.database.write() as connection:
            await vectors.put(connection, semantic.model, packed)
    async with app.database.write() as connection:
        await vectors.set_done(
            connection, semantic.model, await change_feed.last_change(connection)
        )


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / lengths


STEPS: tuple[Callable[[App, Path], Awaitable[Figures]], ...] = (fill, mean)
"""What building consists of; each step adds its figures."""


def serve(place: Path, seconds: float) -> Figures:
    """Start with what is there; ask and complete one at a time, then ask all at once."""
    (asked, meant), typed = questions(place), beginnings(place)

    async def run() -> Figures:
        started = time.perf_counter()
        app = await open_app(place)
        figures: Figures = {"start_s": time.perf_counter() - started}
        try:
            figures["ask"], replies = await timed(app.answering.ask, asked, seconds)
            given = [[int(match.key) for match in reply.matches] for reply in replies]
            figures["found"] = found(given, meant)
            figures["complete"], _ = await timed(app.answering.complete, typed, seconds)
            figures["asks_per_s"] = await throughput(app, asked, seconds / 4)
            figures["memory_mb"] = memory_mb()
        finally:
            await app.close()
        return figures

    figures = asyncio.run(run())
    data = place / "data"
    figures["database_mb"] = disk_mb(*data.glob("threadwise.db*"))
    figures["index_mb"] = disk_mb(data) - figures["database_mb"]
    return figures


async def throughput(app: App, asked: list[str], seconds: float) -> float:
    """Questions answered a second while ``ASKERS`` ask without a pause."""
    stream, started = itertools.cycle(asked), time.perf_counter()

    async def asker() -> int:
        answered = 0
        while time.perf_counter() - started < seconds:
            await app.answering.ask(next(stream))
            answered += 1
        return answered

    answered = await asyncio.gather(*(asker() for _ in range(ASKERS)))
    return sum(answered) / (time.perf_counter() - started)


def _thread(doc: Doc) -> Thread:
    answer = Answer(body=doc.answer)
    return Thread(key=str(doc.number), title=doc.title, body=doc.body, answers=(answer,))


async def open_app(place: Path) -> App:
    """The library of a run, with nobody's .env in the way."""
    settings = load_settings(_env_file=None, data_dir=place / "data", database_url="")
    return await App.open(settings)
