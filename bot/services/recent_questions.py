"""What was asked just now, in memory only: nothing of it reaches the disk."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

REMEMBERED = 10_000
"""How many questions are kept; the oldest go first."""


@dataclass(frozen=True, slots=True)
class RecentQuestion:
    """A question, cleaned, and who asked it in their own words."""

    user_id: int
    text: str


class RecentQuestions:
    """The latest questions by the message of ours that replied to them."""

    def __init__(self) -> None:
        self._heard: OrderedDict[int, RecentQuestion] = OrderedDict()

    def __len__(self) -> int:
        return len(self._heard)

    def keep(self, message_id: int, heard: RecentQuestion) -> None:
        """Remember what a message replies to."""
        self._heard[message_id] = heard
        self._heard.move_to_end(message_id)
        if len(self._heard) > REMEMBERED:
            self._heard.popitem(last=False)

    def get(self, message_id: int) -> RecentQuestion | None:
        """The question that a message replies to, if it is still known."""
        return self._heard.get(message_id)

    def drop(self, message_ids: Collection[int]) -> None:
        """Nobody will need these any more."""
        for message_id in message_ids:
            self._heard.pop(message_id, None)

    def forget_user(self, user_id: int) -> None:
        """Drop all that a member asked."""
        self.drop([i for i, heard in self._heard.items() if heard.user_id == user_id])
