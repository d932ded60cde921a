"""Private cards of what was changed: who changed which thread, when and what; a state of one."""

from __future__ import annotations

from collections.abc import Iterator

import discord

from bot.curation import FROM_SOURCES, Action, HistoryEntry, HistoryPage, Revision, ThreadState
from bot.i18n import N_, ngettext, number
from bot.i18n import gettext as _
from bot.ui import limits, text
from bot.ui.cards import ANSWER, Card
from bot.ui.curation_items import PickRevision, RestoreRevision, TurnHistory

NOTHING_YET = N_("Nobody has changed anything here yet.")
LEFT_OUT = N_("What I took from followed channels and files by myself is in each thread's history.")

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

_TAKES_OUT = (Action.RESTORED, Action.SOLVED, Action.REOPENED, Action.FOLLOWED)
"""Changes that take a thread out of the library, or bring it back."""

PREVIEW = 700
"""Characters of one text of a revision that are shown."""

NAMED = 60
"""Characters of a title in a line."""


def history_card(history: HistoryPage, page: int, thread_id: int | None = None) -> Card:
    """Return a page of changes, a line each, with a menu to look at one.

    Those of one thread stand below its title.
    """
    is_whole = thread_id is None
    lines = [line_of(entry, named=is_whole) for entry in history.entries]
    if not lines:
        lines = [_(NOTHING_YET)]
    elif not is_whole:
        lines.insert(0, _named(history.entries[0].revision))
    if is_whole:
        lines.append(f"-# {_(LEFT_OUT)}")
    view = discord.ui.View(timeout=None)
    if history.entries:
        view.add_item(PickRevision([_option(entry) for entry in history.entries]))
    if page:
        view.add_item(TurnHistory(thread_id or 0, page - 1, is_newer=True))
    if history.has_older:
        view.add_item(TurnHistory(thread_id or 0, page + 1))
    return Card(content=text.lines(lines, limits.MESSAGE), view=view)


def revision_card(revision: Revision) -> Card:
    """Return a state of a thread, to be put in force again."""
    thread = revision.state.thread
    parts = [text.cut(text.body(thread.body), PREVIEW)] if thread.body else []
    for place, answer in enumerate(thread.answers, 1):
        heading = _("Answer {number}").format(number=place)
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
    return Card(content=line_of(HistoryEntry(revision)), embed=embed, view=view)


def line_of(entry: HistoryEntry, *, named: bool = True) -> str:
    """Return a change in one line: when, what, who; and of which thread if it is to be named."""
    revision = entry.revision
    when = discord.utils.format_dt(revision.made_at, "R")
    made, *what = _what(entry)
    said = f"**{made}** ({', '.join(what)})" if what else f"**{made}**"
    parts = [when, said, _who(revision), *([_named(revision)] if named else [])]
    return " · ".join(parts)


def _who(revision: Revision) -> str:
    """Return who made a change: a member; or where the bot has it from."""
    if revision.user_id:
        return f"<@{revision.user_id}>"
    if revision.action not in FROM_SOURCES:
        return _("somebody")
    source = revision.state.thread.source
    if source is None:
        return _("from a file")
    return _("from {source}").format(source=text.title(source, limits.FACT))


def _what(entry: HistoryEntry) -> list[str]:
    """Return what was done, and in a few words to what."""
    revision = entry.revision
    if revision.is_proposed:
        return [_("the source says something new")]
    made = [_(_MADE[revision.action])]
    if entry.other is not None:
        return [*made, _("with {title}").format(title=text.title(entry.other, NAMED))]
    return [*made, *(_changes(entry.before, revision) if entry.before is not None else ())]


def _changes(before: ThreadState, revision: Revision) -> Iterator[str]:
    """Yield in a few words what of a thread is another than before."""
    now = revision.state
    if now.retired != before.retired and revision.action in _TAKES_OUT:
        yield _("taken out") if now.retired else _("brought back")
        return
    if now.thread.title != before.thread.title:
        yield _("title")
    if now.thread.body != before.thread.body:
        yield _("question")
    if now.thread.tags != before.thread.tags:
        yield _("tags")
    were = dict(zip(before.answer_ids, before.thread.answers, strict=True))
    for place, (answer, answer_id) in enumerate(now.pairs, 1):
        if answer_id in were and were[answer_id].body != answer.body:
            yield _("answer {number}").format(number=place)
    more = len(set(now.answer_ids) - set(before.answer_ids))
    fewer = len(set(before.answer_ids) - set(now.answer_ids))
    if more:
        yield ngettext("{count} answer more", "{count} answers more", more).format(
            count=number(more)
        )
    if fewer:
        yield ngettext("{count} answer fewer", "{count} answers fewer", fewer).format(
            count=number(fewer)
        )


def _option(entry: HistoryEntry) -> discord.SelectOption:
    """Return a change in the menu, which shows no times as messages do: it is in UTC."""
    revision = entry.revision
    made, *what = _what(entry)
    said = f"{made} ({', '.join(what)})" if what else made
    return discord.SelectOption(
        label=text.label(f"{revision.made_at:%Y-%m-%d %H:%M} · {said}", limits.OPTION_TEXT),
        value=str(revision.id),
        description=text.label(revision.state.thread.title, limits.OPTION_TEXT),
    )


def _named(revision: Revision) -> str:
    return f"**{text.title(revision.state.thread.title, NAMED)}**"
