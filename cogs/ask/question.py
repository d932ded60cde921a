"""A question that somebody asked, wherever: what the responder has to know of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import discord

from bot.services.follow_ups import Followed
from bot.ui import cards
from bot.ui.cards import Card
from cogs.channel_context import ChannelContext

Send = Callable[[Card], Awaitable[discord.Message | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question that somebody asked.

    ``addressed`` means that the bot was asked and must say something;
    ``suggests`` that it may offer threads that it is not sure of. ``send`` posts
    the reply and returns the message, or ``None`` if it could not be posted;
    ``note`` is a line of our own above whatever the reply is. ``own_words`` says
    that the asker wrote the text: nobody teaches what others have said. ``joined_at``
    is when the asker joined the server, if known. ``managed`` says that whoever asked manages
    the server, and is shown how sure the bot is; ``private`` that they alone see the reply.
    Whoever replies calls ``reply``.

    ``message`` is what was written in a channel made for asking, where nobody addressed the
    bot: suggestions are quiet there, and what it has nothing on is marked. ``form_evidence`` is
    what speaks for or against the text being a question, in log-odds. ``another`` returns a
    way to send a second reply, where there may be one. ``once`` says that it needs no answer
    where one stands in the channel already; ``details`` follow a text that is a title.
    ``follows`` is what a reply to a card follows.
    """

    text: str
    context: ChannelContext
    asker_id: int
    addressed: bool
    suggests: bool
    send: Send
    note: str = ""
    own_words: bool = True
    joined_at: datetime | None = None
    managed: bool = False
    private: bool = False
    message: discord.Message | None = None
    form_evidence: float = 0.0
    another: Callable[[], Send] | None = None
    once: bool = False
    details: str = ""
    follows: Followed | None = None
    _replies: list[discord.Message | None] = field(default_factory=list)

    @property
    def replied(self) -> bool:
        """Return whether a reply was made, or may have been: no apology is due under it."""
        return bool(self._replies)

    async def reply(self, card: Card) -> discord.Message | None:
        """Post the reply; ``None`` if it could not be posted. Raises what ``send`` raises."""
        message = await self.send(card)
        self._replies.append(message)
        return message

    async def say(self, words: str) -> None:
        """Reply with a line that is no card."""
        await self.reply(Card(content=cards.noted(self.note, words)))
