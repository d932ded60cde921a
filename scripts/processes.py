"""Measure what a second process on one PostgreSQL library gives, and what one takes.

    python scripts/processes.py [--threads 10000] [--questions 600] [--votes 4000]

The same questions are asked, and the same number of votes given, by one process and by two that
share them, each with a search index of its own; words alone. For each it prints how many in a
second of the clock, which means little on a busy machine, and how many in a second of processor
time, the server's not included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from benchmarks import corpus
from databases import GUILD, prepare, server_url, settings, vote

from bot.app import App

AT_ONCE = 8
"""Questions that a process is asked at once."""

Figures = dict[str, tuple[float, float]]
"""By what was done: seconds, and seconds of processor time."""


async def work(place: Path, url: str, options: argparse.Namespace) -> None:
    """Do one process's share when told to, and print its figures."""
    app = await App.open(settings(place / f"process {options.share}", url))
    questions = corpus.questions(place)[0][options.share :: options.of]
    turns = asyncio.Semaphore(AT_ONCE)

    async def ask(question: str) -> None:
        async with turns:
            await app.answering.ask(question, guild_id=GUILD)

    async def ask_all() -> None:
        await asyncio.gather(*map(ask, questions))

    await asyncio.gather(*map(ask, questions[:20]))
    figures: Figures = {}
    for what, done in (
        ("questions", ask_all()),
        ("votes", vote(app, options.votes // options.of, options.share)),
    ):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        figures[what] = await timed(done)
    print(json.dumps(figures), flush=True)
    await app.close()


async def timed(awaited: Awaitable[object]) -> tuple[float, float]:
    """Return the seconds, and those of processor time, that something takes."""
    started, cpu = time.perf_counter(), time.process_time()
    await awaited
    return time.perf_counter() - started, time.process_time() - cpu


def measure(place: Path, url: str, options: argparse.Namespace, processes: int) -> Figures:
    """Have so many processes share the work; return the longest time, and all processor time.

    Each is this script again, with hidden options: which share it does, of how many.
    """
    command = [sys.executable, *sys.argv, "--postgres", url, "--place", str(place)]
    command += ["--of", str(processes), "--share"]
    started = [
        subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for n in range(processes)
    ]
    for _ in ("questions", "votes"):
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == b"ready\n"
        for each in started:
            assert each.stdin is not None
            each.stdin.write(b"\n")
            each.stdin.flush()
    shares: list[Figures] = [json.loads(each.communicate()[0]) for each in started]
    return {
        what: (max(share[what][0] for share in shares), sum(share[what][1] for share in shares))
        for what in shares[0]
    }


def show(options: argparse.Namespace, one: Figures, two: Figures) -> None:
    """Print what one and two processes did in a second, and in one of processor time."""
    for what, count in (("questions", options.questions), ("votes", options.votes)):
        (seconds, cpu), (together, cpu_together) = one[what], two[what]
        print(
            f"{count:,} {what}: {count / seconds:.0f} a second by one process, "
            f"{count / together:.0f} by two, {seconds / together:.2f} times; "
            f"{count / cpu:.0f} a second of processor time by one, "
            f"{count / cpu_together:.0f} by two"
        )


def main() -> None:
    """Make the library on a server of its own, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--threads", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=600)
    parser.add_argument("--votes", type=int, default=4_000)
    parser.add_argument("--titles", type=Path, default=Path("titles.jsonl.gz"))
    for name, type_ in (("postgres", str), ("place", Path), ("share", int), ("of", int)):
        parser.add_argument(f"--{name}", type=type_, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.share is not None:
        asyncio.run(work(options.place, options.postgres, options))
        return
    with (
        server_url() as url,
        tempfile.TemporaryDirectory(prefix="threadwise-processes-") as name,
    ):
        place = Path(name)
        corpus.prepare(place, options.threads, options.titles, options.questions)
        asyncio.run(prepare(place, url, options.threads))
        show(options, *(measure(place, url, options, count) for count in (1, 2)))


if __name__ == "__main__":
    main()
