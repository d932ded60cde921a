"""What Discord shows on a card: its emoji, and who has reacted with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeVar

import discord

from bot.client import ThreadBot
from bot.models import Posting, ReactionKind, Vote, VoteEmoji
from bot.retry import MalformedReply, retried
from bot.ui.emoji import vote_of
from cogs.voting.card_emoji import emoji_on

PAUSES = (0.5, 1.0)
"""Seconds between the tries of one request."""

PAGE = 100
"""Users that Discord names in one reply."""

T = TypeVar("T")


@dataclass(slots=True)
class Shown:
    """The votes that stand on a card; ``handles`` are the members' unique names."""

    emoji: VoteEmoji
    handles: dict[int, str] = field(default_factory=dict)
    _votes: dict[ReactionKind, dict[int, frozenset[Vote]]] = field(default_factory=dict)

    def add(self, kind: ReactionKind, value: Vote, members: dict[int, str]) -> None:
        """These members have reactions of a kind and value on the card."""
        self.handles |= members
        there = self._votes.setdefault(kind, {})
        for user_id in members:
            there[user_id] = there.get(user_id, frozenset()) | {value}

    def of(self, kind: ReactionKind) -> dict[int, frozenset[Vote]]:
        """The members and their votes by reactions of a kind."""
        return self._votes.get(kind, {})


async def read_card(bot: ThreadBot, posting: Posting) -> Shown:
    """Ask Discord who has voted on a card; bots are left out.

    Raises one of ``bot.retry.FAILURES``, or StoreError.
    """
    channel = bot.get_partial_messageable(posting.channel_id)
    message = await _asked(partial(channel.fetch_message, posting.message_id))
    shown = Shown(await emoji_on(bot, message, posting))
    for reaction in message.reactions:
        value = vote_of(str(reaction.emoji), shown.emoji)
        if value is not None:
            for kind in ReactionKind:
                shown.add(kind, value, await _members(bot, posting, reaction, kind))
    return shown


async def _members(
    bot: ThreadBot, posting: Posting, reaction: discord.Reaction, kind: ReactionKind
) -> dict[int, str]:
    """The members whose reactions of a kind stand, and their names, without bots.

    Each page is tried again by itself.
    """
    there, ours = reaction.count - reaction.burst_count, reaction.me
    if kind is ReactionKind.SUPER:
        there, ours = reaction.burst_count, reaction.me_burst
    if there <= int(ours):
        return {}
    seen: set[int] = set()
    found: dict[int, str] = {}
    while True:
        # Not only as many as were there: those who came since may push others to the end.
        after = max(seen, default=None)
        try:
            page = await _asked(partial(_page, bot, posting, reaction, kind, after))
        except discord.NotFound as error:
            if error.code == _UNKNOWN_EMOJI and not isinstance(reaction.emoji, str):
                return {}  # the custom emoji was deleted, and the reactions with it
            raise
        found |= {user.id: user.name for user in page if not user.is_bot}
        known, seen = len(seen), seen | {user.id for user in page}
        if len(page) < PAGE or len(seen) == known:
            return found


class _User(NamedTuple):
    id: int
    name: str
    is_bot: bool


async def _page(
    bot: ThreadBot,
    posting: Posting,
    reaction: discord.Reaction,
    kind: ReactionKind,
    after: int | None,
) -> list[_User]:
    """One page of the members; ``Reaction.users`` takes some spoiled replies for an empty one."""
    emoji = reaction.emoji
    spelt = emoji if isinstance(emoji, str) else f"{emoji.name}:{emoji.id}"
    reply: object = await bot.http.get_reaction_users(
        posting.channel_id, posting.message_id, spelt, PAGE, after, _TYPES[kind]
    )
    if not isinstance(reply, list):
        raise MalformedReply("a list of users was expected")
    return [_User(int(u["id"]), str(u["username"]), bool(u.get("bot"))) for u in reply]


async def _asked(request: Callable[[], Awaitable[T]]) -> T:
    return await retried(request, "looking at a card", PAUSES)


_UNKNOWN_EMOJI = 10014

_TYPES: dict[ReactionKind, Any] = {ReactionKind.NORMAL: None, ReactionKind.SUPER: 1}
"""How Discord is asked for a kind: normal ones are what it gives anyway."""
