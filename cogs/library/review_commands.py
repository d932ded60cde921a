"""/library review: what reactions propose as solutions, for helpers to take or to leave out."""

from __future__ import annotations

import logging

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.errors import Unreachable
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.post_threads import post_link
from bot.posts import Post
from bot.replies import acknowledge, edit_response
from bot.retry import FAILURES, described, retried
from bot.services.post_looks import Wish
from bot.services.post_reader import ChannelGone, ChannelHidden, PostGone
from bot.services.reviewing import Candidate, Proposal, Waiting
from bot.ui import limits, text
from bot.ui.cards import Card
from bot.ui.review_cards import (
    Choice,
    ChooseAnother,
    ReviewPosts,
    SkipProposed,
    TakeProposed,
    nothing_waits_card,
    proposal_card,
)
from cogs.channel_context import acknowledge_page, begin_privately
from cogs.curating.helpers import only_helpers
from cogs.discord_messages import FollowedParent, post_of
from cogs.following.discord_reader import DiscordReader
from cogs.following.post_watch import teach_question

TAKEN = N_("Taken, as the answer from now on: **{title}**")
SKIPPED = N_("Skipped: **{title}**")
NOT_TAKEN = N_("Not taken: that message is not there any more, or its author wants it left out.")
NOT_WAITING = N_("Somebody else has seen to that post already.")
NOT_SHOWN = N_("I can't read {channel}, so its posts wait.")

_UNREAD = (ChannelHidden, ChannelGone, Unreachable)

log = logging.getLogger(__name__)


class ReviewCommands(commands.Cog):
    """The command and the buttons of the review, as a part of ``/library``."""

    bot: ThreadBot

    @app_commands.command(
        name="review", description=N_("Decide which messages solved posts, where I can't tell")
    )
    async def review(self, interaction: Interaction) -> None:
        """Show the first post that waits."""
        guild = await begin_privately(interaction)
        await self._show_next(interaction, guild)

    async def review_posts(self, item: ReviewPosts, interaction: Interaction) -> None:
        """Show the first post that waits, to whoever pressed under a message that all see."""
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True, thinking=True)
        await self._show_next(interaction, _guild(interaction))

    async def take_proposed(self, item: TakeProposed, interaction: Interaction) -> None:
        """Take a message for the solution of its post, and show the next one."""
        await only_helpers(interaction)
        await acknowledge_page(interaction)
        guild = _guild(interaction)
        note = await self._take(guild, item.post_id, item.message_id, interaction.user.id)
        await self._show_next(interaction, guild, note)

    async def skip_proposed(self, item: SkipProposed, interaction: Interaction) -> None:
        """Leave a post out, and show the next one."""
        await only_helpers(interaction)
        await acknowledge_page(interaction)
        guild, reviewing = _guild(interaction), self.bot.app.reviewing
        waiting = await reviewing.find(guild.id, item.post_id)
        note = _(NOT_WAITING)
        if waiting is not None and await reviewing.skip(guild.id, item.post_id):
            note = _(SKIPPED).format(title=text.title(waiting.post.title, limits.ASKED))
        await self._show_next(interaction, guild, note)

    async def choose_another(self, item: ChooseAnother, interaction: Interaction) -> None:
        """Show another message of a post in the place of the proposed one."""
        await only_helpers(interaction)
        await acknowledge_page(interaction)
        guild = _guild(interaction)
        waiting = await self.bot.app.reviewing.find(guild.id, item.post_id)
        card, note = None, _(NOT_WAITING)
        if waiting is not None:
            try:
                card = await self._card(guild, waiting, item.chosen)
                note = _(NOT_TAKEN)
            except _NotShown as error:
                note = str(error)
        if card is None:
            await self._show_next(interaction, guild, note)
        else:
            await edit_response(interaction, **card.edit_kwargs())

    async def _take(self, guild: discord.Guild, post_id: int, message_id: int, user_id: int) -> str:
        """Take a message for the solution of a post; return what is said of it."""
        waiting = await self.bot.app.reviewing.find(guild.id, post_id)
        if waiting is None:
            return _(NOT_WAITING)
        wish = Wish(user_id=user_id, marked=message_id)
        try:
            reader, post = await self._open(guild, waiting)
            seen = await self.bot.app.followed_posts.look(waiting.channel, reader, post, wish)
        except _NotShown as error:
            return str(error)
        except PostGone:
            await self._drop(waiting)
            return _(NOT_TAKEN)
        except _UNREAD as error:
            return str(_not_shown(waiting, error))
        self.bot.redraw_cards(seen.messages)
        await teach_question(self.bot, waiting.channel, seen)
        if seen.now is None or seen.now.solution_id != message_id or not seen.is_solved:
            return _(NOT_TAKEN)
        return _(TAKEN).format(title=text.title(post.title, limits.ASKED))

    async def _show_next(
        self, interaction: Interaction, guild: discord.Guild, note: str = ""
    ) -> None:
        """Show the first post that waits and can be read, below a note."""
        notes = [note]
        for waiting in await self.bot.app.reviewing.waiting(guild.id):
            try:
                card = await self._card(guild, waiting, note=_joined(notes))
            except _NotShown as error:
                notes += [] if str(error) in notes else [str(error)]
                continue
            if card is not None:
                await edit_response(interaction, **card.edit_kwargs())
                return
        card = nothing_waits_card(_joined(notes))
        await edit_response(interaction, **card.edit_kwargs())

    async def _card(
        self, guild: discord.Guild, waiting: Waiting, chosen: int | None = None, note: str = ""
    ) -> Card | None:
        """Return the card of a post; ``None`` if there is nothing to show of it (any more)."""
        reviewing = self.bot.app.reviewing
        reader, post = await self._open(guild, waiting)
        try:
            proposal = await reviewing.proposal(waiting, reader, post, chosen)
            if proposal is None and chosen is None:  # what was proposed is gone: what is there now?
                await self.bot.app.followed_posts.look(waiting.channel, reader, post)
                again = await reviewing.find(guild.id, post.id)
                if again is not None:
                    proposal = await reviewing.proposal(again, reader, post)
        except PostGone:
            await self._drop(waiting)
            return None
        except _UNREAD as error:
            raise _not_shown(waiting, error) from None
        if proposal is None:
            return None
        return _shown(proposal, await reviewing.count(guild.id), note)

    async def _open(self, guild: discord.Guild, waiting: Waiting) -> tuple[DiscordReader, Post]:
        """Return what reads a post's channel, and the post as it is now.

        Raises _NotShown where that can't be read just now.
        """
        parent = guild.get_channel(waiting.channel.channel_id)
        if not isinstance(parent, FollowedParent):
            raise _not_shown(waiting)
        post_id = waiting.post.post_id
        thread: object = guild.get_thread(post_id)
        if thread is None:
            try:
                thread = await retried(lambda: guild.fetch_channel(post_id), "looking at a post")
            except discord.NotFound as error:
                if error.code in limits.GONE_CODES:
                    await self._drop(waiting)
                raise _not_shown(waiting, described(error)) from None
            except (*FAILURES, discord.InvalidData) as error:
                raise _not_shown(waiting, described(error)) from None
        if not isinstance(thread, discord.Thread) or thread.parent_id != parent.id:
            raise _not_shown(waiting)
        return DiscordReader(self.bot, parent), post_of(thread, parent)

    async def _drop(self, waiting: Waiting) -> None:
        """Forget a post that was deleted."""
        post = waiting.post
        await self.bot.app.followed_posts.gone(post.guild_id, post.post_id)


class _NotShown(Exception):
    """A post can't be shown just now; the text says so to people."""


def _not_shown(waiting: Waiting, why: object = None) -> _NotShown:
    post = waiting.post
    log.info("guild %d: post %d can't be shown: %s", post.guild_id, post.post_id, why or "moved")
    return _NotShown(_(NOT_SHOWN).format(channel=f"<#{waiting.channel.channel_id}>"))


def _guild(interaction: Interaction) -> discord.Guild:
    if interaction.guild is None:
        raise app_commands.NoPrivateMessage
    return interaction.guild


def _joined(notes: list[str]) -> str:
    return "\n".join(filter(None, notes))


def _shown(proposal: Proposal, waiting: int, note: str) -> Card:
    post = proposal.post
    return proposal_card(
        post.id,
        post.title,
        post_link(post),
        proposal.question,
        _choice(proposal.proposed),
        [_choice(each) for each in proposal.others],
        waiting=waiting,
        channel=post.channel,
        note=note,
    )


def _choice(candidate: Candidate) -> Choice:
    return Choice(candidate.message_id, candidate.author, candidate.text, candidate.likes)
