"""Count votes that are wrong after bursts, faults and outages, over real sockets.

Run ``python -m scripts.vote_bursts [--reactions N]`` in the project's folder. It prints how
many of the members who took their reaction back still have a vote (phantoms), how many of
ten cards are counted after an outage when requests fail, and how long other programs wait
for the database while one card with N reactions is compared.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.app import App
from bot.client import ThreadBot
from bot.models import Answer, Posting, Reaction, Thread, Vote
from bot.settings import Settings
from tests.kit import loopback as kit
from tests.kit.loopback.world import ME, Message

RUNS, AT_ONCE, CARDS = 100, 60, 10
UP, DOWN = "⬆️", "⬇️"
QUESTION = "how can I pin a message in my channel?"
THREAD = Thread(key="pins", title=QUESTION, answers=(Answer(body="Choose *Pin*."),))
FAULTS = {
    "reset": kit.reset(),
    "503": kit.status(503),
    "malformed": kit.malformed(),
    "empty object": kit.empty(),
}
WAITER = """
import sqlite3, sys, time
longest, end = 0.0, False
connection = sqlite3.connect(sys.argv[1], timeout=120, isolation_level=None)
print("ready", flush=True)
import select
while not select.select([sys.stdin], [], [], 0.002)[0]:
    begun = time.monotonic()
    connection.execute("BEGIN IMMEDIATE")
    longest = max(longest, time.monotonic() - begun)
    connection.execute("ROLLBACK")
print(longest)
"""


class Scene:
    """A bot, connected, with a card in each of some channels."""

    def __init__(self, discord: kit.Loopback, app: App, guild: kit.Guild):
        self.discord, self.app, self.guild = discord, app, guild
        self.cards: list[Message] = []

    @property
    def card(self) -> Message:
        """The first card."""
        return self.cards[0]

    def members(self, count: int) -> list[int]:
        """New members."""
        return [self.discord.add_member(self.guild, f"m{n}") for n in range(count)]

    async def votes(self, guild_id: int | None = None) -> int:
        """The sum of the votes on the answer."""
        thread = await self.app.answering.find("pins", guild_id=guild_id or self.guild.id)
        assert thread is not None
        return thread.answers[0].votes


@asynccontextmanager
async def scene(cards: int = 1) -> AsyncIterator[Scene]:
    """Everything ready, the cards posted by the bot."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), embedding_model="off", _env_file=None)
        app = await App.open(settings)
        await app.library.add([THREAD])
        async with kit.serving(kit.Loopback()) as discord:
            guild = discord.add_guild("Guild", [f"ask-{n}" for n in range(cards)])
            alice = discord.add_member(guild, "alice")
            made = Scene(discord, app, guild)
            async with kit.running(discord, ThreadBot(app, shard_count=1)):
                for channel in guild.channels.values():
                    discord.say(channel, alice, f"<@{ME['id']}> {QUESTION}")
                    made.cards.append(await discord.posted(channel))
                await quiet()
                yield made
        await app.close()


async def quiet(seconds: float = 120.0) -> None:
    """Wait until the bot does nothing any more."""
    busy = ("discord.py: ", "votes", "reconcile", "learning")
    end, still = time.monotonic() + seconds, 0
    while still < 15 and time.monotonic() < end:
        await asyncio.sleep(0.02)
        names = [task.get_name() for task in asyncio.all_tasks()]
        still = 0 if any(name.startswith(busy) for name in names) else still + 1


async def there_and_back(pause: float = 0.0, importing: bool = False) -> str:
    """⬆️ and back by one member after the other."""
    async with scene() as at:
        task = asyncio.create_task(_import(at.app)) if importing else None
        for member in at.members(RUNS):
            at.discord.react(at.card, member, UP)
            await asyncio.sleep(pause) if pause else None
            at.discord.unreact(at.card, member, UP)
            if importing:
                await asyncio.sleep(0.05)
            else:
                await quiet_soon()
        if task:
            task.cancel()
        await quiet()
        return f"{await at.votes()} phantoms of {RUNS}"


async def changed_mind() -> str:
    """⬆️ then ⬇️ by one member after the other."""
    async with scene() as at:
        for member in at.members(RUNS):
            at.discord.react(at.card, member, UP)
            at.discord.react(at.card, member, DOWN)
            await quiet_soon()
        await quiet()
        return f"{(await at.votes() + RUNS) // 2} wrong of {RUNS}"


async def all_at_once() -> str:
    """⬆️ and back by many members at once."""
    async with scene() as at:
        members = at.members(AT_ONCE)
        for member in members:
            at.discord.react(at.card, member, UP)
            at.discord.unreact(at.card, member, UP)
        await quiet()
        return f"{await at.votes()} phantoms of {AT_ONCE}"


async def outage(fault: kit.Fault, path: str) -> str:
    """One vote a card while the bot was away; then the first request fails."""
    async with scene(CARDS) as at:
        async with at.discord.disconnected(resumable=False):
            for card, member in zip(at.cards, at.members(CARDS), strict=True):
                at.discord.react(card, member, UP, silent=True)
            at.discord.faults.fail("GET", path, fault, fault)  # aiohttp repeats once
        for _ in range(60):
            if await at.votes() == CARDS:
                break
            await asyncio.sleep(0.25)
        return f"{await at.votes()} of {CARDS} cards counted"


async def many_reactions(count: int) -> str:
    """Another program writes while a card with so many reactions is compared."""
    async with scene() as at:
        path = at.app.database.path
        waiter = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WAITER, str(path)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert waiter.stdout is not None
        await waiter.stdout.readline()
        posting = await at.app.postings.get(at.card.id)
        assert isinstance(posting, Posting)
        held = _timed(at.app)
        gc.collect()
        gc.freeze()  # as the bot does before it connects
        begun = time.monotonic()
        changed = await at.app.voting.reconcile(
            message_id=at.card.id,
            reactions={Reaction(user, Vote.UP) for user in range(1000, 1000 + count)},
        )
        seconds = time.monotonic() - begun
        said, _ = await waiter.communicate(b"\n")
        waited = f"another program waited {float(said):.3f} s at most"
        return f"{changed} in {seconds:.1f} s, lock held {max(held):.3f} s at most, {waited}"


def _timed(app: App) -> list[float]:
    """Record how long each write transaction takes from now on."""
    held, write = list[float](), app.database.write

    @asynccontextmanager
    async def timed() -> AsyncIterator[AsyncConnection]:
        async with write() as connection:
            begun = time.monotonic()
            yield connection
        held.append(time.monotonic() - begun)

    app.database.write = timed  # type: ignore[method-assign]
    return held


async def quiet_soon() -> None:
    """Wait until what was sent just now is dealt with."""
    await asyncio.sleep(0.02)
    for _ in range(200):
        if not any(t.get_name().startswith(("discord.py: ", "votes")) for t in asyncio.all_tasks()):
            return
        await asyncio.sleep(0.005)


async def _import(app: App) -> None:
    n = 0
    while True:
        n += 1
        batch = [Thread(key=f"k{n}-{i}", title=f"Question {n} about {i}") for i in range(300)]
        await app.library.add(batch)


async def main() -> None:
    """Print a line for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reactions", type=int, default=20_000)
    reactions = parser.parse_args().reactions
    logging.disable(logging.CRITICAL)
    lines: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        ("up and back in a burst", there_and_back),
        ("up, then down in a burst", changed_mind),
        ("up and back, 60 at once", all_at_once),
        ("the same 20 ms apart, importing", lambda: there_and_back(0.02, importing=True)),
    ]
    for name, fault in FAULTS.items():
        lines.append((f"{name} at a message", lambda f=fault: outage(f, r"/messages/\d+$")))  # type: ignore[misc]
        lines.append((f"{name} at reactions", lambda f=fault: outage(f, "/reactions/")))  # type: ignore[misc]
    lines.append((f"{reactions} reactions", lambda: many_reactions(reactions)))
    for name, measure in lines:
        print(f"{name:<34}{await measure()}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
