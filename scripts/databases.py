"""Measure SQLite and PostgreSQL with the same library, in the same run.

    python scripts/databases.py [--threads 100000] [--votes 10000] [--postgres URL]

The library is made in SQLite and moved to PostgreSQL, where both are asked the same questions in
turn, and the same members vote at once. Both are durable: synchronous=FULL, and
synchronous_commit=on with fsync. Without a URL of an empty database, a server of its own is
started from Debian's programs. Times on a busy machine mean little alone: read the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import corpus

from bot.app import App
from bot.models import Answer, Posting, Reaction, Thread, Vote
from bot.services.voting import Added
from bot.settings import Settings
from bot.store import moving
from bot.store.database import Database
from tests.kit import postgres

MEMBERS, ANSWERS, BLOCKS = 200, 100, 10
GUILD, POLL = 1, "poll"


def settings(folder: Path, url: str = "") -> Settings:
    """Settings of a library, with words alone: the model takes the same time on both."""
    return Settings(data_dir=folder, database_url=url, embedding_model="off", _env_file=None)


async def prepare(place: Path, url: str, count: int) -> None:
    """Make the library in SQLite, and move it to PostgreSQL, with its index."""
    app = await App.open(settings(place / "sqlite"))
    await app.library.add(
        Thread(key=str(d.number), title=d.title, body=d.body, answers=(Answer(body=d.answer),))
        for d in corpus.library(place)
    )
    said = tuple(Answer(body=f"Answer {n}") for n in range(ANSWERS))
    await app.library.add([Thread(key=POLL, title="Which one of these is it?", answers=said)])
    poll = await app.answering.find(POLL)
    assert poll is not None
    for n, answer in enumerate(poll.answers):
        await app.postings.record(
            Posting(
                message_id=1000 + n,
                channel_id=1,
                guild_id=GUILD,
                thread_id=poll.id,
                answer_id=answer.id,
                asker_id=9,
            )
        )
    await app.close()
    source = await Database.open(app.settings.database)
    target = await Database.open(url, unfinished=True)
    started = time.perf_counter()
    moved = await moving.move(source, target, lambda rows, total: None)
    rows = sum(each.rows for each in moved.tables.values())
    print(f"{rows:,} rows moved and compared in {time.perf_counter() - started:.0f} s")
    async with target.write() as connection:
        await connection.exec_driver_sql("ANALYZE")
    await target.close()
    await source.close()
    shutil.copytree(place / "sqlite" / "index", place / "postgres" / "index")


async def ask_both(apps: list[App], questions: list[str]) -> list[list[float]]:
    """Ask both each question, in turn; return the milliseconds that each took."""
    took: list[list[float]] = [[], []]
    for n, question in enumerate(questions):
        for which in (0, 1) if n % 2 else (1, 0):
            started = time.perf_counter()
            await apps[which].answering.ask(question, guild_id=GUILD)
            took[which].append(1000 * (time.perf_counter() - started))
    return took


async def vote(app: App, count: int, seed: int) -> float:
    """Let members vote at once, each one vote after the other; return the seconds."""
    chance, ids = random.Random(seed), itertools.count(0)

    async def member(user: int) -> None:
        while next(ids) < count:
            reaction = Reaction((user + 1) << 22, chance.choice((Vote.UP, Vote.DOWN)))
            message = 1000 + chance.randrange(ANSWERS)
            assert await app.voting.apply([Added(message_id=message, reaction=reaction)]) == [True]

    started = time.perf_counter()
    await asyncio.gather(*(member(user) for user in range(MEMBERS)))
    return time.perf_counter() - started


async def alternately(
    apps: list[App], blocks: int, work: Callable[[App, int], Awaitable[float]]
) -> list[float]:
    """Do work on both in blocks, in turn; return the sums of what it gives."""
    sums = [0.0, 0.0]
    for block in range(blocks):
        for which in (0, 1) if block % 2 else (1, 0):
            sums[which] += await work(apps[which], block)
    return sums


async def measure(place: Path, url: str, options: argparse.Namespace) -> None:
    """Print a line for each figure."""
    corpus.prepare(place, options.threads, options.titles, options.questions)
    await prepare(place, url, options.threads)
    apps = [
        await App.open(settings(place / "sqlite")),
        await App.open(settings(place / "postgres", url)),
    ]
    asked, _ = corpus.questions(place)
    await ask_both(apps, asked[:20])
    took = await ask_both(apps, asked)
    for median, name in ((statistics.median, "median"), (_p95, "95th percentile")):
        one, other = (median(each) for each in took)
        show(f"ask at {options.threads:,} threads, {name}, ms", one, other)
    each = options.votes // BLOCKS
    votes = await alternately(apps, BLOCKS, lambda app, block: vote(app, each, block))
    show(f"{options.votes:,} votes from {MEMBERS} members, s", *votes)
    for app in apps:
        await app.close()


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def show(what: str, sqlite: float, server: float) -> None:
    """Print one figure of both, and the ratio."""
    print(f"{what}: SQLite {sqlite:.2f}, PostgreSQL {server:.2f}, {server / sqlite:.2f} times")


@contextmanager
def server_url(given: str | None = None) -> Iterator[str]:
    """Give the URL of an empty database: the one that is given, or one on a server of its own."""
    if given is not None:
        yield given
        return
    if (reason := postgres.why_not()) is not None:
        sys.exit(f"error: {reason}")
    server = postgres.Server.start(durable=True)
    try:
        yield server.url(asyncio.run(server.new()))
    finally:
        server.stop()


def main() -> None:
    """Measure, on a server that is named or on one of its own."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--threads", type=int, default=100_000)
    parser.add_argument("--votes", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--titles", type=Path, default=Path("titles.jsonl.gz"))
    parser.add_argument("--postgres", metavar="URL", help="an empty database on a server")
    options = parser.parse_args()
    with (
        server_url(options.postgres) as url,
        tempfile.TemporaryDirectory(prefix="threadwise-databases-") as place,
    ):
        asyncio.run(measure(Path(place), url, options))


if __name__ == "__main__":
    main()
