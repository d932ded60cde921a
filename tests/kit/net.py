"""A bot on the loopback Discord, ready, in a server with two channels and two members."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.app import App
from bot.client import ThreadBot
from tests.kit.loopback import Guild, Loopback, running, serving
from tests.kit.loopback.world import Message


@dataclass
class Net:
    """A loopback Discord with one guild, and a bot on it."""

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


@asynccontextmanager
async def open_net(app: App) -> AsyncIterator[Net]:
    """Make the server in which most tests over sockets play, with a bot that is ready."""
    async with serving(Loopback()) as loopback:
        guild = loopback.add_guild("Garden club", channels=("ask", "general"))
        members = [loopback.add_member(guild, name) for name in ("alice", "bob")]
        bot = ThreadBot(app, shard_count=1)
        async with running(loopback, bot):
            ask, general = guild.channels.values()
            yield Net(loopback, app, bot, guild, ask, general, *members)
