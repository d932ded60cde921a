"""The servers of a soak: their members, channels and settings, and the cards that stand there."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from random import Random
from typing import Any

import discord
from simcord import ChannelHandle, MemberActor
from simcord.builders import GuildHandle

from soaking.content import LANGUAGES
from tests.kit.virtual_time import VirtualEnv

VOTERS, WRITERS = 30, 3
"""Members of a server who vote; and those who write what becomes an answer, who don't."""

CARDS = 400
"""Cards of a server that members still look at, the newest."""

MESSAGES = 600
"""Messages that a channel keeps: the simulated Discord would fill the memory with more."""


@dataclass(slots=True)
class Card:
    """A message of the bot that shows an answer: which, and what counts as a vote on it."""

    message_id: int
    channel_id: int
    root: int
    thread_id: int
    asker_id: int
    up: str
    down: str

    def emoji(self, value: int) -> str:
        """Return what a member votes with."""
        return self.up if value > 0 else self.down


@dataclass
class Server:
    """A server; ``is_out`` while the bot isn't in it, ``is_forgotten`` if that is for long."""

    number: int
    guild: GuildHandle
    channels: dict[str, ChannelHandle]
    voters: list[MemberActor]
    writers: list[MemberActor]
    moderator: MemberActor
    helper: MemberActor
    helper_role: int
    cards: OrderedDict[int, Card] = field(default_factory=OrderedDict)
    questions: OrderedDict[int, tuple[int, int]] = field(default_factory=OrderedDict)
    posts: list[Any] = field(default_factory=list)
    imported: int = 0
    edition: int = 0
    is_out: bool = False
    is_forgotten: bool = False
    out_until: float = 0.0
    newest_card: int = 0

    @property
    def id(self) -> int:
        """Return Discord's id of the server."""
        return self.guild.id

    def asking(self, random: Random) -> ChannelHandle:
        """Return a channel where questions are asked."""
        return self.channels["ask" if random.random() < 0.8 else "general"]

    def add_card(self, card: Card) -> None:
        """Note a card that was posted."""
        self.cards[card.message_id] = card
        while len(self.cards) > CARDS:
            self.cards.popitem(last=False)

    def drop_messages(self, message_ids: set[int]) -> None:
        """Forget messages that are gone."""
        for message_id in message_ids:
            self.cards.pop(message_id, None)
            self.questions.pop(message_id, None)

    def reset(self) -> None:
        """Forget what the bot knew here."""
        self.cards.clear()
        self.questions.clear()
        self.posts.clear()
        self.imported, self.is_forgotten = 0, False


def make_server(env: VirtualEnv, number: int) -> Server:
    """Make a server with its members."""
    guild = env.create_guild(f"Server {number}")
    manage = discord.Permissions(manage_guild=True, manage_messages=True, manage_threads=True)
    moderators = guild.create_role("Moderators", permissions=manage)
    helpers = guild.create_role("Helpers")

    def member(name: str, *roles: Any) -> MemberActor:
        return guild.add_member(env.create_user(f"{name}{number}"), roles=list(roles))

    channels = {name: guild.create_text_channel(name) for name in ("ask", "general", "spare")}
    channels["help"] = guild.create_forum_channel("help")
    return Server(
        number=number,
        guild=guild,
        channels=channels,
        voters=[member(f"voter{n}x") for n in range(VOTERS)],
        writers=[member(f"writer{n}x") for n in range(WRITERS)],
        moderator=member("mo", moderators),
        helper=member("hal", helpers),
        helper_role=helpers.id,
    )


async def set_up(app: Any, env: VirtualEnv, server: Server) -> None:
    """Give a server settings of its own, as its number tells, and have its forum followed."""
    n = server.number
    place, mo = server.channels["spare"], server.moderator
    await app.guilds.update(server.id, helper_role_ids=(server.helper_role,))
    if n % 3 == 1:
        await mo.slash(place, "settings policy", policy="score")
    if n % 2:
        await mo.slash(place, "settings language", language=LANGUAGES[n % len(LANGUAGES)])
    if n % 4 == 2:
        await mo.slash(place, "settings emoji", up="👍", down="👎")
    mode = ("mention", "ask", "questions", "off")[n % 4]
    await mo.slash(place, "settings channel", channel=server.channels["general"], mode=mode)
    if n % 5 == 4:
        await mo.slash(place, "settings learning", learn="off")
    await mo.slash(place, "library follow", channel=server.channels["help"])
    await env.settle()
