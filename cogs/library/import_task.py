"""One import on Discord: the reply that says how far it is, and what came of it."""

from __future__ import annotations

import asyncio
import logging
import time

import discord

from bot.client import NOT_TOLD, ThreadBot, report
from bot.plurals import counted
from bot.replies import edit_response
from bot.retry import described
from bot.services.import_report import ImportReport
from bot.services.uploads import Refused, Stopped, Upload
from bot.ui import library_cards
from bot.ui.cards import Card

EVERY = 3.0
"""Seconds between two looks at the reply: Discord lets a message be edited so often."""

log = logging.getLogger(__name__)


class ImportTask:
    """An attached file on its way into a guild's own threads."""

    def __init__(
        self, bot: ThreadBot, interaction: discord.Interaction[ThreadBot], file: discord.Attachment
    ):
        self._bot, self._interaction, self._file = bot, interaction, file
        self._told_at = 0.0
        self._telling: asyncio.Task[bool] | None = None

    async def run(self, guild_id: int) -> None:
        """Bring it in and say what came of it; what goes wrong is told as well."""
        uploads, file = self._bot.app.uploads, self._file
        try:
            if uploads.busy:
                await self._edit(Card(content="Another file is being imported; yours is next."))
            upload = Upload(file.filename, file.size, self._fetch)
            found = await uploads.take_in(guild_id, upload, self._told)
            await self._settled()
        except (Refused, Stopped) as error:
            await self._settled()
            await self._say(Card(content=str(error)))
            return
        except Exception as error:
            await self._settled()
            await report(self._interaction, error, "library import")
            return
        finally:
            if self._telling is not None:
                self._telling.cancel()  # when the bot is leaving; it has ended otherwise
        log.info("guild %d: imported %d threads", guild_id, found.total)
        await self._say(_summary(file.filename, found))

    async def _fetch(self) -> bytes:
        try:
            return await self._file.read()
        except NOT_TOLD as error:
            log.warning("an attachment can't be had: %s", error)
            raise Refused("Discord doesn't give me that file. Please send it again.") from None

    def _told(self, done: int, total: int) -> None:
        """Show how far it is, unless that was shown a moment ago."""
        telling = self._telling is not None and not self._telling.done()
        if telling or time.monotonic() - self._told_at < EVERY:
            return
        self._told_at = time.monotonic()
        card = Card(content=library_cards.progress_line(self._file.filename, done, total))
        self._telling = asyncio.create_task(self._edit(card))

    async def _settled(self) -> None:
        """Let the last look come before what is said at the end."""
        if self._telling is not None:
            await self._telling

    async def _edit(self, card: Card) -> bool:
        """Show something in the reply; False if Discord doesn't take it (any more)."""
        if self._interaction.is_expired():
            return False
        try:
            await edit_response(self._interaction, **card.edit_kwargs())
        except NOT_TOLD as error:
            log.info("an import's reply can't be edited: %s", described(error))
            return False
        return True

    async def _say(self, card: Card) -> None:
        """Tell the end. After a quarter of an hour the reply is out of reach: then directly."""
        if await self._edit(card):
            return
        try:
            user = self._interaction.user
            await self._bot.post(user, "a direct message", **card.send_kwargs())
        except NOT_TOLD as error:
            log.info("nobody could be told of an import's end: %s", described(error))


def _summary(name: str, found: ImportReport) -> Card:
    counts = {"added": found.added, "updated": found.updated, "unchanged": found.unchanged}
    others = [counted(times, what) for what, times in sorted(found.passed_over.items())]
    others += [
        f"{key} ({counted(times, 'times')})" for key, times in sorted(found.unknown_keys.items())
    ]
    return library_cards.imported_card(
        name,
        counts,
        library_cards.Remarks(list(map(str, found.rejected)), found.refused),
        library_cards.Remarks(list(map(str, found.warned)), found.warnings),
        library_cards.Remarks(others, len(others)),
        hints=found.hints,
    )
