"""Private cards for helpers: what a change came to, and the parts of a thread to edit."""

from __future__ import annotations

import discord

from bot.curation import Action, Changed, Editable, HistoryEntry, Outcome, Revision
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.ui import limits, text
from bot.ui.cards import Card
from bot.ui.curation_items import MergeInto, PickPart, UndoChange
from bot.ui.history_cards import line_of
from bot.ui.items import NEW_ANSWER, QUESTION, ThreadOption

_DONE = {
    Action.SAVED: N_("Saved, and found from now on: {title}"),
    Action.ADDED: N_("Added, and found from now on: {title}"),
    Action.ANSWERED: N_("Answer added: {title}"),
    Action.EDITED: N_("Edited: {title}"),
    Action.MERGED: N_("Merged, with the answers of both: {title}"),
}

_OUTCOMES = {
    Outcome.OUT: N_("Taken out of the library again: {title}"),
    Outcome.BACK: N_("In the library again: {title}"),
    Outcome.SHARED: N_("As in the shared library again: {title}"),
    Outcome.OWN: N_("Your server's own version again: {title}"),
    Outcome.SPLIT: N_("Two threads again: {title}"),
    Outcome.MERGED: N_("One thread again: {title}"),
    Outcome.UNDONE: N_("Undone; it is as before its last change: {title}"),
    Outcome.REDONE: N_("The undoing is undone; the change is there again: {title}"),
    Outcome.THEN: N_("As it was then: {title}"),
    Outcome.TAKEN_OVER: N_("Taken over from its source: {title}"),
}

MENUS = limits.BUTTON_ROWS
"""Menus of a thread's parts; a message has room for no more."""


def changed_card(changed: Changed, action: Action, *, close: ThreadOption | None = None) -> Card:
    """Return what a helper reads after a change, with *Undo*.

    ``close`` is a thread that asks nearly the same as the one that was saved.
    """
    done = _OUTCOMES[changed.outcome] if action is Action.RESTORED else _DONE[action]
    said = _(done).format(title=_named(changed.title))
    view = discord.ui.View(timeout=None)
    if close is not None:
        asks = _("One thread asks nearly the same: {title}").format(title=_named(close.title))
        said += f"\n{asks}"
        view.add_item(MergeInto(changed.thread_id, close.thread_id))
    view.add_item(UndoChange(changed.thread_id))
    return Card(content=said, view=view)


def parts_card(editable: Editable) -> Card:
    """Return the menus of a thread's parts: its question and its answers, some in each."""
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
    for menu in range(MENUS):
        if some := options[menu * limits.SELECT_OPTIONS :][: limits.SELECT_OPTIONS]:
            view.add_item(PickPart(editable.thread_id, some, menu=menu))
    left = text.and_more(len(options) - MENUS * limits.SELECT_OPTIONS)
    return Card(content="\n".join([_named(editable.state.thread.title), *left]), view=view)


def conflict_text(revision: Revision | None) -> str:
    """Return what a helper reads whose edit came after somebody else's."""
    if revision is None:
        who = _("An import has changed this thread meanwhile.")
    else:
        who = _("This thread has changed meanwhile: {change}").format(
            change=line_of(HistoryEntry(revision))
        )
    return who + "\n" + _("Nothing of yours is lost: here is what you wrote. Edit it once more.")


def _named(title: str) -> str:
    return f"**{text.title(title, limits.ASKED)}**"
