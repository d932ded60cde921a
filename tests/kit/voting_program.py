"""A program that votes and imports without end, and prints what was acknowledged.

Run as ``python -m tests.kit.voting_program FOLDER``; it is ended with SIGKILL.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count
from pathlib import Path

from bot.app import App
from bot.models import Thread, Vote
from tests.kit.library import at
from tests.kit.votes import give_reaction

MESSAGES = {501: 1, 502: 2}
"""The messages that are reacted to, and the answers that they show."""


def vote_number(n: int) -> tuple[int, int, Vote]:
    """The n-th vote: message, member, value. Members change their minds all the time."""
    return 501 + n % 2, n % 7, Vote.UP if n % 3 else Vote.DOWN


async def vote(app: App) -> None:
    for n in count():
        message, user, value = vote_number(n)
        assert await give_reaction(app.voting, message_id=message, user_id=user, value=value)
        print("vote", n, flush=True)


async def bring(app: App) -> None:
    for n in count():
        batch = [Thread(key=f"k{n}-{i}", title=f"Question {n} about number {i}") for i in range(40)]
        await app.library.add(batch)
        print("import", n, flush=True)


async def main(folder: Path) -> None:
    app = await App.open(at(folder))
    await asyncio.gather(vote(app), bring(app))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
