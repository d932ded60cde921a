"""/library follow, unfollow and followed: the channels whose solved posts become threads."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.errors import ConfigError, NotFound, StoreError
from bot.following import FollowedChannel, PostState
from bot.i18n import N_, speaking
from bot.i18n import gettext as _
from bot.replies import acknowledge, edit_response
from bot.retry import FAILURES, described, retried
from bot.solutions import is_solved_tag
from bot.ui import limits, setup_page, text
from bot.ui.cards import Card
from bot.ui.following_cards import (
    KEPT_HERE,
    ListedChannel,
    TellInGuidelines,
    followed_card,
    list_card,
    unfollowed_line,
)
from cogs.channel_context import (
    Choices,
    begin_privately,
    choice,
    completes_for_managers,
    only_managers,
    permissions_in,
)

GUIDELINES = 4_096
"""Characters of a forum's guidelines."""

NO_CONTENT = N_(
    "I can't follow a channel: without the message content intent I can't read what is written "
    "there. Whoever hosts me can switch it on in Discord's developer portal."
)
HIDDEN = N_("I can't read {channel}: I need the permissions *{names}* there.")
NO_SUCH_TAG = N_("{channel} has no such tag: **{tag}**\nIt has: {tags}")
NO_TAGS = N_("{channel} has no tags. Leave the tag out.")
NOT_TOLD = N_("I can't tell the members of {channel} that it is followed, so I don't: {why}")
NOT_FOLLOWED = N_("I don't follow that channel.")
TOLD_ALREADY = N_("The guidelines of {channel} say so already.")
TOLD = N_("The guidelines of {channel} say so now.")
TOO_LONG = N_("The guidelines of {channel} have no room for it. This is what they could say:")
MAY_NOT = N_("I may not change {channel}: I need the permission *Manage Channel*. It could say:")

FollowableChannel = discord.ForumChannel | discord.TextChannel

log = logging.getLogger(__name__)


class FollowCommands(commands.Cog):
    """The commands about followed channels, as a part of ``/library``."""

    bot: ThreadBot

    @app_commands.command(
        name="follow", description=N_("Take what is solved in a forum or channel into the library")
    )
    @app_commands.describe(
        channel=N_("A forum, or a channel whose threads are questions"),
        tag=N_("The forum's tag for solved posts"),
        take_by_reactions=N_("Whether a tag and the most liked message are enough"),
        instruct=N_("Whether I tell in each new post how it is marked as solved"),
    )
    async def follow(
        self,
        interaction: Interaction,
        channel: FollowableChannel,
        tag: str | None = None,
        take_by_reactions: bool | None = None,
        instruct: bool | None = None,
    ) -> None:
        """Follow a channel, or change how it is followed."""
        guild = await begin_privately(interaction)
        if not self.bot.intents.message_content:
            raise ConfigError(_(NO_CONTENT))
        check_readable(channel)
        following = self.bot.app.following
        known = await following.channel(guild.id, channel.id)
        wanted = FollowedChannel(
            guild_id=guild.id,
            channel_id=channel.id,
            name=channel.name,
            is_forum=isinstance(channel, discord.ForumChannel),
            followed_by=interaction.user.id,
            # By Discord's clock, as its messages.
            followed_at=known.followed_at if known is not None else interaction.created_at,
            solved_tag=_tag(channel, tag, known),
            take_by_reactions=known is not None and known.take_by_reactions,
            instructs=known is not None and known.instructs,
            notice_id=known.notice_id if known is not None else None,
        )
        if take_by_reactions is not None:
            wanted = replace(wanted, take_by_reactions=take_by_reactions)
        if instruct is not None:
            wanted = replace(wanted, instructs=instruct)
        if not wanted.is_forum and wanted.notice_id is None:
            wanted = replace(wanted, notice_id=await self._tell(channel))
        try:
            await following.follow(wanted)
        except StoreError:
            await self._take_back(wanted, known)
            raise
        settings = await self.bot.app.guilds.settings(guild.id)
        card = followed_card(wanted, settings.solution_emoji, _notes(channel, wanted))
        await edit_response(interaction, **card.send_kwargs())

    @app_commands.command(name="unfollow", description=N_("Take no more from a channel"))
    @app_commands.describe(channel=N_("A channel that is followed"))
    async def unfollow(self, interaction: Interaction, channel: str) -> None:
        """Follow a channel no longer; what came from there stays."""
        guild = await begin_privately(interaction)
        following = self.bot.app.following
        sought = re.sub(r"[<#>]", "", channel.strip())
        known = [
            each
            for each in await following.channels(guild.id)
            if sought in (str(each.channel_id), each.name)
        ]
        if not known:
            raise NotFound(_(NOT_FOLLOWED))
        counts = await following.counts(guild.id)
        await following.unfollow(guild.id, known[0].channel_id)
        await self._take_back(known[0], None)
        solved = counts.get(known[0].channel_id, {}).get(PostState.SOLVED, 0)
        await edit_response(
            interaction, **Card(content=unfollowed_line(known[0], solved)).send_kwargs()
        )

    @app_commands.command(name="followed", description=N_("Show which channels I follow"))
    async def followed(self, interaction: Interaction) -> None:
        """List the followed channels."""
        guild = await begin_privately(interaction)
        counts = await self.bot.app.following.counts(guild.id)
        listed = []
        for each in await self.bot.app.following.channels(guild.id):
            posts = counts.get(each.channel_id, {})
            there = guild.get_channel(each.channel_id)
            listed.append(
                ListedChannel(
                    each,
                    posts.get(PostState.SOLVED, 0),
                    posts.get(PostState.PROPOSED, 0),
                    is_there=there is not None,
                    is_seen=there is not None and not _lacking(there),
                )
            )
        await edit_response(interaction, **list_card(listed).send_kwargs())

    @unfollow.autocomplete("channel")
    @completes_for_managers
    async def followed_names(self, interaction: Interaction, current: str) -> Choices:
        """Complete the names of followed channels."""
        typed = current.casefold().strip(" #")
        return [
            choice(f"#{each.name}", str(each.channel_id))
            for each in await self.bot.app.following.channels(interaction.guild_id or 0)
            if typed in each.name.casefold()
        ][: limits.CHOICES]

    @follow.autocomplete("tag")
    @completes_for_managers
    async def tags(self, interaction: Interaction, current: str) -> Choices:
        """Complete the tags of the forum that was chosen."""
        guild, chosen = interaction.guild, getattr(interaction.namespace, "channel", None)
        forum = guild.get_channel(chosen.id) if guild is not None and chosen is not None else None
        if not isinstance(forum, discord.ForumChannel):
            return []
        typed = current.casefold().strip()
        return [choice(t.name, t.name) for t in forum.available_tags if typed in t.name.casefold()]

    async def tell_in_guidelines(self, item: TellInGuidelines, interaction: Interaction) -> None:
        """Say in a forum's guidelines that its solved posts are kept."""
        only_managers(interaction)
        await acknowledge(interaction, ephemeral=True, thinking=True)
        said = await self._told_in_guidelines(interaction.guild, item.channel_id)
        await edit_response(interaction, **Card(content=said).send_kwargs())

    async def _told_in_guidelines(self, guild: discord.Guild | None, channel_id: int) -> str:
        forum = guild.get_channel(channel_id) if guild is not None else None
        if guild is None or not isinstance(forum, discord.ForumChannel):
            raise NotFound(_(NOT_FOLLOWED))
        if await self.bot.app.following.channel(guild.id, channel_id) is None:
            raise NotFound(_(NOT_FOLLOWED))
        with speaking(await self.bot.languages.of_guild(guild)):
            line = _(KEPT_HERE)
        there = forum.topic or ""
        if line in there:
            return _(TOLD_ALREADY).format(channel=forum.mention)
        longer = f"{there}\n\n{line}".strip()
        quoted = f"\n> {line}"
        if not forum.permissions_for(guild.me).manage_channels:
            return _(MAY_NOT).format(channel=forum.mention) + quoted
        if len(longer.encode("utf-16-le")) // 2 > GUIDELINES:
            return _(TOO_LONG).format(channel=forum.mention) + quoted
        await retried(lambda: forum.edit(topic=longer), "a forum's guidelines")
        return _(TOLD).format(channel=forum.mention)

    async def _tell(self, channel: discord.TextChannel | discord.ForumChannel) -> int:
        """Tell a text channel's members that it is followed; return the message's id."""
        assert isinstance(channel, discord.TextChannel)
        with speaking(await self.bot.languages.of_guild(channel.guild)):
            line = _(KEPT_HERE)
        try:
            return (await self.bot.post(channel, "a notice", content=f"-# {line}")).id
        except FAILURES as error:
            why = described(error)
            raise ConfigError(_(NOT_TOLD).format(channel=channel.mention, why=why)) from None

    async def _take_back(self, channel: FollowedChannel, before: FollowedChannel | None) -> None:
        """Delete the line that told a channel's members, unless it was there ``before``."""
        if channel.notice_id is None or (before is not None and before.notice_id is not None):
            return
        place = self.bot.get_partial_messageable(channel.channel_id)
        try:
            await retried(place.get_partial_message(channel.notice_id).delete, "deleting a notice")
        except FAILURES as error:
            log.info("the notice in channel %d stays: %s", channel.channel_id, described(error))


def _lacking(channel: discord.abc.GuildChannel) -> list[str]:
    """Return the permissions that the bot needs to read a channel's posts and doesn't have."""
    may = permissions_in(channel, channel.guild)
    return [n for n in ("view_channel", "read_message_history") if not getattr(may, n)]


def check_readable(channel: FollowableChannel) -> None:
    """Raise ConfigError for a channel of which the bot may not read the posts."""
    if missing := _lacking(channel):
        names = ", ".join(setup_page.permission_name(name) for name in missing)
        raise ConfigError(_(HIDDEN).format(channel=channel.mention, names=names))


def _tag(
    channel: FollowableChannel, given: str | None, known: FollowedChannel | None
) -> str | None:
    """Return the name of the forum's tag for solved posts: the one that was given, or fits.

    Raises ConfigError.
    """
    tags = channel.available_tags if isinstance(channel, discord.ForumChannel) else ()
    names = [tag.name for tag in tags]
    if given is not None:
        same = [name for name in names if name.casefold() == given.strip().casefold()]
        if same:
            return same[0]
        if not names:
            raise ConfigError(_(NO_TAGS).format(channel=channel.mention))
        shown = ", ".join(text.title(name, limits.FACT) for name in names)
        tag = text.title(given, limits.FACT)
        raise ConfigError(_(NO_SUCH_TAG).format(channel=channel.mention, tag=tag, tags=shown))
    if known is not None and known.solved_tag in names:
        return known.solved_tag
    return next((name for name in names if is_solved_tag(name)), None)


def _notes(channel: FollowableChannel, followed: FollowedChannel) -> list[str]:
    """Return what the bot can't do in a channel that it follows."""
    may, notes = permissions_in(channel, channel.guild), []
    if not may.send_messages_in_threads:
        notes.append(
            _("I may not write in its posts, so nobody reads there that something is kept.")
        )
    if followed.solved_tag and not may.manage_threads:
        notes.append(_("I need the permission *Manage Threads* to set the tag."))
    return notes
