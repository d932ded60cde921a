"""A library of five threads, and a server whose members ask a bot on it (SimCord)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import discord
import simcord
from simcord import ChannelHandle, Env, MemberActor
from simcord.builders import GuildHandle

from bot.app import App
from bot.client import ThreadBot
from bot.models import Answer, Thread

LONG = "\n\n".join(
    f"Paragraph {n} of a long answer. It explains step {n} in some detail, so that whoever "
    "reads it knows what to do. There is `code` in it, and [a link](https://example.org/)."
    for n in range(40)
)

THREADS = (
    Thread(
        key="vote",
        title="How do I vote on an answer?",
        body="I see arrows under an answer. What are they for?",
        url="https://example.org/vote",
        author="carol",
        license="CC BY-SA 4.0",
        answers=(
            Answer(body="React with **⬆️** or ⬇️.", score=2, accepted=True, author="dave"),
            Answer(body="Use the buttons of the pager.", score=1, author="bob"),
        ),
    ),
    Thread(
        key="pins",
        title="How can I pin a message in my channel?",
        answers=(
            Answer(body="Open its menu and choose *Pin*.", score=0, author="alice"),
            Answer(body="Ask a moderator.", score=0),
        ),
    ),
    Thread(
        key="unpin",
        title="How can I unpin a message?",
        answers=(Answer(body="Open its menu and choose *Unpin*.", score=3),),
    ),
    Thread(
        key="backup",
        title="Where does the gardener keep the backup of the greenhouse plans?",
        answers=(Answer(body=LONG, score=5, accepted=True),),
    ),
    Thread(key="silent", title="Which compost heap is the warmest one?", body="Nobody knows."),
)

MakeBot = Callable[[], ThreadBot]


@dataclass
class World:
    """A server with the channels ask and general, two members and a moderator."""

    env: Env
    app: App
    make_bot: MakeBot
    guild: GuildHandle
    ask: ChannelHandle
    general: ChannelHandle
    alice: MemberActor
    bob: MemberActor
    mo: MemberActor

    @property
    def bot(self) -> ThreadBot:
        assert isinstance(self.env.bot, ThreadBot)
        return self.env.bot

    @property
    def me(self) -> str:
        """The text with which a member mentions the bot."""
        assert self.bot.user is not None
        return self.bot.user.mention

    async def restart(self) -> None:
        await self.env.restart_bot(self.make_bot())

    async def key_of(self, message: discord.Message) -> str | None:
        """The source key of the thread that a message shows an answer of."""
        posting = await self.app.postings.get(message.id)
        if posting is None:
            return None
        thread = await self.app.answering.serve(posting.thread_id, guild_id=posting.guild_id)
        return thread.key if thread else None

    async def wrote(self, member: MemberActor, key: str) -> None:
        """Make a member the author of a thread's first answer."""
        await sign(self.app, key, member.id)

    async def tallies(self, key: str, guild_id: int | None = None) -> list[int]:
        """The tallies of a thread's answers as the guild sees them, in source order."""
        thread = await self.app.answering.find(key, guild_id=guild_id or self.guild.id)
        assert thread is not None
        return [a.tally for a in sorted(thread.answers, key=lambda a: a.id)]


async def sign(app: App, key: str, user_id: int) -> None:
    """Make a user the author of a thread's first answer, as their id tells."""
    thread = next(thread for thread in THREADS if thread.key == key)
    first = replace(thread.answers[0], author=f"<@{user_id}>")
    await app.library.add([replace(thread, answers=(first, *thread.answers[1:]))])


def open_world(env: simcord.Env, app: App, make_bot: MakeBot) -> World:
    """Make the server in which most tests of the bot play."""
    guild = env.create_guild("Garden club")
    moderators = guild.create_role(
        "Moderators",
        permissions=discord.Permissions(manage_guild=True, manage_messages=True),
    )
    return World(
        env=env,
        app=app,
        make_bot=make_bot,
        guild=guild,
        ask=guild.create_text_channel("ask"),
        general=guild.create_text_channel("general"),
        alice=guild.add_member(env.create_user("alice")),
        bob=guild.add_member(env.create_user("bob")),
        mo=guild.add_member(env.create_user("mo"), roles=[moderators]),
    )
