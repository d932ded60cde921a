"""A posted card as Discord shows it: its embed, its emoji, and who has reacted with them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import aiohttp
import discord
from discord.http import Route

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.models import Posting, Reaction, ReactionKind, VoteEmoji
from bot.retry import FAILURES, MalformedReply, retried
from bot.ui.emoji import custom_id, used_on, vote_of

PAUSES = (0.5, 1.0)
"""Seconds between the tries of one request: a card that fails has a back-off of its own."""

FETCH_SECONDS = 10.0
"""Seconds that Discord may take for one reply, lest the other cards of a channel wait for it.

It is a limit of the connection, as discord.py would keep a global rate limit for ever if the
request that waits for its end were cancelled.
"""

PAGE = 100
"""Users that Discord names in one reply."""

log = logging.getLogger(__name__)


class CardVotes(NamedTuple):
    """The votes that stand on a card; ``handles`` are the members' unique names."""

    emoji: VoteEmoji
    reactions: set[Reaction]
    handles: dict[int, str]


class CardReaction(NamedTuple):
    """One emoji under a card, and how many normal and super reactions others gave with it."""

    emoji: str
    by_bot: bool
    others: dict[ReactionKind, int]


class PostedCard(NamedTuple):
    """What a message of the bot shows."""

    embeds: list[discord.Embed]
    reactions: list[CardReaction]


class _User(NamedTuple):
    id: int
    name: str
    is_bot: bool


async def fetch_card(
    bot: ThreadBot, posting: Posting, pauses: Sequence[float] | None = None
) -> PostedCard:
    """Ask Discord what a posting shows, again after each of the pauses (of ``bot.retry``).

    Raises one of ``bot.retry.FAILURES``.
    """

    async def fetch() -> PostedCard:
        message = await _get(bot, posting, "")
        embeds = [discord.Embed.from_dict(embed) for embed in message["embeds"]]
        return PostedCard(embeds, [_reaction(each) for each in message.get("reactions", ())])

    return await retried(fetch, "looking at a card", pauses)


async def fetch_votes(bot: ThreadBot, posting: Posting) -> CardVotes:
    """Ask Discord who has voted on a card; bots are left out.

    Raises one of ``bot.retry.FAILURES``, or StoreError.
    """
    card = await fetch_card(bot, posting, PAUSES)
    votes = CardVotes(await emoji_of(bot, posting, card), set(), {})
    for reaction in card.reactions:
        value = vote_of(reaction.emoji, votes.emoji)
        for kind, count in reaction.others.items():
            if value is not None and count > 0:
                members = await _fetch_members(bot, posting, reaction.emoji, kind)
                votes.reactions.update(Reaction(user_id, value, kind) for user_id in members)
                votes.handles.update(members)
    return votes


async def emoji_of(
    bot: ThreadBot, posting: Posting, card: PostedCard | discord.Message
) -> VoteEmoji:
    """Return what a card was posted with: as recorded, else as the bot's own reactions say.

    Of cards without either the server's emoji are taken.
    """
    if posting.emoji is not None:
        return posting.emoji
    if isinstance(card, discord.Message):
        own = [str(reaction.emoji) for reaction in card.reactions if reaction.me]
    else:
        own = [reaction.emoji for reaction in card.reactions if reaction.by_bot]
    now = (await bot.app.guilds.settings(posting.guild_id)).emoji
    return used_on(own, now, bot.app.settings.guild_defaults.emoji)


async def record_emoji(bot: ThreadBot, posting: Posting) -> None:
    """Look at a card that was posted before emoji were recorded, and record them."""
    used = (await bot.app.guilds.settings(posting.guild_id)).emoji
    try:
        with suppress(discord.Forbidden, discord.NotFound):  # nobody will ever know
            used = await emoji_of(bot, posting, await fetch_card(bot, posting))
        await bot.app.postings.set_emoji(posting.message_id, used)
    except (*FAILURES, StoreError) as error:
        said = "message %d: its emoji are taken to be the server's: %s"
        log.info(said, posting.message_id, error)


async def _fetch_members(
    bot: ThreadBot, posting: Posting, emoji: str, kind: ReactionKind
) -> dict[int, str]:
    """Return the members who reacted with an emoji, and their names, without bots.

    Each page is tried again by itself.
    """
    seen: set[int] = set()
    members: dict[int, str] = {}
    while True:
        # Not only as many as were there: those who came since may push others to the end.
        after = max(seen, default=None)
        try:
            fetch = partial(_fetch_page, bot, posting, emoji, kind, after)
            page = await retried(fetch, "looking at a card", PAUSES)
        except discord.NotFound as error:
            if error.code == _UNKNOWN_EMOJI and custom_id(emoji) is not None:
                return {}  # the custom emoji was deleted, and the reactions with it
            raise
        members |= {user.id: user.name for user in page if not user.is_bot}
        known, seen = len(seen), seen | {user.id for user in page}
        if len(page) < PAGE or len(seen) == known:
            return members


async def _fetch_page(
    bot: ThreadBot, posting: Posting, emoji: str, kind: ReactionKind, after: int | None
) -> list[_User]:
    """Return one page of the members; an object instead of a list is no empty page."""
    params = {"limit": PAGE, "type": int(kind)}
    if after is not None:
        params["after"] = after
    # A custom emoji is spelt ``name:id`` here.
    spelt = emoji.strip("<>").removeprefix("a:").removeprefix(":")
    reply = await _get(bot, posting, "/reactions/{emoji}", params, emoji=spelt)
    if not isinstance(reply, list):
        raise MalformedReply("a list of users was expected")
    return [_User(int(u["id"]), str(u["username"]), bool(u.get("bot"))) for u in reply]


async def _get(
    bot: ThreadBot, posting: Posting, path: str, params: dict[str, int] | None = None, **parts: str
) -> Any:
    """Make one request about a posting's message, with a time limit of its own."""
    ids: dict[str, Any] = {"channel_id": posting.channel_id, "message_id": posting.message_id}
    route = Route("GET", "/channels/{channel_id}/messages/{message_id}" + path, **ids, **parts)
    limit = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    return await bot.http.request(route, params=params, timeout=limit)


def _reaction(found: dict[str, Any]) -> CardReaction:
    supers = found.get("count_details", {}).get("burst", 0)
    normal, by_bot = found["count"] - supers, bool(found["me"])
    others = {
        ReactionKind.NORMAL: normal - by_bot,
        ReactionKind.SUPER: supers - bool(found.get("me_burst")),
    }
    return CardReaction(str(discord.PartialEmoji.from_dict(found["emoji"])), by_bot, others)


_UNKNOWN_EMOJI = 10014
