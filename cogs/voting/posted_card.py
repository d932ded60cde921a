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
from bot.ui import limits
from bot.ui.emoji import custom_id, used_on, vote_of

PAUSES = (0.5, 1.0)
"""Seconds between the tries of one request: a card that fails has a back-off of its own."""

FETCH_SECONDS = 10.0
"""Seconds that Discord may take for one reply, lest the other cards of a channel wait for it.

It is a limit of the connection, as discord.py would keep a global rate limit for ever if the
request that waits for its end were cancelled.
"""

log = logging.getLogger(__name__)


class CardVotes(NamedTuple):
    """The votes that stand on a card, and the emoji that count on it."""

    emoji: VoteEmoji
    reactions: set[Reaction]


class CardReaction(NamedTuple):
    """One emoji under a card, and how many normal and super reactions others gave with it."""

    emoji: str
    by_bot: bool
    others: dict[ReactionKind, int]


class PostedCard(NamedTuple):
    """The embeds, reactions and rows of buttons of a message of the bot."""

    embeds: list[discord.Embed]
    reactions: list[CardReaction]
    rows: list[dict[str, Any]]


async def fetch_card(
    bot: ThreadBot, posting: Posting, pauses: Sequence[float] | None = None
) -> PostedCard:
    """Ask Discord what a posting shows, again after each of the pauses (of ``bot.retry``).

    Raises one of ``bot.retry.FAILURES``.
    """

    async def fetch() -> PostedCard:
        message = await _get(bot, posting, "")
        embeds = [discord.Embed.from_dict(embed) for embed in message["embeds"]]
        reactions = [_reaction(each) for each in message.get("reactions", ())]
        return PostedCard(embeds, reactions, message.get("components", []))

    return await retried(fetch, "looking at a card", pauses)


async def fetch_votes(bot: ThreadBot, posting: Posting) -> CardVotes:
    """Ask Discord who has voted on a card; bots are left out.

    Raises one of ``bot.retry.FAILURES``, or StoreError.
    """
    card = await fetch_card(bot, posting, PAUSES)
    votes = CardVotes(await emoji_of(bot, posting, card), set())
    for reaction in card.reactions:
        value = vote_of(reaction.emoji, votes.emoji)
        for kind, count in reaction.others.items():
            if value is not None and count > 0:
                members = await _fetch_members(bot, posting, reaction.emoji, kind)
                votes.reactions.update(Reaction(user_id, value, kind) for user_id in members)
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
) -> set[int]:
    """Return the members who reacted with an emoji, without bots.

    Each page is tried again by itself.
    """
    seen: dict[int, bool] = {}
    while True:
        # Not only as many as were there: those who came since may push others to the end.
        fetch = partial(_fetch_page, bot, posting, emoji, kind, max(seen, default=None))
        try:
            page = await retried(fetch, "looking at a card", PAUSES)
        except discord.NotFound as error:
            if error.code == limits.UNKNOWN_EMOJI and custom_id(emoji) is not None:
                return set()  # the custom emoji was deleted, and the reactions with it
            raise
        known, seen = len(seen), seen | page
        if len(page) < limits.REACTION_USERS or len(seen) == known:
            return {user_id for user_id, is_bot in seen.items() if not is_bot}


async def _fetch_page(
    bot: ThreadBot, posting: Posting, emoji: str, kind: ReactionKind, after: int | None
) -> dict[int, bool]:
    """Return one page of users by id, each with whether it is a bot."""
    params = {"limit": limits.REACTION_USERS, "type": int(kind)}
    if after is not None:
        params["after"] = after
    # A custom emoji is spelt ``name:id`` here.
    spelt = emoji.strip("<>").removeprefix("a:").removeprefix(":")
    users = await _get(bot, posting, "/reactions/{emoji}", params, emoji=spelt)
    if not isinstance(users, list):  # an object must not be taken for an empty page
        raise MalformedReply("a list of users was expected")
    return {int(user["id"]): bool(user.get("bot")) for user in users}


async def _get(
    bot: ThreadBot, posting: Posting, path: str, params: dict[str, int] | None = None, **parts: str
) -> Any:
    """Make one request about a posting's message, with a time limit of its own."""
    ids: dict[str, Any] = {"channel_id": posting.channel_id, "message_id": posting.message_id}
    route = Route("GET", "/channels/{channel_id}/messages/{message_id}" + path, **ids, **parts)
    limit = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    return await bot.http.request(route, params=params, timeout=limit)


def _reaction(data: dict[str, Any]) -> CardReaction:
    supers = data.get("count_details", {}).get("burst", 0)
    normal, by_bot = data["count"] - supers, bool(data["me"])
    others = {
        ReactionKind.NORMAL: normal - by_bot,
        ReactionKind.SUPER: supers - bool(data.get("me_burst")),
    }
    return CardReaction(str(discord.PartialEmoji.from_dict(data["emoji"])), by_bot, others)
