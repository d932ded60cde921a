"""Helpers accept answers in the pager, and take that back; the cards that show them follow."""

from __future__ import annotations

import logging

from bot.client import Interaction, ThreadBot
from bot.errors import NotFound, StoreError
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.replies import edit_response, tell
from bot.ui.answer_buttons import Accept
from bot.ui.cards import Card
from cogs.channel_context import accepts_here, acknowledge_page, scope_of
from cogs.thread import THREAD_GONE, show_page
from cogs.voting.tally_updater import TallyUpdater

NOT_A_HELPER = N_("Only helpers of this server can accept an answer.")
NOT_SAVED = N_("That is not saved: I could not write it down just now. Please try again.")

log = logging.getLogger(__name__)


class Acceptance:
    """Handles presses of *Accept* and *Take acceptance back*."""

    def __init__(self, bot: ThreadBot, tallies: TallyUpdater):
        self.app, self._tallies = bot.app, tallies

    async def press(self, item: Accept, interaction: Interaction) -> None:
        """Accept an answer in this server, or take that back, and show the page as it is then."""
        private = await acknowledge_page(interaction)
        try:
            thread_id = await self.app.accepting.thread_of(item.place.answer_id)
            helps = await accepts_here(interaction, thread_id)
            said = await self._write(item, interaction) if helps else _(NOT_A_HELPER)
        except NotFound as error:
            said = str(error)
        except StoreError as error:
            log.warning("an acceptance is not saved: %s", error)
            await tell(interaction, _(NOT_SAVED))
            return
        scope = scope_of(interaction)
        thread = await self.app.answering.serve(item.place.thread_id, guild_id=scope)
        if thread is None:
            await edit_response(interaction, **Card(content=_(THREAD_GONE)).edit_kwargs())
        elif private:
            if helps and not item.back and thread.answers[0].id != item.place.answer_id:
                said += " " + _("Another answer still comes first here, by its votes.")
            await show_page(interaction, thread, item.place, note=said)
        else:
            await edit_response(interaction, **Card(content=said).send_kwargs())

    async def _write(self, item: Accept, interaction: Interaction) -> str:
        """Write what was pressed, have the cards drawn anew, and return what to say."""
        scope, answer_id = scope_of(interaction), item.place.answer_id
        if item.back:
            shown = await self.app.accepting.withdraw(scope, answer_id)
            said = _("Taken back: what the thread's source accepts holds here again.")
        else:
            shown = await self.app.accepting.accept(scope, answer_id, interaction.user.id)
            said = _("This is the accepted answer on this server now.")
        for message_id in shown:
            self._tallies.changed(message_id)
        log.info("guild %d: a helper pressed %s", scope, item.custom_id)
        return said
