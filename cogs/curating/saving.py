"""*Save as answer*: a message that answers somebody becomes a thread of the server's own."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import discord

from bot.client import Interaction
from bot.curation import Action, AuthorChoice, Origin
from bot.errors import NotAccepted, NotFound, StoreError
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import Answer, Thread, Verdict
from bot.replies import acknowledge, edit_response, tell
from bot.ui import limits, text
from bot.ui.curation_cards import changed_card
from bot.ui.items import ThreadOption
from cogs.channel_context import scope_of
from cogs.curating.forms import (
    LONGEST,
    LONGEST_TITLE,
    TITLE_FIELD,
    Field,
    Form,
    Values,
    body_field,
    fits,
    tags_field,
    tags_of,
    title_field,
)
from cogs.curating.helpers import only_helpers
from cogs.discord_messages import message_of, said_in

WAIT = 1.5
"""Seconds that the replied-to message is waited for: the form must be there within three."""

MINE = N_("That is one of my own messages: what it shows is in the library already.")
ASKER_LEFT_OUT = N_(
    "Whoever asked that has asked me meanwhile to keep nothing of theirs. I have saved nothing; "
    "open the form once more to write the question in your own words."
)
DELETED = N_("That message was deleted meanwhile. I have saved nothing.")
LEFT_OUT = N_("Whoever wrote that message asked me to keep nothing of theirs.")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The question that a message answers: its title, the rest of it, and its message.

    ``words`` are those that were asked; in a post they stand below its title.
    """

    title: str = ""
    words: str = ""
    has_title: bool = False
    body: str = ""
    origin: Origin | None = None
    author: str | None = None
    url: str | None = None
    asked_at: datetime | None = None


async def save_message(interaction: Interaction, message: discord.Message) -> None:
    """Open the form in which a message is saved as an answer. Raises what the person is told by."""
    await only_helpers(interaction)
    if message.author == interaction.client.user:
        await tell(interaction, _(MINE))
        return
    if await _choice(interaction, message.author.id) is AuthorChoice.LEAVE_OUT:
        await tell(interaction, _(LEFT_OUT))
        return
    asked = Asked()
    with suppress(TimeoutError, discord.HTTPException):
        asked = await asyncio.wait_for(_asked(message), WAIT)
    if asked.origin is not None:
        asked = _as_wished(asked, await _choice(interaction, asked.origin.author_id))
    await interaction.response.send_modal(_form(message, asked))


def _as_wished(asked: Asked, choice: AuthorChoice | None) -> Asked:
    """Return a question as its author wants it kept; of one who wants nothing kept, nothing."""
    if choice is AuthorChoice.LEAVE_OUT:
        return Asked()
    return asked if choice is None else replace(asked, author=None)


def _form(message: discord.Message, asked: Asked) -> Form:
    async def done(interaction: Interaction, values: Values) -> None:
        await _save(interaction, message, asked, values)

    said = said_in(message)
    shown = said if fits(said) else text.cut(said, LONGEST)
    return Form(
        _("Save as answer"),
        [
            title_field(asked.title),
            body_field("body", text.cut(asked.body, LONGEST)),
            Field(name="answer", label=_("Answer"), value=shown),
            tags_field(),
        ],
        done,
    )


async def _save(
    interaction: Interaction, message: discord.Message, asked: Asked, values: Values
) -> None:
    await only_helpers(interaction)
    await acknowledge(interaction, ephemeral=True, thinking=True)
    if await _is_deleted(message):
        raise NotFound(_(DELETED))
    choice = await _choice(interaction, message.author.id)
    if choice is AuthorChoice.LEAVE_OUT:
        raise NotAccepted(_(LEFT_OUT))
    if asked.origin is not None:
        asker_choice = await _choice(interaction, asked.origin.author_id)
        if asker_choice is AuthorChoice.LEAVE_OUT:
            raise NotAccepted(_(ASKER_LEFT_OUT))
        asked = _as_wished(asked, asker_choice)
    scope, app = scope_of(interaction), interaction.client.app
    close = await close_thread(interaction, values[TITLE_FIELD])
    thread = _thread(message, asked, values, named=choice is None)
    done = await app.curating.add(
        scope,
        interaction.user.id,
        thread,
        Action.SAVED,
        question=asked.origin,
        answers={str(message.id): origin_of(message)},
    )
    await _teach(interaction, done.thread_id, asked)
    if close is not None and close.thread_id == done.thread_id:
        close = None
    card = changed_card(done, Action.SAVED, close=close)
    await edit_response(interaction, **card.send_kwargs())


async def _teach(interaction: Interaction, thread_id: int, asked: Asked) -> None:
    """Teach the words in which a saved question was asked."""
    if asked.origin is None or not asked.words:
        return
    author_id, message_id = asked.origin.author_id, asked.origin.message_id
    teach, scope = interaction.client.app.learning.teach, scope_of(interaction)
    try:
        await teach(scope, thread_id, asked.words, author_id, message_id, has_title=asked.has_title)
    except StoreError as error:
        log.warning("message %d: its question teaches nothing: %s", message_id, error)


def _thread(message: discord.Message, asked: Asked, values: Values, *, named: bool) -> Thread:
    answer = Answer(
        key=str(message.id),
        body=values["answer"],
        accepted=True,
        author=message.author.display_name if named else None,
        url=message.jump_url,
        answered_at=message.created_at,
    )
    return Thread(
        key=f"discord:{message.channel.id}/{message.id}/saved",
        title=values[TITLE_FIELD],
        body=values["body"],
        tags=tags_of(values["tags"]),
        url=asked.url or message.jump_url,
        author=asked.author,
        asked_at=asked.asked_at,
        source=f"#{message.channel}",
        answers=(answer,),
    )


async def _asked(message: discord.Message) -> Asked:
    """Return the question that a message answers, if it is a reply or stands in a forum post."""
    question = await _replied_to(message)
    channel = message.channel
    in_post = isinstance(channel, discord.Thread)
    if question is None and in_post:
        question = await channel.fetch_message(channel.id)
    if question is None or question.id == message.id:
        return Asked(title=channel.name) if isinstance(channel, discord.Thread) else Asked()
    words, said = said_in(question, files=False), said_in(question)
    has_title = isinstance(channel, discord.Thread) and question.id == channel.id
    if isinstance(channel, discord.Thread) and has_title:
        title, body = channel.name, said
    else:
        title = text.heading(words or said, LONGEST_TITLE)
        is_whole = text.one_line(words) == title
        body = said.removeprefix(words).strip() if is_whole else said
    return Asked(
        title=title,
        body=body,
        words=message_of(question).content,
        has_title=has_title,
        origin=origin_of(question),
        author=question.author.display_name,
        url=question.jump_url,
        asked_at=question.created_at,
    )


async def _replied_to(message: discord.Message) -> discord.Message | None:
    reference = message.reference
    if reference is None or reference.type is not discord.MessageReferenceType.reply:
        return None
    if isinstance(reference.resolved, discord.Message):
        return reference.resolved
    if reference.message_id is None or isinstance(
        reference.resolved, discord.DeletedReferencedMessage
    ):
        return None
    return await message.channel.fetch_message(reference.message_id)


async def _is_deleted(message: discord.Message) -> bool:
    """Return whether Discord says that a message is gone; where it can't be asked, it is not."""
    try:
        await message.channel.fetch_message(message.id)
    except discord.NotFound as error:
        return error.code in limits.GONE_CODES
    except discord.HTTPException as error:
        log.info("message %d could not be looked at: %s", message.id, error)
    return False


async def close_thread(interaction: Interaction, question: str) -> ThreadOption | None:
    """Return a thread that a question is answered by, or may be."""
    reply = await interaction.client.app.answering.ask(question, guild_id=scope_of(interaction))
    if reply.verdict is Verdict.NONE or not reply.matches:
        return None
    return ThreadOption(reply.matches[0].thread_id, reply.matches[0].title)


async def _choice(interaction: Interaction, user_id: int) -> AuthorChoice | None:
    return await interaction.client.app.authors.choice(user_id)


def origin_of(message: discord.Message) -> Origin:
    """Return where a message is, and who wrote it."""
    return Origin(channel_id=message.channel.id, message_id=message.id, author_id=message.author.id)
