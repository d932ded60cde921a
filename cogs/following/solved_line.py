"""The signs that a post was solved: the forum's tag, and one quiet line below it."""

from __future__ import annotations

import logging
from functools import partial

import discord

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.following import FollowedChannel, FollowedPost
from bot.i18n import N_, speaking
from bot.i18n import gettext as _
from bot.retry import FAILURES, described, retried
from bot.services.post_looks import PostLook
from bot.ui import limits
from bot.ui.cards import Card
from bot.ui.following_cards import solved_line, unsolved_line
from cogs.channel_context import permissions_in

MAX_TAGS = 5
"""Tags that a post can have."""

TAGS_FULL = N_("It has five tags already, so I could not set the one for solved posts.")
CLOSED = N_("It is closed, so I set no tag and wrote nothing there.")
MAY_NOT_TAG = N_("I may not set its tag: I need the permission *Manage Threads*.")

log = logging.getLogger(__name__)


class SolvedLine:
    """Shows below posts that they are solved, or are no longer."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot

    async def show(
        self, thread: discord.Thread, channel: FollowedChannel, seen: PostLook
    ) -> list[str]:
        """Show how a post stands now; return lines on what could not be done.

        An archived post would be opened by a message, and a locked one is meant to stay as it is.
        """
        self.bot.redraw_cards(seen.messages)
        post = seen.now
        was_solved = seen.before is not None and seen.before.solution_id is not None
        if post is None or not seen.is_changed or not (seen.is_solved or was_solved):
            return []
        if thread.archived or thread.locked:
            log.info("post %d is closed: it gets no tag and no line", thread.id)
            return [_(CLOSED)]
        language = await self.bot.languages.of_guild(thread.guild)
        note = await self._set_tag(thread, channel, solved=seen.is_solved)
        with speaking(language):
            notes = [_(note)] if note else []
            if seen.is_solved:
                link = f"{thread.jump_url}/{post.solution_id}"
                card = solved_line(link, notes)
            else:
                card = unsolved_line()
        await self._put(thread, post, card, solved=seen.is_solved)
        return [_(note)] if note else []

    async def _set_tag(
        self, thread: discord.Thread, channel: FollowedChannel, *, solved: bool
    ) -> str | None:
        """Set or take away the tag for solved posts; return why that can't be, in English."""
        forum = thread.parent
        if not isinstance(forum, discord.ForumChannel) or channel.solved_tag is None:
            return None
        tag = discord.utils.get(forum.available_tags, name=channel.solved_tag)
        if tag is None or (tag in thread.applied_tags) == solved:
            return None
        if not permissions_in(thread, thread.guild).manage_threads:
            self.bot.warn_missing_permission(forum.id, "manage_threads")
            return MAY_NOT_TAG
        if solved and len(thread.applied_tags) >= MAX_TAGS:
            return TAGS_FULL
        others = [each for each in thread.applied_tags if each != tag]
        tags = [*others, tag] if solved else others
        try:
            await retried(partial(thread.edit, applied_tags=tags), "a post's tag")
        except FAILURES as error:
            log.warning("post %d: its tag stays as it is: %s", thread.id, described(error))
        return None

    async def _put(
        self, thread: discord.Thread, post: FollowedPost, card: Card, *, solved: bool
    ) -> None:
        """Put the line below a post: in the place of the one that is there, else anew."""
        try:
            if post.note_id is not None and await self._edit(thread, post.note_id, card):
                return
            if not solved:
                return
            if not permissions_in(thread, thread.guild).send_messages_in_threads:
                self.bot.warn_missing_permission(thread.parent_id, "send_messages_in_threads")
                return
            sent = await self.bot.post(thread, "the line below a post", **card.send_kwargs())
            await self.bot.app.followed_posts.note_line(thread.guild.id, thread.id, sent.id)
        except (*FAILURES, StoreError) as error:
            why = described(error)
            log.warning("post %d: the line below it is not up to date: %s", thread.id, why)

    async def _edit(self, thread: discord.Thread, note_id: int, card: Card) -> bool:
        """Edit the line below a post; False if it was deleted."""
        note = thread.get_partial_message(note_id)
        try:
            await retried(partial(note.edit, **card.edit_kwargs()), "the line below a post")
        except discord.NotFound as error:
            if error.code not in limits.GONE_CODES:
                raise
            return False
        return True
