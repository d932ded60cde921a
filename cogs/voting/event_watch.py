"""What comes of a message while Discord is asked what is on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.models import ReactionKind, Vote, VoteEmoji
from bot.services.reconciling import Reaction
from bot.ui import emoji
from cogs.voting.vote_events import MessageEvent, What


class Watch:
    """The live events of one message since Discord was asked what is on it.

    ``used`` must be set before it is asked what the events decide.
    """

    def __init__(self) -> None:
        self.used: VoteEmoji | None = None
        self._signs: set[tuple[int, str, ReactionKind]] = set()
        self._members: set[int] = set()
        self._emoji: set[str] = set()
        self._all = False

    def hear(self, event: MessageEvent) -> None:
        """Note an event of the message."""
        if event.what is What.CLEARED:
            self._all = True
        elif event.what is What.EMOJI_CLEARED:
            self._emoji.add(emoji.key(event.emoji))
        elif event.has_emoji:
            self._signs.add((event.user_id, emoji.key(event.emoji), event.kind))
            self._members.add(event.user_id)

    def decides(self, reaction: Reaction) -> bool:
        """Whether an event was about this member's reaction, or about all of its emoji."""
        if self._all or self.used is None:
            return True
        key = emoji.key(self.used.up if reaction.value is Vote.UP else self.used.down)
        return key in self._emoji or (reaction.user_id, key, reaction.kind) in self._signs

    def heard_of(self, user_id: int) -> bool:
        """Whether any event was of this member."""
        return user_id in self._members


class Watches:
    """The messages that are watched just now."""

    def __init__(self) -> None:
        self._watches: dict[int, list[Watch]] = {}

    def hear(self, event: MessageEvent) -> None:
        """Note an event of a message, if that is watched."""
        for watch in self._watches.get(event.message_id, ()):
            watch.hear(event)

    @contextmanager
    def of(self, message_id: int) -> Iterator[Watch]:
        """Note the events of a message from now on."""
        watch = Watch()
        self._watches.setdefault(message_id, []).append(watch)
        try:
            yield watch
        finally:
            self._watches[message_id].remove(watch)
            if not self._watches[message_id]:
                del self._watches[message_id]
