"""Votes: reactions as they come, those that came while the bot was away, and buttons."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ThreadBot
from bot.errors import StoreError
from bot.models import SHARED, GuildSettings, Posting, Vote
from bot.replies import acknowledge, edit_response
from bot.ui import cards, items
from bot.ui.cards import Card
from bot.ui.emoji import vote_of
from cogs._pages import show_page
from cogs._rooms import permissions_in, scope_of
from cogs._tallies import Tallies

log = logging.getLogger(__name__)


class Voting(commands.Cog):
    """Counts each member's vote once, wherever they gave it."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.house = bot.house
        self._reconciling: set[int] = set()
        self._tallies = Tallies(bot)

    async def cog_load(self) -> None:
        """Hear the pager's vote buttons."""
        self.bot.on_press(items.CastVote, self.press)

    async def cog_unload(self) -> None:
        """Leave the cards as they are."""
        self._tallies.stop()

    @commands.Cog.listener()
    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        """A member votes."""
        user = event.member or self.bot.get_user(event.user_id)
        value = await self._vote(event)
        if value is None or self._is_bot(event.user_id, user):
            return
        counted = await self.house.voting.react(
            message_id=event.message_id,
            user_id=event.user_id,
            value=value,
            author_handle=user.name if user else None,
        )
        log.debug("reaction on %d by %d: counted %s", event.message_id, event.user_id, counted)
        if counted:
            await self._changed(event.message_id, event.user_id)

    @commands.Cog.listener()
    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        """A member takes a vote back."""
        value = await self._vote(event)
        if value is None or self._is_bot(event.user_id, self.bot.get_user(event.user_id)):
            return
        if await self.house.voting.unreact(
            message_id=event.message_id, user_id=event.user_id, value=value
        ):
            await self._changed(event.message_id, event.user_id)

    @commands.Cog.listener()
    async def on_raw_reaction_clear(self, event: discord.RawReactionClearEvent) -> None:
        """A moderator takes all reactions away, and the votes with them."""
        await self.house.voting.clear(message_id=event.message_id)
        await self._changed(event.message_id)

    @commands.Cog.listener()
    async def on_raw_reaction_clear_emoji(self, event: discord.RawReactionClearEmojiEvent) -> None:
        """A moderator takes all reactions of one emoji away."""
        value = await self._vote(event)
        if value is not None:
            await self.house.voting.clear(message_id=event.message_id, value=value)
            await self._changed(event.message_id)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """A posting is gone; what was voted on it stays."""
        self.house.learning.drop([event.message_id])
        await self.house.postings.forget([event.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Many messages are gone at once."""
        self.house.learning.drop(event.message_ids)
        await self.house.postings.forget(event.message_ids)

    @commands.Cog.listener()
    async def on_shard_ready(self, shard_id: int) -> None:
        """After a start or a new session: see what was voted meanwhile.

        A resumed session needs none of this, since Discord replays its events.
        """
        if shard_id not in self._reconciling:
            self._reconciling.add(shard_id)
            self.bot.spawn(self._reconcile(shard_id), f"reconcile votes of shard {shard_id}")

    @app_commands.command(
        name="forget-me", description="Delete your votes and whatever else I keep about you"
    )
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.allowed_installs(guilds=True, users=True)
    async def forget_me(self, interaction: discord.Interaction[ThreadBot]) -> None:
        """Delete all that is kept about the person who asks for it."""
        await acknowledge(interaction, ephemeral=True, thinking=True)
        count = await self.house.voting.forget_user(interaction.user.id)
        taught = await self.house.learning.forget_user(interaction.user.id)
        votes = "1 vote" if count == 1 else f"{count} votes"
        phrasings = "1 phrasing" if taught == 1 else f"{taught} phrasings"
        await edit_response(
            interaction,
            content=f"Done: {votes} and {phrasings} of yours deleted, and I no longer know which "
            "questions were yours. Reactions that you leave on my messages count again when I "
            "restart, so take those away as well.",
        )

    async def press(
        self, item: items.CastVote, interaction: discord.Interaction[ThreadBot]
    ) -> None:
        """A vote button: the page shows the new tally; a shared page stays as it is."""
        private = interaction.message is not None and interaction.message.flags.ephemeral
        if private:
            await acknowledge(interaction)
        else:
            await acknowledge(interaction, ephemeral=True, thinking=True)
        scope = scope_of(interaction)
        vote = await self.house.voting.press(
            answer_id=item.place.answer_id,
            guild_id=scope,
            user_id=interaction.user.id,
            value=item.value,
            author_handle=interaction.user.name,
        )
        await self.house.learning.pressed(
            answer_id=item.place.answer_id, guild_id=scope, user_id=interaction.user.id
        )
        thread = await self.house.answering.serve(item.place.thread_id, guild_id=scope)
        answer = thread.answer(item.place.answer_id) if thread else None
        said = cards.vote_line(vote, answer.tally if answer else None)
        if not private or thread is None:
            await edit_response(interaction, **Card(content=said).fresh())
            return
        await show_page(interaction, thread, item.place, note=said)

    async def _changed(self, message_id: int, user_id: int | None = None) -> None:
        """A vote on a message has changed, a member's or any: draw it, and learn from it."""
        self._tallies.changed(message_id)
        if user_id is None:
            await self.house.learning.cleared(message_id)
        else:
            await self.house.learning.voted(message_id, user_id)

    async def _vote(
        self, event: discord.RawReactionActionEvent | discord.RawReactionClearEmojiEvent
    ) -> Vote | None:
        settings = await self.house.guilds.settings(event.guild_id or SHARED)
        return vote_of(str(event.emoji), settings)

    def _is_bot(self, user_id: int, user: discord.User | discord.Member | None) -> bool:
        me = self.bot.user
        return (me is not None and user_id == me.id) or (user is not None and user.bot)

    async def _reconcile(self, shard_id: int) -> None:
        """Compare what recent postings show with what is known, newest first.

        One request at a time, and no more postings than the settings say.
        """
        try:
            recent = await self.house.postings.recent(self.house.settings.reconcile_messages)
            mine = [p for p in recent if self._shard_of(p) == shard_id]
            changed = await self._reconcile_all(mine)
        finally:
            self._reconciling.discard(shard_id)
        log.info("shard %d: %d postings looked at, %d votes changed", shard_id, len(mine), changed)

    def _shard_of(self, posting: Posting) -> int:
        return (posting.guild_id >> 22) % (self.bot.shard_count or 1)

    async def _reconcile_all(self, found: Iterable[Posting]) -> int:
        changed = 0
        closed: set[int] = set()  # channels that can't be read: ask there once only
        gone: defaultdict[int, list[int]] = defaultdict(list)
        for posting in found:
            if posting.channel_id in gone:
                gone[posting.channel_id].append(posting.message_id)
            elif posting.channel_id not in closed:
                try:
                    changed += await self._reconcile_one(posting)
                except discord.NotFound as error:
                    if error.code == _UNKNOWN_CHANNEL:
                        gone[posting.channel_id].append(posting.message_id)
                    else:
                        await self.house.postings.forget([posting.message_id])
                except discord.Forbidden:
                    closed.add(posting.channel_id)
                    self.bot.missing(posting.channel_id, "read_message_history")
                except (discord.HTTPException, StoreError) as error:
                    log.warning("message %d can't be looked at: %s", posting.message_id, error)
        await self.house.postings.forget([m for messages in gone.values() for m in messages])
        return changed

    async def _reconcile_one(self, posting: Posting) -> int:
        channel = self.bot.get_partial_messageable(posting.channel_id)
        known = self.bot.get_channel(posting.channel_id)
        guild = self.bot.get_guild(posting.guild_id)
        if known is not None and not permissions_in(known, guild).read_message_history:
            self.bot.missing(posting.channel_id, "read_message_history")
            return 0
        message = await channel.fetch_message(posting.message_id)
        settings = await self.house.guilds.settings(posting.guild_id)
        if _voted_otherwise(message, settings):
            return 0
        shown: defaultdict[int, set[Vote]] = defaultdict(set)
        handles: dict[int, str] = {}
        for reaction in message.reactions:
            value = vote_of(str(reaction.emoji), settings)
            if value is None or reaction.count <= int(reaction.me):
                continue
            async for user in reaction.users():
                if not user.bot:
                    shown[user.id].add(value)
                    handles[user.id] = user.name
        changed = await self.house.voting.reconcile(
            message_id=posting.message_id,
            reactions={user_id: frozenset(values) for user_id, values in shown.items()},
            handles=handles,
        )
        if changed:
            await self._changed(posting.message_id)
            for user_id in (i for i, values in shown.items() if Vote.DOWN in values):
                await self.house.learning.voted(posting.message_id, user_id)
        return changed


_UNKNOWN_CHANNEL = 10003


def _voted_otherwise(message: discord.Message, settings: GuildSettings) -> bool:
    """Whether the message was posted when the guild voted with other emoji.

    The votes on it stay as they were given then: the bot's own reactions show it.
    """
    ours = [vote_of(str(r.emoji), settings) for r in message.reactions if r.me]
    return bool(ours) and all(value is None for value in ours)


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(Voting(bot))
