"""Cards that were posted, as they are to look now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import discord

from bot.i18n import gettext as _
from bot.models import StoredAnswer, StoredThread
from bot.ui import cards, facts, items
from bot.ui.answer_buttons import is_card_vote


def updated(
    embed: discord.Embed, thread: StoredThread, answer: StoredAnswer, *, is_private: bool = False
) -> discord.Embed | None:
    """Return the embed of an answer's card with its present votes, and whether it is accepted.

    How sure the bot was stays where the card ``is_private``. ``None`` if it shows all that already.
    """
    sure = facts.sure_in(embed.footer.text or "") if is_private else []
    now = facts.joined(facts.of_card(thread, answer) + sure)
    heading, colour = cards.heading_of(answer)
    if embed.footer.text == now and embed.colour == colour:
        return None
    drawn = embed.copy().set_footer(text=now)
    drawn.colour = colour
    return drawn.set_author(name=heading, url=embed.author.url)


def rewritten(
    embed: discord.Embed, thread: StoredThread, answer: StoredAnswer
) -> discord.Embed | None:
    """Return the embed of an answer's card with its present text; ``None`` if it shows that.

    The text was prepared by ``card_content``.
    """
    now = cards.answer_card(thread, answer).embed
    assert now is not None
    return None if now.to_dict() == embed.to_dict() else now


def buttons(
    shown: Sequence[Mapping[str, Any]], thread: StoredThread | None, answer: StoredAnswer | None
) -> discord.ui.View | None:
    """Return the buttons of a card as they are to be now; ``None`` if it has these already.

    ``shown`` are the rows that it has. Without its answer, those lead on that lead anywhere.
    """
    there = [item for row in shown for item in row.get("components", ())]
    if thread is not None and answer is not None:
        votes = any(is_card_vote(str(item.get("custom_id"))) for item in there)
        view = cards.answer_card(thread, answer, votes=votes).view
        assert view is not None
    else:
        view = discord.ui.View(timeout=None)
        if thread is not None and thread.answers:
            place = items.Place(thread.id, items.QUESTION)
            view.add_item(items.OtherAnswers(place, len(thread.answers)))
        view.add_item(items.NotMine())
    wanted = [item for row in view.to_components() for item in row["components"]]
    return None if _names(wanted) == _names(there) else view


def _names(shown: Sequence[Mapping[str, Any]]) -> list[tuple[object, object]]:
    return [(item.get("custom_id"), item.get("label")) for item in shown]


def gone(embed: discord.Embed) -> discord.Embed | None:
    """Return the embed of a card whose answer was taken out; ``None`` if it shows that already."""
    said = gone_text()
    if embed.description == said:
        return None
    return discord.Embed(title=embed.title, description=said, colour=cards.MUTED)


def gone_text() -> str:
    """Return what stands in place of an answer that was taken out."""
    return _("This answer was taken out of the library.")
