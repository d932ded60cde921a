"""The import of an attached file, and the reply that shows its progress and its end."""

from __future__ import annotations

import asyncio
import logging
import time

import discord

from bot.client import Interaction, ThreadBot
from bot.error_replies import report_error
from bot.errors import counted
from bot.i18n import gettext as _
from bot.i18n import ngettext, number
from bot.replies import edit_response
from bot.retry import FAILURES, described
from bot.services.import_pipeline import ImportReport
from bot.services.uploads import Refused, Stopped, Upload
from bot.ui import import_cards
from bot.ui.cards import Card

EVERY = 3.0
"""Seconds between two looks at the reply: Discord lets a message be edited so often."""

log = logging.getLogger(__name__)


class ImportTask:
    """The import of an attached file into a guild's own threads."""

    def __init__(self, bot: ThreadBot, interaction: Interaction, file: discord.Attachment):
        self._bot, self._interaction, self._file = bot, interaction, file
        self._shown_at = 0.0
        self._progress: asyncio.Task[bool] | None = None

    async def run(self, guild_id: int) -> None:
        """Import the file and report the outcome, also a failure."""
        uploads, file = self._bot.app.uploads, self._file
        try:
            if uploads.busy:
                await self._edit(Card(content=_("Another file is being imported; yours is next.")))
            upload = Upload(file.filename, file.size, self._fetch)
            report = await uploads.take_in(guild_id, upload, self._show_progress)
            await self._finish_progress()
        except (Refused, Stopped) as error:
            await self._finish_progress()
            await self._show_report(Card(content=str(error)))
            return
        except Exception as error:
            await self._finish_progress()
            await report_error(self._interaction, error, "library import")
            return
        finally:
            if self._progress is not None:
                self._progress.cancel()  # when the bot is leaving; it has ended otherwise
        log.info("guild %d: imported %d threads", guild_id, report.total)
        await self._show_report(_summary(file.filename, report))

    async def _fetch(self) -> bytes:
        try:
            return await self._file.read()
        except FAILURES as error:
            log.warning("an attachment can't be had: %s", error)
            said = _("Discord doesn't give me that file. Please send it again.")
            raise Refused(said) from None

    def _show_progress(self, done: int, total: int) -> None:
        """Show the progress, unless it was shown a moment ago."""
        editing = self._progress is not None and not self._progress.done()
        if editing or time.monotonic() - self._shown_at < EVERY:
            return
        self._shown_at = time.monotonic()
        card = Card(content=import_cards.progress_line(self._file.filename, done, total))
        self._progress = asyncio.create_task(self._edit(card))

    async def _finish_progress(self) -> None:
        """Wait for the last progress edit, so that the report comes after it."""
        if self._progress is not None:
            await self._progress

    async def _edit(self, card: Card) -> bool:
        """Show something in the reply; False if Discord doesn't take it (any more)."""
        if self._interaction.is_expired():
            return False
        try:
            await edit_response(self._interaction, **card.edit_kwargs())
        except FAILURES as error:
            log.info("an import's reply can't be edited: %s", described(error))
            return False
        return True

    async def _show_report(self, card: Card) -> None:
        """Show the report; once the reply is out of reach, after 15 min, in a direct message."""
        if await self._edit(card):
            return
        try:
            user = self._interaction.user
            await self._bot.post(user, "a direct message", **card.send_kwargs())
        except FAILURES as error:
            log.info("nobody could be told of an import's end: %s", described(error))


def _summary(name: str, report: ImportReport) -> Card:
    counts = {"added": report.added, "updated": report.updated, "unchanged": report.unchanged}
    # What readers say of a file is as the documentation of the formats has it: in English.
    others = [counted(times, what) for what, times in sorted(report.passed_over.items())]
    others += [_unknown(key, times) for key, times in sorted(report.unknown_keys.items())]
    return import_cards.imported_card(
        name,
        counts,
        import_cards.Remarks(list(map(str, report.rejected)), report.refused),
        import_cards.Remarks(list(map(str, report.warned)), report.warnings),
        import_cards.Remarks(others, len(others)),
        hints=report.hints,
    )


def _unknown(key: str, times: int) -> str:
    said = ngettext("{key} ({count} time)", "{key} ({count} times)", times)
    return said.format(key=key, count=number(times))
