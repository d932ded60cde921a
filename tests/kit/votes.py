"""What Discord's events and presses do to votes, one by one, without Discord."""

from __future__ import annotations

from typing import Any

from bot.models import Vote
from bot.services.voting import Added, Cleared, Pressed, Removed, Voting, vote_of


async def give_reaction(voting: Voting, **parts: Any) -> bool:
    """Add a member's reaction; False when the message shows no answer, or the member's own."""
    return (await voting.apply([Added(**parts)])) == [True]


async def take_reaction(voting: Voting, **parts: Any) -> bool:
    """Take a member's reaction away; False when it did not count."""
    return (await voting.apply([Removed(**parts)])) == [True]


async def clear_votes(voting: Voting, *, message_id: int, value: Vote | None = None) -> None:
    """Take all reactions of a message away, or all of one value."""
    await voting.apply([Cleared(message_id=message_id, value=value)])


async def press_button(voting: Voting, **parts: Any) -> Vote | None:
    """Press a vote button; returns the vote in force. Raises why it does not count."""
    return vote_of((await voting.apply([Pressed(**parts)]))[0])
