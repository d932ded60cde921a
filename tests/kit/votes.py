"""What Discord's events and presses do to votes, one by one, without Discord."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.models import Reaction, ReactionKind, Vote
from bot.services.voting import Added, Cleared, Pressed, Removed, Voting, vote_of
from bot.store import votes
from bot.store.database import Database


async def tally_of(database: Database, answer_id: int, guild_id: int) -> int | None:
    """Return the source's score plus a guild's votes; ``None`` when the answer is gone."""
    return (await database.reading(votes.tallies, [answer_id], guild_id)).get(answer_id)


async def give_reaction(
    voting: Voting,
    *,
    message_id: int,
    user_id: int,
    value: Vote,
    kind: ReactionKind = ReactionKind.NORMAL,
) -> bool:
    """Add a member's reaction; False when the message shows no answer, or the member's own."""
    reaction = Reaction(user_id, value, kind)
    added = Added(message_id=message_id, reaction=reaction)
    return (await voting.apply([added])) == [True]


async def take_reaction(
    voting: Voting,
    *,
    message_id: int,
    user_id: int,
    value: Vote,
    kind: ReactionKind = ReactionKind.NORMAL,
) -> bool:
    """Take a member's reaction away; False when it did not count."""
    removed = Removed(message_id=message_id, reaction=Reaction(user_id, value, kind))
    return (await voting.apply([removed])) == [True]


async def clear_votes(voting: Voting, *, message_id: int, value: Vote | None = None) -> None:
    """Take all reactions of a message away, or all of one value."""
    await voting.apply([Cleared(message_id=message_id, value=value)])


async def press_button(voting: Voting, **parts: Any) -> Vote | None:
    """Press a vote button; returns the vote in force. Raises why it does not count."""
    return vote_of((await voting.apply([Pressed(**parts)]))[0])


Shown = Mapping[int, frozenset[Vote]]


async def reconcile_votes(
    voting: Voting, reactions: Shown, supers: Shown | None = None, **parts: Any
) -> int:
    """Compare votes with the normal and super reactions shown: member -> values."""
    shown = {
        Reaction(user_id, value, kind)
        for kind, votes in ((ReactionKind.NORMAL, reactions), (ReactionKind.SUPER, supers or {}))
        for user_id, values in votes.items()
        for value in values
    }
    return await voting.reconcile(reactions=shown, **parts)
