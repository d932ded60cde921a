"""The tally on a card that was voted on, drawn anew, whether its answer is accepted, its buttons.

After a change of its thread, its text as well.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import discord
from discord.ext import tasks

from bot.client import ThreadBot
from bot.errors import ThreadwiseError
from bot.i18n import speaking
from bot.models import Posting
from bot.retry import FAILURES, MalformedReply, described, retried
from bot.ui import card_content, card_updates
from cogs.voting.posted_card import fetch_card

PAUSE = 5.0
"""Seconds between two edits of one message, however many vote meanwhile."""

TRIES = 8
"""How often a tally is tried to be drawn: after 1, 2, 4 … rounds, ten minutes in all."""

LONGEST = 60
"""Rounds between two tries at most."""

log = logging.getLogger(__name__)


class TallyUpdater:
    """Edits cards so that they show what was voted and accepted: at once, then in rounds.

    A tally that could not be drawn for a passing reason stays due. A card that is gone,
    that may not be edited, or is plain text, keeps its tally; the next card shows the
    new one.
    """

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.app = bot.app
        self._due: dict[int, _Due] = {}

    def __len__(self) -> int:
        """Return how many cards wait to be drawn."""
        return len(self._due)

    def changed(self, message_id: int) -> None:
        """The votes on a message have changed, or which answer is accepted, or they may have."""
        self._due[message_id] = _Due()
        if not self._rounds.is_running():
            self._rounds.start()

    def edited(self, message_ids: Sequence[int]) -> None:
        """The threads that these messages show may say something else now."""
        for message_id in message_ids:
            self.changed(message_id)
            self._due[message_id].text = True

    def stop(self) -> None:
        """Draw nothing more."""
        self._rounds.cancel()

    # discord.py's own loop, because its pauses are known to the simulated Discord's clock.
    @tasks.loop(seconds=PAUSE)
    async def _rounds(self) -> None:
        if not self._due:
            self._rounds.stop()
            return
        failed, last = 0, ""
        for message_id, due in list(self._due.items()):
            due.rounds -= 1
            if due.rounds > 0:
                continue
            # What is voted while it is being drawn is due again, as another object.
            failure = await self._try(message_id, text=due.text)
            if self._due.get(message_id) is not due:
                continue
            if failure and due.again():
                failed, last = failed + 1, failure
            else:
                del self._due[message_id]
                if failure:
                    log.warning("message %d: its tally stays as it is: %s", message_id, failure)
        if failed:
            log.warning("%d tallies could not be drawn, they stay due: %s", failed, last)

    async def _try(self, message_id: int, *, text: bool) -> str:
        """Draw a tally; what went wrong if it is worth another try, else the empty string."""
        try:
            await self._draw(message_id, text=text)
        except discord.NotFound:
            return ""  # it was deleted
        except discord.HTTPException as error:
            if error.status >= 500 or error.status == 429:
                return described(error)
            log.warning("message %d: its tally can't be drawn: %s", message_id, described(error))
        except (*FAILURES, ThreadwiseError) as error:
            return described(error)
        return ""

    async def _draw(self, message_id: int, *, text: bool) -> None:
        posting = await self.app.postings.get(message_id)
        if posting is None:
            return
        scope = posting.guild_id
        thread = await self.app.answering.serve(posting.thread_id, guild_id=scope)
        answer = thread.answer(posting.answer_id) if thread else None
        card = await fetch_card(self.bot, posting, pauses=())
        if not card.embeds or (answer is None and not text):
            return
        language = await self.bot.languages.of_guild(self.bot.get_guild(posting.guild_id))
        with speaking(language):
            if answer is not None:
                await card_content.prepare_excerpt(answer, embeds=True)
            view = card_updates.buttons(card.rows, thread, answer)
            if thread is None or answer is None:
                embed = card_updates.gone(card.embeds[0])
            elif text:
                embed = card_updates.rewritten(card.embeds[0], thread, answer)
            else:
                embed = card_updates.updated(card.embeds[0], thread, answer)
        # Somebody may have taken the card back while Discord was asked for it.
        is_drawn = embed is None and view is None
        if not is_drawn and await self.app.postings.get(message_id) == posting:
            await self._edit(posting, embed=embed, view=view)

    async def _edit(self, posting: Posting, **parts: Any) -> None:
        """Edit those parts of a card that are given."""
        channel = self.bot.get_partial_messageable(posting.channel_id)
        message = channel.get_partial_message(posting.message_id)
        given = {name: part for name, part in parts.items() if part is not None}
        nobody = discord.AllowedMentions.none()
        try:
            edit = partial(message.edit, **given, allowed_mentions=nobody)
            await retried(edit, "a tally", pauses=())
        except MalformedReply as error:  # the edit itself was taken
            log.debug("message %d: %s", posting.message_id, error)


@dataclass(slots=True, eq=False)
class _Due:
    """A tally that is to be drawn in so many rounds, and how often that has failed.

    ``text`` says that the answer itself may have changed as well.
    """

    rounds: int = 1
    tries: int = 0
    text: bool = False

    def again(self) -> bool:
        """Put it off, each time for longer; False after the last try."""
        self.tries += 1
        self.rounds = min(2 ** (self.tries - 1), LONGEST)
        return self.tries < TRIES
