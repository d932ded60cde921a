"""Facts as people read them: the small line of a card, and counts of threads, answers and votes."""

from __future__ import annotations

from collections.abc import Sequence

from bot.guild_settings import percent
from bot.i18n import gettext as _
from bot.i18n import ngettext, number
from bot.models import StoredAnswer, StoredThread
from bot.ui import limits, text


def of_card(thread: StoredThread, answer: StoredAnswer) -> list[str]:
    """Return what is to be known of an answer, and of the others of its thread.

    Where the guild accepted another, that is said: the card may have shown this as accepted.
    """
    others = len(thread.answers) - 1
    more = ngettext("{count} other answer", "{count} other answers", others)
    facts = of_answer(thread, answer)
    if not answer.accepted and any(other.accepted_here for other in thread.answers):
        facts.append(_("another answer is accepted"))
    return facts + ([more.format(count=number(others))] if others > 0 else [])


def of_answer(thread: StoredThread, answer: StoredAnswer) -> list[str]:
    """Return what is to be known of an answer: accepted, its votes, and if another has more."""
    facts = ["✅ " + _("accepted")] if answer.accepted else []
    facts.append(_tally(answer.tally))
    best = max(other.tally for other in (answer, *thread.answers))
    if answer.accepted and best > answer.tally:
        facts.append(_("another answer has more votes ({tally})").format(tally=f"{best:+d}"))
    return facts


def joined(facts: Sequence[str]) -> str:
    """Return facts as an embed's footer."""
    return text.label(" · ".join(facts), limits.EMBED_FOOTER)


def _tally(tally: int) -> str:
    return f"▲ {tally}" if tally >= 0 else f"▼ {-tally}"


def of_question(thread: StoredThread) -> list[str]:
    """Return a question's score, when it was closed, and its tags."""
    facts = [f"▲ {thread.score}"] if thread.score else []
    if thread.closed_at is not None:
        facts.append(_("closed {date}").format(date=f"{thread.closed_at:%Y-%m-%d}"))
    if thread.tags:
        facts.append(text.label(", ".join(thread.tags), limits.FACT))
    return facts


def position(thread: StoredThread, answer: StoredAnswer | None, part: int, parts: int) -> list[str]:
    """Return which text of a thread a page shows, and which of its pages it is (from 0)."""
    count = len(thread.answers)
    if answer is None:
        position = [_("question"), answers_counted(count) if count else _("no answers")]
    else:
        number = thread.answers.index(answer) + 1
        position = [_("answer {number} of {count}").format(number=number, count=count)]
    if parts > 1:
        position.append(_("page {number} of {count}").format(number=part + 1, count=parts))
    return position


def sure(confidence: float) -> str:
    """Return how sure the bot is, for people who manage the server."""
    return _("{percent} sure").format(percent=percent(confidence))


def sure_in(footer: str) -> list[str]:
    """Return the fact of ``sure`` that a footer in the same language ends with, if it does."""
    before, after = _("{percent} sure").split("{percent}")
    last = footer.rpartition(" · ")[2]
    is_there = last.startswith(before) and last.endswith(after) and len(last) > len(before + after)
    return [last] if is_there else []


def threads_counted(count: int) -> str:
    """Return so many threads, in words."""
    return ngettext("{count} thread", "{count} threads", count).format(count=number(count))


def answers_counted(count: int) -> str:
    """Return so many answers, in words."""
    return ngettext("{count} answer", "{count} answers", count).format(count=number(count))


def votes_counted(count: int) -> str:
    """Return so many votes, in words."""
    return ngettext("{count} vote", "{count} votes", count).format(count=number(count))
