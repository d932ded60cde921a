"""Private cards for helpers: what a change came to, a thread's history, the parts to edit."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.curation import Action, Changed, Editable, Revision
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.ui import limits, text
from bot.ui.cards import ANSWER, Card
from bot.ui.curation_items import MergeInto, PickPart, PickRevision, RestoreRevision, UndoChange
from bot.ui.items import NEW_ANSWER, QUESTION, Option

_DONE = {
    Action.SAVED: N_("Saved: {title}. It is found from now on."),
    Action.ADDED: N_("Added: {title}. It is found from now on."),
    Action.ANSWERED: N_("The answer is added to {title}."),
    Action.EDITED: N_("Edited: {title}"),
    Action.MERGED: N_("Merged: {title} has the answers of both now."),
    Action.RESTORED: N_("Done: {title} is as it was."),
}

_MADE = {
    Action.SAVED: N_("saved from a message"),
    Action.ADDED: N_("added"),
    Action.IMPORTED: N_("imported"),
    Action.ANSWERED: N_("an answer added"),
    Action.EDITED: N_("edited"),
    Action.OVERRIDDEN: N_("copied from the shared library"),
    Action.MERGED: N_("merged"),
    Action.RESTORED: N_("undone"),
    Action.SOLVED: N_("solved"),
    Action.REOPENED: N_("reopened"),
    Action.FOLLOWED: N_("changed on Discord"),
}

SHOWN = 10
"""Revisions that a list names; the menu below it has more."""

PREVIEW = 700
"""Characters of one text of a revision that are shown."""


def changed_card(
    changed: Changed, action: Action, *, close: Option | None = None, note: str = ""
) -> Card:
    """Return what a helper reads after a change, with *Undo*.

    ``close`` is a thread that asks nearly the same as the one that was saved.
    """
    said = _(_DONE[action]).format(title=_named(changed.title))
    view = discord.ui.View(timeout=None)
    if close is not None:
        asks = _("{title} asks nearly the same.").format(title=_named(close.title))
        said += f"\n{asks}"
        view.add_item(MergeInto(changed.thread_id, close.thread_id))
    view.add_item(UndoChange(changed.thread_id))
    return Card(content="\n".join(filter(None, (said, note))), view=view)


def parts_card(editable: Editable) -> Card:
    """Return the menu of a thread's parts: its question, and its answers."""
    options = [
        discord.SelectOption(label=_("The question, and its tags"), value=str(QUESTION)),
        discord.SelectOption(label=_("Add an answer"), value=str(NEW_ANSWER)),
    ]
    for number, (answer, answer_id) in enumerate(editable.state.pairs, 1):
        label = _("Answer {number}").format(number=number)
        options.append(
            discord.SelectOption(
                label=label,
                value=str(answer_id),
                description=text.label(answer.body, limits.OPTION_TEXT) or None,
            )
        )
    view = discord.ui.View(timeout=None)
    view.add_item(PickPart(editable.thread_id, options[: limits.SELECT_OPTIONS]))
    return Card(content=_named(editable.state.thread.title), view=view)


def history_card(revisions: Sequence[Revision]) -> Card:
    """Return a list of revisions, newest first, with a menu to look at one; there is one."""
    lines = [_line(revision) for revision in revisions[:SHOWN]]
    options = [
        discord.SelectOption(
            label=text.label(_made(revision), limits.OPTION_TEXT),
            value=str(revision.id),
            description=text.label(revision.state.thread.title, limits.OPTION_TEXT),
        )
        for revision in revisions[: limits.SELECT_OPTIONS]
    ]
    view = discord.ui.View(timeout=None)
    view.add_item(PickRevision(options))
    return Card(content=text.lines(lines, limits.MESSAGE), view=view)


def revision_card(revision: Revision) -> Card:
    """Return a state of a thread, to be put in force again."""
    thread = revision.state.thread
    parts = [text.cut(text.body(thread.body), PREVIEW)] if thread.body else []
    for number, answer in enumerate(thread.answers, 1):
        heading = _("Answer {number}").format(number=number)
        parts.append(f"**{heading}**\n{text.cut(text.body(answer.body), PREVIEW)}")
    if revision.state.retired:
        parts = [_("It was not in this server's own library.")]
    embed = discord.Embed(
        title=text.title(thread.title, limits.EMBED_TITLE),
        description=text.cut("\n\n".join(parts), limits.PAGE_TEXT) or None,
        colour=ANSWER,
    )
    view = discord.ui.View(timeout=None)
    view.add_item(RestoreRevision(revision.id, is_proposed=revision.is_proposed))
    return Card(content=_line(revision), embed=embed, view=view)


def conflict_text(revision: Revision | None) -> str:
    """Return what a helper reads whose edit came after somebody else's."""
    if revision is None:
        who = _("An import has changed this thread meanwhile.")
    else:
        who = _("This thread has changed meanwhile: {change}.").format(change=_line(revision))
    return who + " " + _("Nothing of yours is lost: here is what you wrote. Edit it once more.")


def _line(revision: Revision) -> str:
    when = discord.utils.format_dt(revision.made_at, "R")
    title = _named(revision.state.thread.title)
    made = _made(revision)
    if revision.user_id:
        return f"{when} **{made}**, <@{revision.user_id}>: {title}"
    return f"{when} **{made}**: {title}"


def _made(revision: Revision) -> str:
    if revision.is_proposed:
        return _("the source says something new")
    return _(_MADE[revision.action])


def _named(title: str) -> str:
    return f"**{text.title(title, limits.ASKED)}**"
