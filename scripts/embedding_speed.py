"""Measure how fast vectors of a new library are made, and when questions are matched by meaning.

    python scripts/embedding_speed.py [--threads 2000] [--titles FILE.jsonl.gz]

Makes a library of that many threads with bodies (``benchmarks/corpus.py``), as one import, and
makes its vectors with the model that ``EMBEDDING_MODEL`` names. Times are in seconds from the
end of the import; ``threads/s`` are threads whose vectors count, until meaning is on.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.corpus import library, prepare

from bot.app import App
from bot.models import SHARED, Thread
from bot.settings import load_settings


def main() -> None:
    """Make a library, and print the times."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, default=2_000, help="how many (default: 2000)")
    parser.add_argument(
        "--titles",
        type=Path,
        default=Path("titles.jsonl.gz"),
        help="real titles, a JSON object with a title in each line; without them they are made",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="threadwise-embedding-") as folder:
        place = Path(folder)
        prepare(place, options.threads, options.titles, 1)
        asyncio.run(measure(place))


async def measure(place: Path) -> None:
    """Make the vectors, and print when meaning is on and when all is done."""
    app = await App.open(load_settings(_env_file=None, data_dir=place / "data", database_url=""))
    try:
        await app.library.add(
            Thread(key=str(doc.number), title=doc.title, body=doc.body) for doc in library(place)
        )
        began, is_on = time.perf_counter(), False
        while await app.embedding.make_some():
            if not is_on and app.engine.uses_meaning(SHARED):
                is_on = True
                there = len(app.engine) - app.embedding.waiting
                seconds = time.perf_counter() - began
                print(f"meaning is on after {seconds:.1f} s: {there / seconds:.0f} threads/s")
        seconds = time.perf_counter() - began
        print(f"all is done after {seconds:.1f} s: {len(app.engine) / seconds:.0f} threads/s")
    finally:
        await app.close()


if __name__ == "__main__":
    main()
