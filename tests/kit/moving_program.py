"""Moves a library in small portions, and prints a line for each: ``FROM TO``, two URLs."""

from __future__ import annotations

import asyncio
import sys

from bot.store import moving
from bot.store.database import Database

moving.ROWS = 20


async def main() -> None:
    """Move the library."""
    source = await Database.open(sys.argv[1])
    target = await Database.open(sys.argv[2], unfinished=True)
    moved = await moving.move(source, target, lambda rows, total: print(rows, total, flush=True))
    print("moved", moved.digest, flush=True)
    await target.close()
    await source.close()


if __name__ == "__main__":
    asyncio.run(main())
