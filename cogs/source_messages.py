"""The messages that answers are made of: looked at before they are shown, followed when changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import discord
from discord.ext import commands

from bot.client import ThreadBot
from bot.curation import AuthorChoice
from bot.errors import ThreadwiseError
from bot.models import StoredAnswer, StoredThread
from bot.retry import FAILURES, described
from bot.ui import limits
from cogs.discord_messages import said_in

WAIT = 1.5
"""Seconds that Discord may take to show a message; somebody waits for the answer."""

log = logging.getLogger(__name__)


async def is_there(bot: ThreadBot, answer: StoredAnswer, scope: int) -> bool:
    """Return whether an answer may be shown: its message, if it is one, was not deleted.

    It is looked at once a day at most; where Discord can't be asked, it is taken to be there. Of
    a followed post, all is looked at afterwards.
    """
    origin = await bot.app.authors.to_look_at(answer.id)
    if origin is None:
        return True
    channel = bot.get_partial_messageable(origin.channel_id, guild_id=scope)
    try:
        message = await asyncio.wait_for(channel.fetch_message(origin.message_id), WAIT)
    except discord.NotFound as error:
        if error.code not in limits.GONE_CODES:
            return True
        bot.redraw_cards(await bot.app.authors.gone(scope, origin.message_id))
        bot.look_at_post(scope, origin.channel_id)
        return False
    except (*FAILURES, TimeoutError) as error:
        log.debug("message %d could not be looked at: %s", origin.message_id, described(error))
        return True
    if _is_deleted_account(message.author) and origin.author_id:
        await bot.app.authors.choose(origin.author_id, AuthorChoice.WITHOUT_NAME)
    if await bot.app.followed_posts.known(scope, origin.channel_id) is not None:
        await bot.app.authors.seen(answer.id)
        bot.look_at_post(scope, origin.channel_id)
        return True
    bot.redraw_cards(await bot.app.authors.looked_at(scope, message.id, said_in(message)))
    return True


async def looked_through(
    bot: ThreadBot,
    thread: StoredThread,
    scope: int,
    shown: Callable[[StoredThread], StoredAnswer | None],
) -> StoredThread | None:
    """Return a thread as it is once the answer that is to be shown of it was looked at.

    If that was deleted, the next one is; ``None`` if nothing of the thread is left.
    """
    for _try in range(len(thread.answers)):
        answer = shown(thread)
        if answer is None or await is_there(bot, answer, scope):
            break
        now = await bot.app.answering.serve(thread.id, guild_id=scope)
        if now is None:
            return None
        thread = now
    return thread


class SourceMessagesCog(commands.Cog, name="SourceMessages"):
    """Follows the messages of the library that are edited or deleted."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.authors = bot.app.authors

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Take an answer out whose message was deleted."""
        await self._deleted(event.guild_id, [event.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Take the answers out whose messages were deleted together."""
        await self._deleted(event.guild_id, sorted(event.message_ids))

    @commands.Cog.listener()
    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Let an answer follow its message; a helper's words stay."""
        if event.guild_id is None or "content" not in event.data:
            return
        try:
            if await self.authors.is_answer(event.guild_id, event.message_id):
                said = said_in(event.message)
                shown = await self.authors.looked_at(event.guild_id, event.message_id, said)
                self.bot.redraw_cards(shown)
        except ThreadwiseError as error:
            log.warning("message %d: its edit is not followed: %s", event.message_id, error)

    async def _deleted(self, guild_id: int | None, message_ids: list[int]) -> None:
        if guild_id is None:
            return
        try:
            for message_id in await self.authors.answers_among(guild_id, message_ids):
                self.bot.redraw_cards(await self.authors.gone(guild_id, message_id))
        except ThreadwiseError as error:
            # It is noticed when the answer is to be shown the next time.
            log.warning("deleted messages are not followed for now: %s", error)


def _is_deleted_account(user: discord.abc.User) -> bool:
    """Return whether Discord shows a user as deleted: it names them by their id, or a number."""
    return user.name.casefold().replace(" ", "_").startswith("deleted_user")


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(SourceMessagesCog(bot))
