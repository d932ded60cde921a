"""A private card that was voted on, shown with its new tally."""

from __future__ import annotations

from bot.client import Interaction
from bot.models import StoredAnswer, StoredThread
from bot.replies import edit_response, tell
from bot.ui import card_updates, cards


async def show_on_private_card(
    interaction: Interaction, thread: StoredThread, answer: StoredAnswer | None, said: str
) -> None:
    """Show the new tally on the card, and say what was done with the vote above it.

    The press was acknowledged. A card of plain text stays as it is.
    """
    message = interaction.message
    if message is None or answer is None or not message.embeds:
        await tell(interaction, said)
        return
    embed = message.embeds[0]
    content = cards.noted(cards.note_of(message.content), said)
    drawn = card_updates.updated(embed, thread, answer, is_private=True) or embed
    await edit_response(interaction, content=content, embed=drawn)
