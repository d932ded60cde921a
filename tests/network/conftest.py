"""A bot on the loopback Discord, ready, in a server with two channels and two members."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot import retry
from bot.app import App
from bot.client import ThreadBot
from tests.loopback import Guild, Loopback, running, serving
from tests.loopback.world import Message


@dataclass
class Net:
    """What a test over real sockets has at hand."""

    discord: Loopback
    app: App
    bot: ThreadBot
    guild: Guild
    ask: int
    general: int
    alice: int
    bob: int

    async def recorded(self, message: Message) -> None:
        """Wait until a message is known to be a posting."""

        async def known() -> bool:
            return await self.app.postings.get(message.id) is not None

        await self.discord.until(known)

    async def tallies(self, key: str) -> list[int]:
        """The tallies of a thread's answers as the guild sees them, in source order."""
        thread = await self.app.answering.find(key, guild_id=self.guild.id)
        assert thread is not None
        return [a.tally for a in sorted(thread.answers, key=lambda a: a.id)]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are tried again at once; each test hears of its own outage."""
    monkeypatch.setattr(retry, "PAUSES", (0.001,) * len(retry.PAUSES))
    monkeypatch.setattr(retry, "QUICK", (0.001,) * len(retry.QUICK))
    monkeypatch.setattr(retry, "_said_at", float("-inf"))


@pytest.fixture
async def net(app: App) -> AsyncIterator[Net]:
    """The world in which most tests over the network play."""
    async with serving(Loopback()) as loopback:
        guild = loopback.add_guild("Garden club", channels=("ask", "general"))
        members = [loopback.add_member(guild, name) for name in ("alice", "bob")]
        bot = ThreadBot(app, shard_count=1)
        async with running(loopback, bot):
            ask, general = guild.channels.values()
            yield Net(loopback, app, bot, guild, ask, general, *members)
