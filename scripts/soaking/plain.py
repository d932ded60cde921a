"""A plain count of votes: what the bot must have come to, whatever happened on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

BUTTON = 0
"""The message of a vote that was given by a button."""


class Ballot(NamedTuple):
    """Whose votes on what: an answer, a server, and a member.

    ``root`` is the shared answer's id where a server has its own version of that answer.
    """

    root: int
    guild_id: int
    user_id: int


class PlainVotes:
    """Each member's reactions and presses on each answer, the newest last: that is the vote."""

    def __init__(self) -> None:
        self._given: defaultdict[Ballot, list[tuple[int, int]]] = defaultdict(list)

    def react(self, ballot: Ballot, message_id: int, value: int) -> None:
        """A member adds a reaction to a message."""
        self.unreact(ballot, message_id, value)
        self._given[ballot].append((message_id, value))

    def unreact(self, ballot: Ballot, message_id: int, value: int) -> None:
        """A member takes a reaction away."""
        if (message_id, value) in self._given.get(ballot, ()):
            self._given[ballot].remove((message_id, value))

    def press(self, ballot: Ballot, value: int) -> None:
        """A member presses a vote button: the second time takes all of their presses back."""
        if self.vote(ballot) == value:
            given = self._given[ballot]
            given[:] = [each for each in given if each[0] != BUTTON]
        else:
            self.react(ballot, BUTTON, value)

    def clear(self, root: int, guild_id: int, message_id: int) -> None:
        """A moderator takes all reactions of a message away."""
        for ballot, given in self._given.items():
            if (ballot.root, ballot.guild_id) == (root, guild_id):
                given[:] = [each for each in given if each[0] != message_id]

    def forget_user(self, user_id: int) -> None:
        """A member has all that is kept about them deleted."""
        self._drop(lambda ballot: ballot.user_id == user_id)

    def forget_guild(self, guild_id: int) -> None:
        """A server's data is deleted."""
        self._drop(lambda ballot: ballot.guild_id == guild_id)

    def forget_answers(self, there: set[int]) -> None:
        """Threads are deleted for good; ``there`` are the answers that are left."""
        self._drop(lambda ballot: ballot.root not in there)

    def given(self, ballot: Ballot, message_id: int) -> set[int]:
        """Return what a member has reacted to a message with."""
        return {value for place, value in self._given.get(ballot, ()) if place == message_id}

    def vote(self, ballot: Ballot) -> int:
        """Return a member's vote; 0: none."""
        given = self._given.get(ballot)
        return given[-1][1] if given else 0

    def all_given(self, ballot: Ballot) -> list[tuple[int, int]]:
        """Return a member's reactions and presses that stand, the newest last."""
        return list(self._given.get(ballot, ()))

    def votes(self) -> dict[Ballot, int]:
        """Return all votes in force."""
        return {ballot: given[-1][1] for ballot, given in self._given.items() if given}

    def reactions(self) -> int:
        """Return how many reactions and presses stand."""
        return sum(map(len, self._given.values()))

    def _drop(self, is_gone: Callable[[Ballot], bool]) -> None:
        for ballot in [ballot for ballot in self._given if is_gone(ballot)]:
            del self._given[ballot]
