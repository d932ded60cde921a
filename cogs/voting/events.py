"""Events that change votes: of the gateway, presses of buttons, and marks of the queue itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import discord

from bot.models import SHARED, Reaction, ReactionKind, Vote, VoteEmoji
from bot.services.voting import Added, Cleared, Deleted, Pressed, Removed, VoteChange, VoteOutcome
from bot.ui import emoji
from bot.ui.emoji import vote_of
from cogs.channel_context import joined_at


class EventType(StrEnum):
    """The kinds of things that happen to a message."""

    ADDED = "added"
    REMOVED = "removed"
    CLEARED = "cleared"
    EMOJI_CLEARED = "emoji cleared"
    DELETED = "deleted"


@dataclass(slots=True, eq=False, kw_only=True)
class MessageEvent:
    """An event of a message, which may be a posting.

    ``at`` is when it came, in Unix microseconds. ``is_late`` says that it had to wait for
    something, so that later events of other messages may have been written; ``is_dropped``
    that it is not to be written any more.
    """

    type: EventType
    guild_id: int
    channel_id: int
    message_id: int
    user_id: int = 0
    emoji: str = ""
    kind: ReactionKind = ReactionKind.NORMAL
    joined_at: datetime | None = None
    at: int = field(default_factory=lambda: unix_micros())
    is_late: bool = False
    is_dropped: bool = False

    @property
    def has_emoji(self) -> bool:
        """Return whether the event is about reactions of one emoji."""
        return self.type in (EventType.ADDED, EventType.REMOVED, EventType.EMOJI_CLEARED)

    @property
    def is_clearing(self) -> bool:
        """Return whether reactions of many members may have been taken away at once."""
        return self.type in (EventType.CLEARED, EventType.EMOJI_CLEARED)

    def counts(self) -> bool:
        """Return whether it is to be written."""
        return not self.is_dropped

    def change(self, used: VoteEmoji) -> VoteChange | None:
        """Return what it does to votes on a message where these emoji are used, if anything."""
        if self.type is EventType.DELETED:
            return Deleted(message_id=self.message_id)
        if self.type is EventType.CLEARED:
            return Cleared(message_id=self.message_id)
        value = vote_of(self.emoji, used)
        if value is None:
            return None
        if self.type is EventType.EMOJI_CLEARED:
            return Cleared(message_id=self.message_id, value=value)
        reaction = Reaction(self.user_id, value, self.kind)
        if self.type is EventType.REMOVED:
            return Removed(message_id=self.message_id, reaction=reaction)
        at = self.at if self.is_late else None
        return Added(message_id=self.message_id, reaction=reaction, at=at)


@dataclass(slots=True, eq=False)
class ButtonPress:
    """A press of a vote button; ``outcome`` is set once it is written, or won't be.

    ``former`` is the same press before, if its member was not told what came of it.
    """

    pressed: Pressed
    outcome: asyncio.Future[VoteOutcome]
    is_taken: bool = False
    former: ButtonPress | None = None

    @property
    def is_lost(self) -> bool:
        """Return whether it was withdrawn, or could not be written."""
        done = self.outcome
        return done.done() and (done.cancelled() or done.exception() is not None)

    def counts(self) -> bool:
        """Return whether it is to be written; then it can't be withdrawn any more."""
        self.is_taken = self.is_taken or not self.outcome.done()
        return not self.outcome.done()

    def change(self) -> Pressed:
        """Return what it does to votes, as far as is known when it is its turn."""
        former = self.former
        if former is None or former.is_lost or not former.outcome.done():
            return self.pressed
        return replace(self.pressed, former=former.outcome.result())

    def withdraw(self) -> bool:
        """Withdraw the press; return False if it may have been written already."""
        return not self.is_taken and self.outcome.cancel()

    def fail(self, error: Exception) -> None:
        """Tell whoever waits for the outcome that it could not be written."""
        if not self.outcome.done():
            self.outcome.set_exception(error)


@dataclass(slots=True, eq=False)
class ChannelDeleted:
    """The deletion of a channel or thread, with all messages in it."""

    channel_id: int
    is_late: bool = False


@dataclass(slots=True, eq=False)
class Released:
    """A mark that the events that are held back for a message can be processed now."""

    message_id: int


@dataclass(slots=True, eq=False)
class FlushMarker:
    """A mark that tells when all events before it are written."""

    reached: asyncio.Future[None]

    def reach(self) -> None:
        """Mark it as reached."""
        if not self.reached.done():
            self.reached.set_result(None)


Event = MessageEvent | ButtonPress | ChannelDeleted | Released | FlushMarker


def reaction_event(
    event: discord.RawReactionActionEvent, user: discord.abc.User | None
) -> MessageEvent:
    """Return the event of a reaction that a member added or took away."""
    return message_event(
        EventType.ADDED if event.event_type == "REACTION_ADD" else EventType.REMOVED,
        event,
        event.message_id,
        user_id=event.user_id,
        emoji=str(event.emoji),
        kind=ReactionKind.SUPER if event.burst else ReactionKind.NORMAL,
        joined_at=joined_at(user),
    )


def cleared_event(
    event: discord.RawReactionClearEvent | discord.RawReactionClearEmojiEvent,
) -> MessageEvent:
    """Return the event of reactions that a moderator took away: all, or those of one emoji."""
    if isinstance(event, discord.RawReactionClearEmojiEvent):
        return message_event(
            EventType.EMOJI_CLEARED, event, event.message_id, emoji=str(event.emoji)
        )
    return message_event(EventType.CLEARED, event, event.message_id)


def message_event(type: EventType, event: Any, message_id: int, **more: Any) -> MessageEvent:
    """Return what a gateway event says of a message; ``more`` are other fields."""
    guild_id, channel_id = event.guild_id or SHARED, event.channel_id
    return MessageEvent(
        type=type, guild_id=guild_id, channel_id=channel_id, message_id=message_id, **more
    )


class RecordedEvents:
    """The events of one message since Discord was asked what is on it (``LiveEvents``).

    ``used`` must be set before it is asked what the events decide.
    """

    def __init__(self, message_id: int) -> None:
        self.used: VoteEmoji | None = None
        self._message_id = message_id
        self._reactions: set[tuple[int, str, ReactionKind]] = set()
        self._members: set[int] = set()
        self._cleared: set[str] = set()
        self._all_cleared = False

    def add(self, event: MessageEvent) -> None:
        """Note an event, if it is of the message."""
        if event.message_id != self._message_id:
            return
        if event.type is EventType.CLEARED:
            self._all_cleared = True
        elif event.type is EventType.EMOJI_CLEARED:
            self._cleared.add(emoji.key(event.emoji))
        elif event.has_emoji:
            self._reactions.add((event.user_id, emoji.key(event.emoji), event.kind))
            self._members.add(event.user_id)

    def decides(self, reaction: Reaction) -> bool:
        """Return whether an event was about this reaction, or about all of its emoji."""
        if self._all_cleared or self.used is None:
            return True
        key = emoji.key(self.used.up if reaction.value is Vote.UP else self.used.down)
        return key in self._cleared or (reaction.user_id, key, reaction.kind) in self._reactions

    def has_events_of(self, user_id: int) -> bool:
        """Return whether any event was of this member."""
        return user_id in self._members


def unix_micros() -> int:
    """Return this moment in Unix microseconds."""
    return time.time_ns() // 1000
