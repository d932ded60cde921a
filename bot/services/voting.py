"""Votes: one for each member, answer and guild, however many messages show the answer."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from bot.errors import NotFound, ThreadwiseError
from bot.i18n import N_
from bot.models import Reaction, Vote
from bot.observing import UNOBSERVED, Observer
from bot.services.reconciling import LiveEvents, Reconciling
from bot.store import origins, overrides, postings, votes
from bot.store.database import Database
from bot.store.votes import VotePlace

HOLD_SECONDS = 0.03
"""After how long a transaction that writes votes takes in no further one."""

VoteOutcome = bool | Vote | ThreadwiseError | None
"""Whether a change counted; of a press the vote in force, or why it was refused."""


class VoteRefused(ThreadwiseError):
    """A vote on one's own answer, which does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """An added reaction.

    ``at`` is when, in Unix microseconds, where others of its member may have been written since.
    """

    message_id: int
    reaction: Reaction
    at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A reaction that was taken away."""

    message_id: int
    reaction: Reaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """The removal of all reactions of a message, or of all of one value."""

    message_id: int
    value: Vote | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A member's press of a vote button.

    ``former`` is the outcome of the same press shortly before, of which the member was not
    told: while that is in force, this one repeats it and changes nothing. False: of none.
    """

    answer_id: int
    guild_id: int
    user_id: int
    value: Vote
    former: VoteOutcome = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """The deletion of a message; what was voted on it stays."""

    message_id: int


VoteChange = Added | Removed | Cleared | Pressed | Deleted


class Voting:
    """The votes that follow from reactions and buttons. What returns has been written to disk."""

    def __init__(self, database: Database, observer: Observer = UNOBSERVED):
        self._database, self._observer = database, observer
        self._reconciling = Reconciling(database)

    async def apply(self, changes: Sequence[VoteChange]) -> list[VoteOutcome]:
        """Make the first of these changes, in order; return an outcome for each that was made.

        At least one is made; how many more, the time tells for which others may have to
        wait for the database. Call again with the rest.
        """
        first = changes[0]
        if isinstance(first, Cleared):  # it may be about thousands of members
            await self._reconciling.clear(first.message_id, first.value)
            return [True]
        made = list[VoteOutcome]()
        async with self._database.write_votes(_voters(changes)) as connection:
            until = time.monotonic() + HOLD_SECONDS
            for change in changes:
                if isinstance(change, Cleared) or (made and time.monotonic() > until):
                    break
                made.append(await _make(connection, change))
        for change, outcome in zip(changes, made, strict=False):
            if (what := _what_was_done(change, outcome)) is not None:
                self._observer.voted(what)
        return made

    async def reconcile(
        self,
        *,
        message_id: int,
        reactions: Collection[Reaction],
        live: LiveEvents | None = None,
        since: int | None = None,
    ) -> int:
        """Make the votes follow from the reactions that a message showed.

        ``live`` tells of the events that came since Discord was asked, at ``since`` (Unix
        microseconds; now): they decide for what they are about. What is new counts as given
        then, which is all that can be known. Returns how many reactions had come or gone.
        """
        changed = await self._reconciling.compare(message_id, reactions, live, since)
        self._observer.voted("reconciled", changed)
        return changed

    async def given(self, answer_id: int, guild_id: int, user_id: int) -> Vote | None:
        """Return a member's vote on an answer in a guild, if they have one."""
        return await self._database.reading(votes.in_force, VotePlace(answer_id, guild_id), user_id)

    async def forget_user(self, user_id: int) -> int:
        """Delete all that is kept about a member; returns how many votes that were."""
        return await self._database.writing(votes.forget_user, user_id)


def _voters(changes: Sequence[VoteChange]) -> set[int]:
    """Return the members whose votes change."""
    pressed = {change.user_id for change in changes if isinstance(change, Pressed)}
    reacted = (change for change in changes if isinstance(change, Added | Removed))
    return pressed | {change.reaction.user_id for change in reacted}


def vote_of(outcome: VoteOutcome) -> Vote | None:
    """Return the vote in force after a press. Raises the refusal, if it was refused."""
    if isinstance(outcome, ThreadwiseError):
        raise outcome
    return outcome if isinstance(outcome, Vote) else None


def _what_was_done(change: VoteChange, outcome: VoteOutcome) -> str | None:
    """Return what an observer is told of a change; ``None`` if it was about no vote."""
    if isinstance(outcome, ThreadwiseError):
        return "refused"
    if isinstance(change, Pressed):
        return outcome.name.lower() if isinstance(outcome, Vote) else "taken_back"
    if not outcome or isinstance(change, Deleted | Cleared):
        return None
    return "taken_back" if isinstance(change, Removed) else change.reaction.value.name.lower()


async def _make(connection: Any, change: Added | Removed | Pressed | Deleted) -> VoteOutcome:
    if isinstance(change, Pressed):
        return await _press(connection, change)
    if isinstance(change, Deleted):
        await postings.forget(connection, [change.message_id])
        return True
    shown = await origins.shown_by(connection, change.message_id)
    if shown is None:
        return False
    posting, author = shown
    place, reaction = VotePlace.of(posting), change.reaction
    if isinstance(change, Removed):
        return await votes.withdraw(connection, place, reaction)
    if author.is_member(reaction.user_id):
        return False
    await votes.give(connection, place, reaction, at=change.at)
    return True


async def _press(connection: Any, pressed: Pressed) -> VoteOutcome:
    answer_id, guild_id, user_id = pressed.answer_id, pressed.guild_id, pressed.user_id
    answer_id = await overrides.shown_answer(connection, guild_id, answer_id)
    if not await votes.tallies(connection, [answer_id], guild_id):
        # Translated by whoever tells it: this is written in a task of all members.
        return NotFound(N_("This answer is not in the library any more."))
    author = await origins.author_of(connection, answer_id)
    if author.is_member(user_id):
        return VoteRefused(N_("You can't vote on your own answer."))
    place = VotePlace(answer_id, guild_id)
    before = await votes.in_force(connection, place, user_id)
    if before is pressed.former:
        return before
    if before is pressed.value:  # a second press takes all presses back; reactions remain
        await votes.withdraw(connection, place, *(Reaction(user_id, value) for value in Vote))
    else:
        await votes.give(connection, place, Reaction(user_id, pressed.value))
    return await votes.in_force(connection, place, user_id)
