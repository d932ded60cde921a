"""The latest questions, in memory: what their askers may still teach."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

MAX_RECENT = 10_000
"""Questions kept in memory, a few megabytes; the oldest go first."""


@dataclass(frozen=True, slots=True)
class RecentQuestion:
    """A question, cleaned, and the member who asked it in their own words.

    ``joined_at`` is when they joined the guild; whoever this isn't known of counts as new.
    """

    user_id: int
    text: str
    joined_at: datetime | None = None


class RecentQuestions:
    """The latest questions, by the message of the bot that replied to them; in memory only."""

    def __init__(self) -> None:
        self._by_message: OrderedDict[int, RecentQuestion] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_message)

    def keep(self, message_id: int, question: RecentQuestion) -> None:
        """Remember the question that a message replies to."""
        self._by_message[message_id] = question
        self._by_message.move_to_end(message_id)
        if len(self._by_message) > MAX_RECENT:
            self._by_message.popitem(last=False)

    def get(self, message_id: int) -> RecentQuestion | None:
        """Return the question that a message replies to, if it is still known."""
        return self._by_message.get(message_id)

    def drop(self, message_ids: Collection[int]) -> None:
        """Drop the questions of these messages."""
        for message_id in message_ids:
            self._by_message.pop(message_id, None)

    def forget_user(self, user_id: int) -> None:
        """Drop all questions of a member."""
        self.drop([i for i, asked in self._by_message.items() if asked.user_id == user_id])
