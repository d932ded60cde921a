"""Forms for the question and each answer of a thread; a longer text is edited as a file."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import discord

from bot.client import Interaction
from bot.curation import Action, Editable, ThreadState
from bot.errors import NotAccepted, NotFound
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import Answer
from bot.replies import acknowledge, edit_response
from bot.services.curating import NO_ANSWER, Conflict, Edit
from bot.ui.cards import Card
from bot.ui.curation_cards import changed_card, conflict_text
from bot.ui.items import NEW_ANSWER, QUESTION
from cogs.channel_context import scope_of
from cogs.curating.forms import (
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

MAX_FILE = 100_000
"""Bytes of a file with an edited text."""

AS_FILE = N_(
    "This text is too long for a form. Here it is as a file: change it, and send it with "
    "`/answer edit`, as its `file`. Leave its name as it is."
)
NOT_TEXT = N_("That file is no text of at most 100 kB in UTF-8. Nothing was changed.")
WHICH_TEXT = N_("I can't tell from its name which text that file is. Leave the name as it was.")

_NAME = re.compile(r"(?P<part>question|answer-(?P<answer>\d{1,18}))-(?P<token>[0-9a-f]{16})\.md")


async def open_form(interaction: Interaction, editable: Editable, part: int) -> None:
    """Open the form of a thread's question (QUESTION) or of an answer, or send the text as a file.

    NEW_ANSWER opens an empty form. Raises NotFound.
    """
    if part == NEW_ANSWER:
        await _open_addition(interaction, editable.thread_id)
        return
    text = _text(editable, part)
    if not fits(text) or not fits(editable.state.thread.title, LONGEST_TITLE):
        await acknowledge(interaction, ephemeral=True, thinking=True)
        await _send_file(interaction, editable, part, _(AS_FILE), text)
        return
    await interaction.response.send_modal(_form(editable, part, text))


async def _open_addition(interaction: Interaction, thread_id: int) -> None:
    """Open the form of one more answer to a thread."""

    async def done(interaction: Interaction, values: Values) -> None:
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True, thinking=True)
        user, client = interaction.user, interaction.client
        answer = Answer(
            key=str(interaction.id),
            body=values["answer"],
            author=user.display_name,
            answered_at=interaction.created_at,
        )
        added = await client.app.curating.add_answer(
            scope_of(interaction), user.id, thread_id, answer
        )
        client.redraw_cards(added.messages)
        await edit_response(interaction, **changed_card(added, Action.ANSWERED).send_kwargs())

    field = Field(name="answer", label=_("Answer"))
    await interaction.response.send_modal(Form(_("Add an answer"), [field], done))


async def take_file(interaction: Interaction, thread_id: int, file: discord.Attachment) -> None:
    """Put the text of a file in place of the one that it was sent for. Raises NotAccepted."""
    name = _NAME.fullmatch(file.filename)
    if name is None:
        raise NotAccepted(_(WHICH_TEXT))
    if file.size > MAX_FILE:
        raise NotAccepted(_(NOT_TEXT))
    try:
        text = (await file.read()).decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise NotAccepted(_(NOT_TEXT)) from None
    part = int(name["answer"]) if name["answer"] else QUESTION
    part = await _own(interaction, part)
    await _edit(interaction, thread_id, _with_text(part, text), name["token"], part, text)


def _form(editable: Editable, part: int, text: str) -> Form:
    async def done(interaction: Interaction, values: Values) -> None:
        await only_helpers(interaction)
        await acknowledge(interaction, ephemeral=True, thinking=True)
        own = await _own(interaction, part)
        edit = _with_question(values) if part == QUESTION else _with_text(own, values["text"])
        await _edit(interaction, editable.thread_id, edit, editable.token, part, values["text"])

    thread = editable.state.thread
    if part != QUESTION:
        hint = _("Leave it empty to take this answer out.")
        field = Field(name="text", label=_("Answer"), value=text, hint=hint, required=False)
        return Form(_("Edit an answer"), [field], done)
    tags = ", ".join(thread.tags)
    fields = [title_field(thread.title), body_field("text", text)]
    if fits(tags, MOST_TAGS):
        fields.append(tags_field(tags, MOST_TAGS))
    return Form(_("Edit the question"), fields, done)


MOST_TAGS = 1_000
"""Characters of all tags in a form; more of them are left as they are."""


async def _edit(
    interaction: Interaction, thread_id: int, edit: Edit, token: str, part: int, text: str
) -> None:
    """Edit a thread; whoever comes second is shown what the first did, and keeps their text."""
    curating, scope = interaction.client.app.curating, scope_of(interaction)
    try:
        done = await curating.edit(scope, interaction.user.id, thread_id, edit, token=token)
    except Conflict as conflict:
        now = await curating.editable(scope, thread_id)
        part = await _own(interaction, part)
        await _send_file(interaction, now, part, conflict_text(conflict.revision), text)
        return
    interaction.client.redraw_cards(done.messages)
    await edit_response(interaction, **changed_card(done, Action.EDITED).send_kwargs())


async def _send_file(
    interaction: Interaction, editable: Editable, part: int, said: str, text: str
) -> None:
    kind = "question" if part == QUESTION else f"answer-{part}"
    name = f"{kind}-{editable.token}.md"

    def parts() -> dict[str, object]:
        file = discord.File(io.BytesIO(text.encode()), name)
        return {**Card(content=said).send_kwargs(), "attachments": [file]}

    await edit_response(interaction, parts)


async def _own(interaction: Interaction, part: int) -> int:
    """Return what an answer of a shared thread is in the server's own version by now."""
    curating = interaction.client.app.curating
    return part and await curating.shown_answer(scope_of(interaction), part)


def _text(editable: Editable, part: int) -> str:
    if part == QUESTION:
        return editable.state.thread.body
    answer = editable.answer(part)
    if answer is None:
        raise NotFound(_(NO_ANSWER))
    return answer.body


def _with_question(values: Values) -> Edit:
    def edit(state: ThreadState) -> ThreadState:
        tags = tags_of(values["tags"]) if "tags" in values else state.thread.tags
        thread = replace(state.thread, title=values[TITLE_FIELD], body=values["text"], tags=tags)
        return replace(state, thread=thread)

    return edit


def _with_text(part: int, text: str) -> Edit:
    """Return what replaces a text of a thread; an answer without text is taken out."""

    def edit(state: ThreadState) -> ThreadState:
        if part == QUESTION:
            return replace(state, thread=replace(state.thread, body=text))
        if part not in state.answer_ids:
            raise NotFound(_(NO_ANSWER))
        if not text:
            return state.without({part})
        return state.with_pairs(
            (replace(answer, body=text) if i == part else answer, i) for answer, i in state.pairs
        )

    return edit
