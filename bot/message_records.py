"""Records of messages: questions without an answer, and what the bot deletes again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class UnansweredQuestion:
    """A message that asked something the bot has nothing on, and the emoji it reacted with."""

    message_id: int
    channel_id: int
    guild_id: int
    asker_id: int
    asked_at: datetime
    emoji: str


class TemporaryMessage(NamedTuple):
    """A message that is to be deleted, and when."""

    message_id: int
    channel_id: int
    guild_id: int
    delete_at: datetime
