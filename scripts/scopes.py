"""Measure how much memory and time servers with threads of their own cost.

    python scripts/scopes.py [--servers 1 100 1000] [--own 100] [--shared 10000]

Makes a library whose shared part and servers' own threads are made of synthetic words, then
asks as each server in turn. Each number of servers is measured in a process of its own.
Times are in milliseconds, medians; read the ratios on a busy machine.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from bot.models import SHARED, StoredThread
from bot.search.documents import Indexed, indexed
from bot.search.engine import Engine

COMMON, RARE = 3_000, 30_000
"""Words that all threads share, and those that only some use."""

ASKED = 200
"""Questions that are asked of each kind, at most."""


def main() -> None:
    """Measure each number of servers and print a table."""
    options = arguments()
    if options.count is not None:
        with tempfile.TemporaryDirectory(prefix="threadwise-scopes-") as place:
            print(json.dumps(measure(Path(place), options)))
        return
    print("servers  import/s  start ms  MB all asked  first ms  ask ms  ratio  files MB")
    for count in options.servers:
        command = [sys.executable, __file__, "--count", str(count)]
        command += ["--own", str(options.own), "--shared", str(options.shared)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        row = json.loads(done.stdout)
        print(
            f"{count:7,}  {row['import']:8,.0f}  {row['start']:8.1f}  {row['memory']:12.1f}  "
            f"{row['first']:8.2f}  {row['ask']:6.2f}  {row['ratio']:5.2f}  {row['disk']:8.1f}"
        )


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--servers", nargs="+", type=int, default=[1, 100, 1_000], metavar="N")
    parser.add_argument("--own", type=int, default=100, metavar="N", help="threads of a server")
    parser.add_argument("--shared", type=int, default=10_000, metavar="N", help="shared threads")
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(place: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Build the indexes, then ask: as a server without threads, as each for the first time, again.

    ``memory`` is what the process takes more, in MB, once every server has asked.
    """
    started = time.perf_counter()
    build(place / "index", options)
    total = options.shared + options.count * options.own
    figures: dict[str, Any] = {"import": total / (time.perf_counter() - started)}
    figures["disk"] = sum(f.stat().st_size for f in place.rglob("*") if f.is_file()) / 1e6

    started = time.perf_counter()
    engine = Engine(place / "index", "library")
    figures["start"] = (time.perf_counter() - started) * 1000
    questions = [title(random.Random(n)) for n in range(ASKED)]
    guilds = list(range(1, options.count + 1))
    nobodys = options.count + 1
    for question in questions:
        engine.search(question, nobodys, 5)
    gc.collect()
    before = psutil.Process().memory_info().rss
    figures["first"] = statistics.median(asked(engine, questions[0], g) for g in guilds)
    gc.collect()
    figures["memory"] = (psutil.Process().memory_info().rss - before) / 1e6
    own, without = [], []
    guild = guilds[-1]
    for question in questions:
        engine.search(question, guild, 5)
    for question in questions:  # in turns, so that a busy machine is so for both
        without.append(asked(engine, question, nobodys))
        own.append(asked(engine, question, guild))
    figures["ask"] = statistics.median(own)
    figures["ratio"] = figures["ask"] / statistics.median(without)
    return figures


def asked(engine: Engine, question: str, guild: int) -> float:
    """Return the milliseconds that a question takes in a guild."""
    started = time.perf_counter()
    engine.search(question, guild, 5)
    return (time.perf_counter() - started) * 1000


def build(folder: Path, options: argparse.Namespace) -> None:
    """Index all threads, the shared ones first, as the feed would have them."""
    engine = Engine(folder, "library")
    with engine.writing() as writing:
        writing.put(threads(options))
        writing.commit(1, settled=True)


def threads(options: argparse.Namespace) -> Iterator[Indexed]:
    """Yield the shared threads and then each server's."""
    rng, number = random.Random(1), 0
    for scope in range(options.count + 1):
        for _ in range(options.shared if scope == SHARED else options.own):
            number += 1
            body = " ".join(word(rng) for _ in range(60))
            thread = StoredThread(
                id=number, scope=scope, key=f"k{number}", title=title(rng), body=body
            )
            yield indexed(thread)


def title(rng: random.Random) -> str:
    """Return a title of eight words, two of them stop words."""
    return "how do " + " ".join(word(rng) for _ in range(6))


def word(rng: random.Random) -> str:
    """Return a made word, mostly a common one."""
    number = rng.randrange(COMMON) if rng.random() < 0.8 else COMMON + rng.randrange(RARE)
    syllables = ("ka", "ro", "mi", "ten", "su", "lo", "ver", "da", "pi", "gon")
    return "".join(syllables[int(digit)] for digit in str(number + 100))


if __name__ == "__main__":
    main()
