"""*Share*: a private answer is posted for everybody in the channel."""

from __future__ import annotations

from collections import deque

import discord

from bot.client import Interaction, ThreadBot
from bot.i18n import N_, speaking
from bot.i18n import gettext as _
from bot.replies import acknowledge, edit_response, tell
from bot.ui import cards
from bot.ui.answer_buttons import Share
from bot.ui.cards import Card
from cogs.ask.posting_anew import post_anew
from cogs.ask.question import Question
from cogs.ask.responder import Responder
from cogs.channel_context import interaction_context, joined_at
from cogs.keyed_locks import KeyedLocks
from cogs.source_messages import is_there
from cogs.thread import THREAD_GONE

SHARED_BY = N_("shared by {member}")
SHARED = N_("Shared: {link}")
IS_PUBLIC = N_("Everybody here can see this already.")


class Sharing:
    """Posts answers that were private until now."""

    def __init__(self, bot: ThreadBot, responder: Responder):
        self.bot, self.app = bot, bot.app
        self._responder = responder
        self._locks = KeyedLocks()
        self._shared: deque[int] = deque(maxlen=1000)

    async def share(self, item: Share, interaction: Interaction) -> None:
        """Post the answer that a private message of ours shows; that one ends."""
        message = interaction.message
        await acknowledge(interaction)
        if message is None or not message.flags.ephemeral:
            await tell(interaction, _(IS_PUBLIC))
            return
        async with self._locks.at(message.id):
            if message.id not in self._shared:  # else it was pressed twice
                await self._share(item, message, interaction)

    async def _share(self, item: Share, message: discord.Message, interaction: Interaction) -> None:
        context, place = interaction_context(interaction), item.place
        thread = await self.app.answering.serve(place.thread_id, guild_id=context.scope)
        answer = thread.answer(place.answer_id) if thread else None
        if answer is not None and not await is_there(self.bot, answer, context.scope):
            answer = None
        if thread is None or answer is None:
            await tell(interaction, _(THREAD_GONE))
            return
        posting = await self.app.postings.get(message.id)

        async def send(card: Card) -> discord.Message | None:
            self._shared.append(message.id)
            try:
                return await post_anew(message, interaction, card)
            except discord.HTTPException as error:
                if not isinstance(error, discord.DiscordServerError):
                    self._shared.remove(message.id)  # it was refused: the next press tries again
                raise

        others = posting.alternatives if posting else ()
        with speaking(await self.bot.languages.of_reply(interaction, private=False)):
            question = Question(
                text=self.app.learning.question(message.id),
                context=context,
                asker_id=interaction.user.id,
                addressed=True,
                suggests=True,
                send=send,
                note=_note(message, interaction.user),
                joined_at=joined_at(interaction.user),
            )
            shared = await self._responder.post(thread, answer, question, others)
        if shared is None:
            return
        await self.app.postings.forget([message.id])
        self.app.learning.drop([message.id])
        link = _(SHARED).format(link=context.link(shared.id))
        await edit_response(interaction, **Card(content=link).edit_kwargs())


def _note(message: discord.Message, member: discord.abc.User) -> str:
    """Return the small line of a shared card: what the private one says, and who shares it."""
    asked, by = cards.note_of(message.content), _(SHARED_BY).format(member=member.mention)
    return f"{asked} · {by}" if asked else f"-# {by}"
