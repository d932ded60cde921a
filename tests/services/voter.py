"""A process that votes and imports without end, and says what it was told is done.

Run as ``python -m tests.services.voter FOLDER``; it is ended with SIGKILL.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from bot.models import SHARED, Thread, Vote
from bot.services.house import House

from .conftest import BREAD, HERE, at


async def vote(house: House) -> None:
    for n in count():
        user, value = n % 97, Vote.UP if n % 3 else Vote.DOWN
        message = 501 + n % 2
        if await house.voting.react(message_id=message, user_id=user, value=value):
            print(f"vote {user} {message - 500} {int(value)}", flush=True)


async def bring(house: House) -> None:
    for n in count():
        batch = [
            Thread(key=f"k{n}-{i}", title=f"Question {n} about number {i}") for i in range(40)
        ]
        await house.library.add(batch, scope=SHARED)
        print(f"import {n} {len(batch)}", flush=True)


async def main(folder: Path) -> None:
    house = await House.open(at(folder))
    await house.library.add([BREAD])
    print("ready", flush=True)
    await asyncio.gather(vote(house), bring(house))


if __name__ == "__main__":
    assert HERE
    asyncio.run(main(Path(sys.argv[1])))
