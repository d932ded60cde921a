"""What Discord's gateway tells of votes, as events that are put in order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

import discord

from bot.models import SHARED, ReactionKind, VoteEmoji
from bot.services.voting import Added, Change, Cleared, Deleted, Outcome, Pressed, Removed
from bot.ui.emoji import vote_of


class What(StrEnum):
    """What happened to a message."""

    ADDED = "added"
    REMOVED = "removed"
    CLEARED = "cleared"
    EMOJI_CLEARED = "emoji cleared"
    DELETED = "deleted"


@dataclass(slots=True, eq=False, kw_only=True)
class MessageEvent:
    """Something happened to a message, which may show an answer.

    ``at`` is when it was heard, in Unix microseconds. ``is_late`` says that it had to wait
    for something, so that later events of other messages may have been written; ``is_dropped``
    that it is not to be written any more.
    """

    what: What
    guild_id: int
    channel_id: int
    message_id: int
    user_id: int = 0
    emoji: str = ""
    kind: ReactionKind = ReactionKind.NORMAL
    handle: str | None = None
    at: int = field(default_factory=lambda: now())
    is_late: bool = False
    is_dropped: bool = False

    @property
    def has_emoji(self) -> bool:
        """Whether the event is about reactions of one emoji."""
        return self.what in (What.ADDED, What.REMOVED, What.EMOJI_CLEARED)

    @property
    def is_clearing(self) -> bool:
        """Whether reactions of many members may have been taken away at once."""
        return self.what in (What.CLEARED, What.EMOJI_CLEARED)

    def change(self, used: VoteEmoji) -> Change | None:
        """What it does to votes on a message where these emoji are used; ``None``: nothing."""
        if self.what is What.DELETED:
            return Deleted(message_id=self.message_id)
        if self.what is What.CLEARED:
            return Cleared(message_id=self.message_id)
        value = vote_of(self.emoji, used)
        if value is None:
            return None
        if self.what is What.EMOJI_CLEARED:
            return Cleared(message_id=self.message_id, value=value)
        if self.what is What.REMOVED:
            return Removed(
                message_id=self.message_id, user_id=self.user_id, value=value, kind=self.kind
            )
        return Added(
            message_id=self.message_id,
            user_id=self.user_id,
            value=value,
            kind=self.kind,
            author_handle=self.handle,
            at=self.at if self.is_late else None,
        )


@dataclass(slots=True, eq=False)
class Press:
    """A vote button was pressed; ``outcome`` is set once that is written, or won't be.

    ``former`` is the same press before, if its member was not told what came of it.
    """

    change: Pressed
    outcome: asyncio.Future[Outcome]
    is_taken: bool = False
    former: Press | None = None

    @property
    def is_lost(self) -> bool:
        """Whether it was withdrawn, or could not be written."""
        done = self.outcome
        return done.done() and (done.cancelled() or done.exception() is not None)

    def decided(self) -> Pressed:
        """What it does to votes, as far as is known when it is its turn."""
        former = self.former
        if former is None or former.is_lost or not former.outcome.done():
            return self.change
        return replace(self.change, former=former.outcome.result())

    def withdraw(self) -> bool:
        """Don't count it any more; False if it may have been written already."""
        return not self.is_taken and self.outcome.cancel()


@dataclass(slots=True, eq=False)
class ChannelDeleted:
    """A channel or thread is gone, with all messages in it."""

    channel_id: int
    is_late: bool = False


@dataclass(slots=True, eq=False)
class Held:
    """What is held back for a message, until it is handed on or given up."""

    events: list[MessageEvent]
    released: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class Released:
    """What was held back for a message or channel can be dealt with now."""

    key: int


@dataclass(slots=True, eq=False)
class Marker:
    """Tells when all events before it are written."""

    reached: asyncio.Future[None]


Event = MessageEvent | Press | ChannelDeleted | Released | Marker
Step = tuple[MessageEvent | Press, Change]
"""An event and what it does to votes."""


def reacted(event: discord.RawReactionActionEvent, user: discord.abc.User | None) -> MessageEvent:
    """A member's reaction was added or taken away."""
    return MessageEvent(
        what=What.ADDED if event.event_type == "REACTION_ADD" else What.REMOVED,
        guild_id=event.guild_id or SHARED,
        channel_id=event.channel_id,
        message_id=event.message_id,
        user_id=event.user_id,
        emoji=str(event.emoji),
        kind=ReactionKind.SUPER if event.burst else ReactionKind.NORMAL,
        handle=user.name if user else None,
    )


def cleared(
    event: discord.RawReactionClearEvent | discord.RawReactionClearEmojiEvent,
) -> MessageEvent:
    """A moderator took all reactions of a message away, or those of one emoji."""
    one = isinstance(event, discord.RawReactionClearEmojiEvent)
    return MessageEvent(
        what=What.EMOJI_CLEARED if one else What.CLEARED,
        guild_id=event.guild_id or SHARED,
        channel_id=event.channel_id,
        message_id=event.message_id,
        emoji=str(event.emoji) if isinstance(event, discord.RawReactionClearEmojiEvent) else "",
    )


def deleted(
    event: discord.RawMessageDeleteEvent | discord.RawBulkMessageDeleteEvent,
) -> list[MessageEvent]:
    """Messages are gone."""
    ids = [event.message_id] if isinstance(event, discord.RawMessageDeleteEvent) else None
    return [
        MessageEvent(
            what=What.DELETED,
            guild_id=event.guild_id or SHARED,
            channel_id=event.channel_id,
            message_id=message_id,
        )
        for message_id in ids or sorted(getattr(event, "message_ids", ()))
    ]


def of_messages(batch: Collection[Event]) -> list[MessageEvent]:
    """Those of the events that happened to a message."""
    return [event for event in batch if isinstance(event, MessageEvent)]


def messages_of(events: Collection[Event]) -> set[int]:
    """The messages that events are about, also those of which some is released."""
    released = {event.key for event in events if isinstance(event, Released)}
    return released | {event.message_id for event in of_messages(events)}


def counts(event: MessageEvent | Press) -> bool:
    """Whether an event still counts; a press that does can't be withdrawn any more."""
    if isinstance(event, Press):
        if event.outcome.done():
            return False
        event.is_taken = True
        return True
    return not event.is_dropped


def drop(events: Iterable[Event], user_id: int) -> None:
    """Have those of the events that a member caused not written any more."""
    for event in events:
        if isinstance(event, MessageEvent) and event.user_id == user_id:
            event.is_dropped = True
        elif isinstance(event, Press) and event.change.user_id == user_id:
            event.withdraw()


def without_presses(steps: list[Step], error: Exception) -> list[Step]:
    """The steps without the presses, whose members are told at once why they failed."""
    for event, _ in steps:
        if isinstance(event, Press) and not event.outcome.done():
            event.outcome.set_exception(error)
    return [step for step in steps if not isinstance(step[0], Press)]


def now() -> int:
    """This moment in Unix microseconds."""
    return time.time_ns() // 1000
