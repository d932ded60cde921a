"""A program that makes vectors of a library, and prints after each batch how many.

Run as ``python -m tests.kit.embedding_program FOLDER``; it is ended with SIGKILL.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.app import App
from bot.services import embedding
from tests.kit.library import at

BATCH = 8


async def main(folder: Path) -> None:
    embedding.EMBEDDED_AT_ONCE = BATCH
    app = await App.open(at(folder, ""))
    await app.embedding.make(lambda made: print("made", made, flush=True))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
