"""The last messages: the bot's replies to them, and which are deleted.

It is in memory alone, and bounded: messages themselves are not cached.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import discord

MESSAGES = 5000
"""Messages of members that are known at most, the newest."""

DELETED = 1000
"""Deleted messages that are known at most."""

PROXY_SECONDS = 10.0
"""Seconds in which a proxy such as PluralKit deletes a message and posts it as a webhook, or
the other way round. For as long, texts are kept."""

TEXTS = 500
"""Texts that are kept at most."""

V = TypeVar("V")


@dataclass(slots=True)
class RecentMessage:
    """A message of a member: the bot's replies, and whether anybody made something of them."""

    replies: list[discord.PartialMessage] = field(default_factory=list)
    touched: bool = False
    voted: bool = False
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _KeptText:
    """A text in a channel, and when it was seen (seconds of the monotonic clock)."""

    message: discord.Message
    at: float


class RecentMessages:
    """The messages that were seen since the start, as far as they may still matter."""

    def __init__(self) -> None:
        self._messages: OrderedDict[int, RecentMessage] = OrderedDict()
        self._replied: dict[int, int] = {}
        self._deleted: OrderedDict[int, None] = OrderedDict()
        self._texts: OrderedDict[int, _KeptText] = OrderedDict()
        self._proxies: OrderedDict[int, _KeptText] = OrderedDict()

    def note(self, message: discord.Message) -> None:
        """Note a message of a member."""
        if message.reference is not None and message.reference.message_id is not None:
            self.touch(message.reference.message_id)
        _drop_old(self._texts)
        _put(self._texts, message.id, _KeptText(message, time.monotonic()), TEXTS)
        for old in _put(self._messages, message.id, RecentMessage(), MESSAGES):
            for reply in old.replies:
                self._replied.pop(reply.id, None)

    def get(self, message_id: int) -> RecentMessage | None:
        """Return what is known of a member's message; ``None`` if it was not seen, or long ago."""
        return self._messages.get(message_id)

    def replied(self, message_id: int, reply: discord.Message) -> None:
        """Note a reply of the bot to a message."""
        known = self._messages.get(message_id)
        if known is not None:
            # Without its contents: thousands may be known.
            known.replies.append(discord.PartialMessage(channel=reply.channel, id=reply.id))
            self._replied[reply.id] = message_id

    def touch(self, reply_id: int, *, voted: bool = False) -> None:
        """Note that somebody replied to a reply of the bot, or pressed something under it.

        ``voted`` says that it was a button to vote.
        """
        known = self._messages.get(self._replied.get(reply_id, 0))
        if known is not None:
            known.touched = True
            known.voted = known.voted or voted

    def delete(self, message_id: int) -> RecentMessage | None:
        """Note that a message is deleted, and return what was known of it."""
        _put(self._deleted, message_id, None, DELETED)
        known = self._messages.pop(message_id, None)
        for reply in known.replies if known is not None else ():
            self._replied.pop(reply.id, None)
        return known

    def is_deleted(self, message_id: int) -> bool:
        """Return whether a message was deleted."""
        return message_id in self._deleted

    def forward_before(self, message: discord.Message) -> discord.Message | None:
        """Return what a member forwarded to the channel a moment before a message, if anything.

        Discord sends the words that go with a forward as a message of their own.
        """
        for _, kept in _newest_first(self._texts):
            other = kept.message
            same_place = other.channel.id == message.channel.id
            if same_place and other.author == message.author and other.id != message.id:
                return other if other.message_snapshots else None
        return None

    def replaces_deleted(self, proxy: discord.Message) -> bool:
        """Return whether a webhook's message says what a deleted one said a moment ago.

        If none is deleted yet, it is kept for the one that may be.
        """
        for message_id, kept in _newest_first(self._texts):
            if message_id in self._deleted and _is_proxy_of(proxy, kept.message):
                del self._texts[message_id]
                return True
        _put(self._proxies, proxy.id, _KeptText(proxy, time.monotonic()), TEXTS)
        return False

    def proxy_of(self, message_id: int) -> discord.Message | None:
        """Return the webhook's message that had taken the place of one that is deleted now."""
        _drop_old(self._texts)
        original = self._texts.get(message_id)
        if original is None:
            return None
        for proxy_id, proxy in _newest_first(self._proxies):
            if _is_proxy_of(proxy.message, original.message):
                del self._proxies[proxy_id], self._texts[message_id]
                return proxy.message
        return None


def _put(kept: OrderedDict[int, V], key: int, value: V, most: int) -> list[V]:
    """Put something behind all others, and return what there is no room for any more."""
    kept[key] = value
    return [kept.popitem(last=False)[1] for _ in range(len(kept) - most)]


def _drop_old(kept: OrderedDict[int, _KeptText]) -> None:
    """Drop the texts that no proxy posts again any more."""
    since = time.monotonic() - PROXY_SECONDS
    while kept and next(iter(kept.values())).at < since:
        kept.popitem(last=False)


def _newest_first(kept: OrderedDict[int, _KeptText]) -> list[tuple[int, _KeptText]]:
    """Return the texts that may still be posted again."""
    _drop_old(kept)
    return [*reversed(kept.items())]


def _is_proxy_of(proxy: discord.Message, original: discord.Message) -> bool:
    """Return whether a webhook's message is a member's, without the tags around it."""
    if proxy.channel.id != original.channel.id:
        return False
    said, whole = (" ".join(each.content.split()) for each in (proxy, original))
    return bool(said) and said in whole and 2 * len(said) >= len(whole)
