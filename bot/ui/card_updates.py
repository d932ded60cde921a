"""Cards that were posted, as they are to look now."""

from __future__ import annotations

import discord

from bot.i18n import gettext as _
from bot.models import StoredAnswer, StoredThread
from bot.ui import card_content, cards, facts


def updated(
    embed: discord.Embed, thread: StoredThread, answer: StoredAnswer
) -> discord.Embed | None:
    """Return the embed of an answer's card with its present votes, and whether it is accepted.

    ``None`` if it shows that already.
    """
    now = facts.joined(facts.of_card(thread, answer))
    heading, colour = cards.heading_of(answer)
    if embed.footer.text == now and embed.colour == colour:
        return None
    drawn = embed.copy().set_footer(text=now)
    drawn.colour = colour
    return drawn.set_author(name=heading, url=embed.author.url)


async def rewritten(
    embed: discord.Embed, thread: StoredThread, answer: StoredAnswer
) -> discord.Embed | None:
    """Return the embed of an answer's card with its present text; ``None`` if it shows that."""
    await card_content.prepare_excerpt(answer, embeds=True)
    now = cards.answer_card(thread, answer).embed
    assert now is not None
    return None if now.to_dict() == embed.to_dict() else now


def gone(embed: discord.Embed) -> discord.Embed | None:
    """Return the embed of a card whose answer was taken out; ``None`` if it shows that already."""
    said = gone_text()
    if embed.description == said:
        return None
    return discord.Embed(title=embed.title, description=said, colour=cards.MUTED)


def gone_text() -> str:
    """Return what stands in place of an answer that was taken out."""
    return _("This answer was taken out of the library.")
