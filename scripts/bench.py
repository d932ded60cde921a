"""How fast the bot is, at several sizes, beside ``rapidfuzz.process.extract``.

    python scripts/bench.py [--sizes 1000 10000] [--titles FILE.jsonl.gz] [--json]

Titles come from ``--titles`` (default ``../shared/scale/questions.jsonl.gz``) or, where
that is absent, are made up with word frequencies as in real text. Questions are titles
of the library with a word left out and slips in 30 % of the longer words. Each size is
built, served and compared in a process of its own, so that memory is each one's own.
Times are in milliseconds and mean little alone on a busy machine: read the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from rapidfuzz import fuzz, process
from rich.console import Console
from rich.table import Table

from bot.models import Thread
from bot.services.house import House
from bot.services.slips import misspell
from bot.settings import load_settings

ROOT = Path(__file__).parents[1]
REAL_TITLES = ROOT.parent / "shared" / "scale" / "questions.jsonl.gz"
SIZES = (1_000, 10_000, 100_000, 365_687)
QUESTIONS = 300
BASELINE_SECONDS = 20.0  # of rapidfuzz a scorer, at most; it needs seconds a question


def main() -> None:
    """Measure every size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--titles", type=Path, default=REAL_TITLES)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--stage", choices=list(STAGES), help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        titles = load_titles(options.titles, options.sizes[0])
        print(json.dumps(STAGES[options.stage](titles, options.data)))
        return
    rows = [measure(size, options.titles) for size in options.sizes]
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        show(rows, "real" if options.titles.exists() else "made-up")


def measure(size: int, titles: Path) -> dict[str, Any]:
    """Build, serve and compare one size, each in a process of its own."""
    row: dict[str, Any] = {"threads": size}
    with tempfile.TemporaryDirectory(prefix="threadwise-bench-") as data:
        for stage in STAGES:
            options = ["--sizes", str(size), "--titles", str(titles), "--stage", stage]
            command = [sys.executable, __file__, *options, "--data", data]
            print(f"{size:,} threads: {stage} ...", file=sys.stderr)
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
            row |= json.loads(done.stdout)
    return row


def build(titles: list[str], data: Path) -> dict[str, Any]:
    """Import the titles as threads: store and index together."""

    async def run() -> float:
        house = await open_house(data)
        started = time.perf_counter()
        await house.library.add(Thread(key=f"t{i}", title=t) for i, t in enumerate(titles))
        seconds = time.perf_counter() - started
        await house.close()
        return seconds

    return {"import_per_s": len(titles) / asyncio.run(run())}


def serve(titles: list[str], data: Path) -> dict[str, Any]:
    """Start with what is there, then ask and complete one at a time."""
    asked, typed = questions(titles), beginnings(titles)
    del titles  # the bot does not hold them, so its memory must not show them

    async def run() -> dict[str, Any]:
        started = time.perf_counter()
        house = await open_house(data)
        ready = time.perf_counter() - started
        ask = await timed(house.answering.ask, asked)
        complete = await timed(house.answering.complete, typed)
        memory = psutil.Process().memory_info().rss / 2**20
        await house.close()
        return {"start_s": ready, "ask": ask, "complete": complete, "memory_mb": memory}

    return asyncio.run(run())


def compare(titles: list[str], data: Path) -> dict[str, Any]:
    """The same questions and beginnings for ``process.extract`` over a list in memory."""
    del data
    scorers = {"WRatio": fuzz.WRatio, "token_set_ratio": fuzz.token_set_ratio}
    result: dict[str, Any] = {}
    for what, texts in (("ask", questions(titles)), ("complete", beginnings(titles))):
        for name, scorer in scorers.items():
            result[f"{name}_{what}"] = extract_times(texts, titles, scorer)
    result["list_memory_mb"] = psutil.Process().memory_info().rss / 2**20
    return result


STAGES: dict[str, Callable[[list[str], Path], dict[str, Any]]] = {
    "build": build,
    "serve": serve,
    "compare": compare,
}


def extract_times(texts: list[str], titles: list[str], scorer: Any) -> dict[str, float]:
    """Median and 99th percentile of ``process.extract``, over what fits the time there is."""
    times: list[float] = []
    while len(times) < len(texts) and sum(times) < BASELINE_SECONDS * 1000:
        started = time.perf_counter()
        process.extract(texts[len(times)], titles, scorer=scorer, limit=5)
        times.append((time.perf_counter() - started) * 1000)
    return spread(times)


async def timed(call: Callable[[str], Awaitable[object]], texts: list[str]) -> dict[str, float]:
    """Median and 99th percentile of one call at a time, after ten that warm up."""
    for text in texts[:10]:
        await call(text)
    times = []
    for text in texts:
        started = time.perf_counter()
        await call(text)
        times.append((time.perf_counter() - started) * 1000)
    return spread(times)


def spread(times: list[float]) -> dict[str, float]:
    """The figures of a list of times."""
    ordered = sorted(times)
    place = min(len(ordered) - 1, int(len(ordered) * 0.99))
    return {"median": median(ordered), "p99": ordered[place], "n": len(ordered)}


async def open_house(data: Path) -> House:
    """The library of a run, with nobody's .env in the way."""
    return await House.open(load_settings(_env_file=None, data_dir=data, database_url=""))


def questions(titles: list[str]) -> list[str]:
    """What people ask: titles of 4 to 12 words with one left out and some misspelt."""
    rng = random.Random(1)
    asked: list[str] = []
    for title in rng.sample(titles, min(len(titles), 4 * QUESTIONS)):
        words = title.split()
        if 4 <= len(words) <= 12 and len(asked) < QUESTIONS:
            words.pop(rng.randrange(len(words)))
            asked.append(misspell(" ".join(words), 0.3, rng))
    return asked


def beginnings(titles: list[str]) -> list[str]:
    """What people have typed so far: the first 1 to 30 characters of titles."""
    rng = random.Random(2)
    return [t[: rng.randint(1, 30)] for t in rng.choices(titles, k=QUESTIONS)]


def load_titles(path: Path, size: int) -> list[str]:
    """The first titles of a file, shuffled once and for all, or as many made-up ones."""
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            titles = [json.loads(line)["title"] for line in lines]
        random.Random(0).shuffle(titles)
        return (titles + made_titles(size - len(titles)))[:size]
    return made_titles(size)


def made_titles(size: int) -> list[str]:
    """Made-up titles: words of syllables, the n-th used 1/n as often as the first (Zipf)."""
    rng = random.Random(3)
    syllables = [c + v for c in "bcdfghjklmnprstvwz" for v in ("a", "e", "i", "o", "u", "an", "er")]
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(60_000)]
    cumulative, total = [], 0.0
    for rank in range(1, len(words) + 1):
        total += 1 / rank
        cumulative.append(total)
    return [
        " ".join(rng.choices(words, cum_weights=cumulative, k=rng.randint(4, 14)))
        for _ in range(max(0, size))
    ]


def show(rows: list[dict[str, Any]], kind: str) -> None:
    """The figures as people read them."""
    table = Table(title=f"Threadwise on {kind} titles; times in ms, median / 99th percentile")
    table.add_column("")
    for row in rows:
        table.add_column(f"{row['threads']:,}", justify="right")
    for label, cell in LINES:
        table.add_row(label, *(cell(row) for row in rows))
    Console(width=120).print(table)


def _pair(name: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: f"{row[name]['median']:.1f} / {row[name]['p99']:.1f}"


def _times(ours: str, theirs: str) -> Callable[[dict[str, Any]], str]:
    return lambda row: f"{row[theirs]['median'] / row[ours]['median']:.1f} x"


LINES: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("ask", _pair("ask")),
    ("  process.extract, WRatio", _pair("WRatio_ask")),
    ("  process.extract, token_set_ratio", _pair("token_set_ratio_ask")),
    ("  faster than WRatio", _times("ask", "WRatio_ask")),
    ("  faster than token_set_ratio", _times("ask", "token_set_ratio_ask")),
    ("autocomplete", _pair("complete")),
    ("  process.extract, WRatio", _pair("WRatio_complete")),
    ("  process.extract, token_set_ratio", _pair("token_set_ratio_complete")),
    ("  faster than WRatio", _times("complete", "WRatio_complete")),
    ("import, threads/s (store and index)", lambda row: f"{row['import_per_s']:,.0f}"),
    ("start with an existing index, s", lambda row: f"{row['start_s']:.2f}"),
    ("resident memory, MB", lambda row: f"{row['memory_mb']:.0f}"),
    ("  a list of the titles, MB", lambda row: f"{row['list_memory_mb']:.0f}"),
)


if __name__ == "__main__":
    main()
