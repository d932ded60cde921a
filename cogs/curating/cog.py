"""/answer and *Save as answer*: helpers save, add, edit and merge threads, and undo it."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.curation import Action
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import Answer, Thread
from bot.replies import acknowledge, edit_response
from bot.ui import limits
from bot.ui.curation_cards import changed_card, parts_card
from bot.ui.curation_items import (
    MergeInto,
    PickPart,
    PickRevision,
    RestoreRevision,
    TurnHistory,
    UndoChange,
)
from bot.ui.history_cards import history_card, revision_card
from bot.ui.items import QUESTION
from cogs.channel_context import (
    Choices,
    acknowledge_page,
    choice,
    completes_for,
    helps_here,
    scope_of,
)
from cogs.curating import editing, saving
from cogs.curating.forms import (
    TITLE_FIELD,
    Field,
    Form,
    Values,
    body_field,
    tags_field,
    tags_of,
    title_field,
)
from cogs.curating.helpers import only_helpers, thread_named
from cogs.thread import choices


@app_commands.guild_only()
class CuratingCog(commands.GroupCog, name="Curating", group_name="answer"):
    """Lets helpers turn what was said into threads of their server, and mend these."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.curating = bot.app.curating
        self._menu = app_commands.ContextMenu(
            name=app_commands.locale_str(N_("Save as answer")), callback=saving.save_message
        )

    async def cog_load(self) -> None:
        """Register the message menu, and the buttons under what was changed."""
        self._menu.guild_only = True
        self.bot.tree.add_command(self._menu)
        self.bot.on_press(UndoChange, self.press_undo)
        self.bot.on_press(MergeInto, self.press_merge)
        self.bot.on_press(RestoreRevision, self.restore)
        self.bot.on_press(PickRevision, self.look_at)
        self.bot.on_press(PickPart, self.edit_part)
        self.bot.on_press(TurnHistory, self.turn_history)

    async def cog_unload(self) -> None:
        """Take the message menu away."""
        self.bot.tree.remove_command(self._menu.name, type=self._menu.type)

    @app_commands.command(name="add", description=N_("Add a question with its answer"))
    async def add(self, interaction: Interaction) -> None:
        """Open the form of a new thread."""
        await only_helpers(interaction)
        fields = [
            title_field(),
            body_field("body"),
            Field(name="answer", label=_("Answer")),
            tags_field(),
        ]
        await interaction.response.send_modal(Form(_("Add an answer"), fields, self._added))

    @app_commands.command(name="edit", description=N_("Edit a question or one of its answers"))
    @app_commands.describe(
        thread=N_("Words of the question, or its key"),
        file=N_("An edited text that was too long for a form"),
    )
    async def edit(
        self, interaction: Interaction, thread: str, file: discord.Attachment | None = None
    ) -> None:
        """Show the parts of a thread to choose from, or take an edited file."""
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True, thinking=True)
        thread_id = await thread_named(interaction, thread)
        if file is not None:
            await editing.take_file(interaction, thread_id, file)
            return
        editable = await self.curating.editable(scope_of(interaction), thread_id)
        await edit_response(interaction, **parts_card(editable).send_kwargs())

    @app_commands.command(name="merge", description=N_("Make one thread of two"))
    @app_commands.describe(first=N_("One of them"), second=N_("The other one"))
    async def merge(self, interaction: Interaction, first: str, second: str) -> None:
        """Merge two threads into the older one."""
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True, thinking=True)
        both = [await thread_named(interaction, typed) for typed in (first, second)]
        await self._merge(interaction, both[0], both[1])

    @app_commands.command(name="undo", description=N_("Take the last change of a thread back"))
    @app_commands.describe(thread=N_("Words of the question, or its key"))
    async def undo(self, interaction: Interaction, thread: str) -> None:
        """Undo the last change of a thread."""
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True, thinking=True)
        await self._undo(interaction, await thread_named(interaction, thread))

    @app_commands.command(name="history", description=N_("Show who changed what, and undo it"))
    @app_commands.describe(thread=N_("Only what was changed of this thread"))
    async def history(self, interaction: Interaction, thread: str | None = None) -> None:
        """Show the revisions of a thread, or the newest of the server's."""
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True, thinking=True)
        thread_id = None if thread is None else await thread_named(interaction, thread)
        await self._show_history(interaction, thread_id)

    @edit.autocomplete("thread")
    @merge.autocomplete("first")
    @merge.autocomplete("second")
    @completes_for(helps_here)
    async def titles(self, interaction: Interaction, current: str) -> Choices:
        """Complete the titles of threads that the server sees."""
        scope = scope_of(interaction)
        matches = await self.bot.app.answering.complete(
            current, guild_id=scope, limit=limits.CHOICES
        )
        return choices(matches)

    @undo.autocomplete("thread")
    @history.autocomplete("thread")
    @completes_for(helps_here)
    async def changed_titles(self, interaction: Interaction, current: str) -> Choices:
        """Complete the titles of threads that were changed, be they there or not."""
        scope, typed = scope_of(interaction), current.strip()
        changed = await self.bot.app.change_log.titles(scope, typed, limits.CHOICES)
        return [choice(title, f"#{i}") for i, title in changed]

    async def press_undo(self, item: UndoChange, interaction: Interaction) -> None:
        """Undo the last change of a thread."""
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True)
        await self._undo(interaction, item.thread_id)

    async def press_merge(self, item: MergeInto, interaction: Interaction) -> None:
        """Merge a thread that was saved with one that asks nearly the same."""
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True)
        await self._merge(interaction, item.thread_id, item.other_id)

    async def restore(self, item: RestoreRevision, interaction: Interaction) -> None:
        """Make a thread what it was in a revision."""
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True)
        done = await self.curating.restore(
            scope_of(interaction), interaction.user.id, item.revision_id
        )
        self.bot.redraw_cards(done.messages)
        await edit_response(interaction, **changed_card(done, Action.RESTORED).edit_kwargs())

    async def look_at(self, item: PickRevision, interaction: Interaction) -> None:
        """Show a revision."""
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True, thinking=True)
        revision = await self.curating.revision(scope_of(interaction), item.chosen or 0)
        await edit_response(interaction, **revision_card(revision).send_kwargs())

    async def turn_history(self, item: TurnHistory, interaction: Interaction) -> None:
        """Show another page of what was changed."""
        await only_helpers(interaction)
        await acknowledge_page(interaction)
        await self._show_history(interaction, item.thread_id or None, item.page)

    async def edit_part(self, item: PickPart, interaction: Interaction) -> None:
        """Open the form of a part of a thread, or send it as a file."""
        await only_helpers(interaction)
        editable = await self.curating.editable(scope_of(interaction), item.thread_id)
        chosen = QUESTION if item.chosen is None else item.chosen
        await editing.open_form(interaction, editable, chosen)

    async def _added(self, interaction: Interaction, values: Values) -> None:
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True, thinking=True)
        user = interaction.user
        close = await saving.close_thread(interaction, values[TITLE_FIELD])
        thread = Thread(
            key=f"discord:{interaction.channel_id}/{interaction.id}",
            title=values[TITLE_FIELD],
            body=values["body"],
            tags=tags_of(values["tags"]),
            source=f"#{interaction.channel}",
            asked_at=interaction.created_at,
            answers=(
                Answer(
                    key=str(interaction.id),
                    body=values["answer"],
                    accepted=True,
                    author=user.display_name,
                    answered_at=interaction.created_at,
                ),
            ),
        )
        done = await self.curating.add(scope_of(interaction), user.id, thread)
        card = changed_card(done, Action.ADDED, close=close)
        await edit_response(interaction, **card.send_kwargs())

    async def _show_history(
        self, interaction: Interaction, thread_id: int | None, page: int = 0
    ) -> None:
        history = await self.bot.app.change_log.page(scope_of(interaction), thread_id, page)
        card = history_card(history, page, thread_id)
        await edit_response(interaction, **card.edit_kwargs())

    async def _undo(self, interaction: Interaction, thread_id: int) -> None:
        done = await self.curating.undo(scope_of(interaction), interaction.user.id, thread_id)
        self.bot.redraw_cards(done.messages)
        await edit_response(interaction, **changed_card(done, Action.RESTORED).edit_kwargs())

    async def _merge(self, interaction: Interaction, first: int, second: int) -> None:
        done = await self.curating.merge(scope_of(interaction), interaction.user.id, first, second)
        self.bot.redraw_cards(done.messages)
        await edit_response(interaction, **changed_card(done, Action.MERGED).edit_kwargs())


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(CuratingCog(bot))
