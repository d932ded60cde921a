"""/library: a server's own threads, for people with Manage Server."""

from __future__ import annotations

import io
import logging
import re
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.errors import ConfigError, NotFound
from bot.i18n import N_, ngettext, number
from bot.i18n import gettext as _
from bot.replies import acknowledge, edit_pressed, edit_response
from bot.services.guild_library import UNDO, Plan, Removal, Target
from bot.ui import facts, limits, moderator_cards
from bot.ui.backfill_cards import StopBackfill
from bot.ui.cards import Card
from bot.ui.following_cards import TellInGuidelines
from bot.ui.moderator_cards import BringBack, KeepThem, RemoveThese
from bot.ui.review_cards import ChooseAnother, ReviewPosts, SkipProposed, TakeProposed
from cogs.channel_context import (
    Choices,
    begin_privately,
    choice,
    completes_for_managers,
    only_managers,
)
from cogs.curating.helpers import only_helpers
from cogs.library.backfill_commands import BackfillCommands
from cogs.library.follow_commands import FollowCommands
from cogs.library.import_task import ImportTask
from cogs.library.review_commands import ReviewCommands

ONE_OF_THEM = N_("Name either a `thread` or a `source`.")
NOTHING_REMOVED = N_("Nothing was removed within a day.")
KEPT = N_("Nothing was removed.")

log = logging.getLogger(__name__)


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class LibraryCog(
    FollowCommands,
    BackfillCommands,
    ReviewCommands,
    commands.GroupCog,
    name="Library",
    group_name="library",
):
    """Lets moderators bring in threads that only their server has, and take them out."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.app = bot.app
        self.guild_library = bot.app.guild_library

    async def cog_load(self) -> None:
        """Register the buttons under the question that is asked before removing."""
        self.bot.on_press(RemoveThese, self.remove_these)
        self.bot.on_press(KeepThem, self.keep)
        self.bot.on_press(BringBack, self.bring_back)
        self.bot.on_press(TellInGuidelines, self.tell_in_guidelines)
        self.bot.on_press(StopBackfill, self.stop_backfill)
        self.bot.on_press(ReviewPosts, self.review_posts)
        self.bot.on_press(TakeProposed, self.take_proposed)
        self.bot.on_press(SkipProposed, self.skip_proposed)
        self.bot.on_press(ChooseAnother, self.choose_another)

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Admit people with Manage Server only, and helpers to the review.

        Autocomplete and buttons check this themselves.
        """
        if interaction.command is not None and interaction.command.name == "review":
            return await only_helpers(interaction)
        return only_managers(interaction)

    @app_commands.command(
        name="import", description=N_("Bring in threads for this server from a file")
    )
    @app_commands.describe(file=N_("Threads in one of the forms that the documentation shows"))
    async def import_(self, interaction: Interaction, file: discord.Attachment) -> None:
        """Bring in a file's threads. It may take longer than Discord waits for a command."""
        guild = await begin_privately(interaction)
        task = ImportTask(self.bot, interaction, file)
        self.bot.spawn(task.run(guild.id), f"import into guild {guild.id}")

    @app_commands.command(name="export", description=N_("Get this server's own threads as a file"))
    async def export(self, interaction: Interaction) -> None:
        """Send the file, if Discord takes one of its size."""
        guild = await begin_privately(interaction)
        exported = await self.guild_library.export(guild.id, interaction.filesize_limit)
        if exported is None:
            await edit_response(interaction, content=_too_large(interaction, guild.id))
            return
        said = _("{threads}, as `/library import` reads them.").format(
            threads=facts.threads_counted(exported.threads)
        )
        data, name = exported.data, exported.name

        def parts() -> dict[str, Any]:
            return {"content": said, "attachments": [discord.File(io.BytesIO(data), name)]}

        await edit_response(interaction, parts)

    @app_commands.command(name="stats", description=N_("Show how much I know here, and from where"))
    async def stats(self, interaction: Interaction) -> None:
        """Show the library in figures."""
        guild = await begin_privately(interaction)
        figures = await self.guild_library.stats(guild.id)
        last = await self.app.uploads.last(guild.id)
        own, shared = figures.own, figures.shared
        card = moderator_cards.figures_card(
            [
                (_("This server's own"), own.threads, own.answers, own.accepted),
                (_("Shared by all"), shared.threads, shared.answers, shared.accepted),
            ],
            figures.votes,
            figures.phrasings,
            [(s.name, s.threads, s.scope != guild.id) for s in figures.sources],
            (last.name, last.at) if last else None,
        )
        await edit_response(interaction, **card.send_kwargs())

    @app_commands.command(name="remove", description=N_("Take a thread, or all of a source, out"))
    @app_commands.describe(
        thread=N_("One of this server's own threads"), source=N_("All from there")
    )
    async def remove(
        self, interaction: Interaction, thread: str | None = None, source: str | None = None
    ) -> None:
        """Say what would be removed, and ask."""
        guild = await begin_privately(interaction)
        if (thread is None) == (source is None):
            raise ConfigError(_(ONE_OF_THEM))
        if thread is not None:
            target = await self.guild_library.find(guild.id, _number(thread))
        else:
            target = await self.guild_library.find_source(guild.id, _number(source or ""))
        card = _asked(await self.guild_library.plan(guild.id, target))
        await edit_response(interaction, **card.send_kwargs())

    @app_commands.command(
        name="restore", description=N_("Bring back what was removed within a day")
    )
    @app_commands.describe(removal=N_("Which; without it, the latest"))
    async def restore(self, interaction: Interaction, removal: str | None = None) -> None:
        """Undo a removal."""
        guild = await begin_privately(interaction)
        removals = await self.guild_library.removals(guild.id)
        wanted = [r for r in removals if removal is None or removal.strip() in _names(r)]
        if not wanted:
            raise NotFound(_(NOTHING_REMOVED))
        await self._restore(interaction, guild.id, wanted[0].moment)

    async def remove_these(self, item: RemoveThese, interaction: Interaction) -> None:
        """Remove what was asked about; ask again if that has become another number."""
        only_managers(interaction)
        await acknowledge(interaction)
        guild_id = interaction.guild_id or 0
        target = Target(item.thread_id, item.whole_source)
        plan = await self.guild_library.plan(guild_id, target)
        card = _asked(plan)
        if plan.threads == item.count:
            gone = await self.guild_library.remove(guild_id, target)
            until = gone.at + UNDO
            card = moderator_cards.removed_card(_name(gone), gone.threads, gone.moment, until)
        await edit_response(interaction, **card.edit_kwargs())

    async def keep(self, item: KeepThem, interaction: Interaction) -> None:
        """Leave everything as it is."""
        await edit_pressed(interaction, **Card(content=_(KEPT)).edit_kwargs())

    async def bring_back(self, item: BringBack, interaction: Interaction) -> None:
        """Undo the removal that the button belongs to."""
        only_managers(interaction)
        await acknowledge(interaction)
        await self._restore(interaction, interaction.guild_id or 0, item.moment)

    async def _restore(self, interaction: Interaction, guild_id: int, moment: int) -> None:
        count = await self.guild_library.restore(guild_id, moment)
        said = ngettext(
            "Back again: {count} thread, with the votes.",
            "Back again: {count} threads, with the votes.",
            count,
        ).format(count=number(count))
        await edit_response(interaction, **Card(content=said).edit_kwargs())

    @remove.autocomplete("thread")
    @completes_for_managers
    async def threads(self, interaction: Interaction, current: str) -> Choices:
        """Complete the titles of this server's own threads."""
        matches = await self.app.answering.complete(
            current, guild_id=interaction.guild_id or 0, limit=limits.CHOICES, own=True
        )
        return [choice(match.title, f"#{match.thread_id}") for match in matches]

    @remove.autocomplete("source")
    @completes_for_managers
    async def sources(self, interaction: Interaction, current: str) -> Choices:
        """Complete this server's own sources, with how many threads they have."""
        sources = await self.guild_library.sources(interaction.guild_id or 0, current)
        return [
            choice(s.name or "", f"#{s.first_id}", f" ({facts.threads_counted(s.threads)})")
            for s in sources[: limits.CHOICES]
        ]

    @restore.autocomplete("removal")
    @completes_for_managers
    async def removals(self, interaction: Interaction, current: str) -> Choices:
        """Complete what can be brought back, newest first."""
        typed = current.casefold().strip()
        return [
            choice(_name(r), str(r.moment), _size_and_time(r))
            for r in await self.guild_library.removals(interaction.guild_id or 0)
            if typed in _name(r).casefold()
        ][: limits.CHOICES]


def _asked(plan: Plan) -> Card:
    target = plan.target
    button = RemoveThese(target.thread_id, plan.threads, whole_source=target.whole_source)
    return moderator_cards.removal_card(plan.name, plan.threads, plan.votes, button)


def _name(removal: Removal) -> str:
    """Return the name of a removal: of its thread or, if it was of more, of their source."""
    return removal.title if removal.threads == 1 or not removal.source else removal.source


def _names(removal: Removal) -> set[str]:
    return {str(removal.moment), _name(removal)}


def _size_and_time(removal: Removal) -> str:
    return f" ({facts.threads_counted(removal.threads)}, {removal.at:%H:%M} UTC)"


def _number(value: str) -> str | int:
    """Return the id that autocomplete gave as ``#`` and digits, or the name that was typed."""
    by_id = re.fullmatch(r"#(\d{1,18})", value.strip())
    return int(by_id[1]) if by_id else value.strip()


def _too_large(interaction: Interaction, guild_id: int) -> str:
    megabytes = interaction.filesize_limit // 1024**2
    said = _(
        "This server's own threads take more than the {megabytes} MB that I may send here. "
        "Whoever hosts me can get them with"
    ).format(megabytes=megabytes)
    return f"{said}\n```\nthreadwise export --guild {guild_id} library.jsonl.gz\n```"


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(LibraryCog(bot))
