"""Posts as they stand in Discord: a question's Discord thread, and its messages.

A post is one of a forum, or a thread of a text channel whose threads are questions. Nothing here
asks Discord, so what is made of a post is the same whether it is followed, filled in from
before, or was exported to a file.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.emoji_form import CUSTOM, bare_emoji
from bot.models import plain_key

LOOKED_AT = 500
"""Messages of a post that are looked at, from its beginning."""

_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]")
_MINUTE = 60_000 << 22
"""A minute as the difference of two of Discord's ids, which are made of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmojiCount:
    """An emoji under a message, and how many put it there; ``None``: who did isn't known.

    The bot's own reactions, and other bots', are not among them where they are known.
    """

    emoji: str
    count: int
    user_ids: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedText:
    """The text of an embed: title and description as one ``text``, its fields, its address."""

    text: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMessage:
    """A message of a post; ``author`` is the name that is shown for who wrote it.

    ``content`` is all that it says, as ``with_embeds`` makes it, and what it forwards.
    ``is_system`` says that Discord wrote it ("… pinned a message"). ``buttons`` are the labels
    and addresses of those that open a page, ``attachments`` the names of files and stickers.
    """

    id: int
    author_id: int
    author: str | None = None
    content: str = ""
    is_bot: bool = False
    is_system: bool = False
    reply_to: int | None = None
    reactions: tuple[EmojiCount, ...] = ()
    embeds: tuple[EmbedText, ...] = ()
    buttons: tuple[tuple[str, str], ...] = ()
    attachments: tuple[str, ...] = ()
    posted_at: datetime | None = None
    edited_at: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing to show of it: no text that can be seen, and no file."""
        return not plain_key(self.content) and not self.attachments

    def people_for(self, positive: Collection[str]) -> int:
        """Return how many others than its author reacted with one of these emoji.

        One who did with several counts once. Where it isn't known who did, each reaction counts:
        hardly anybody reacts to their own message.
        """
        keys = {emoji_key(emoji) for emoji in positive}
        known, unknown = set[int](), 0
        for reaction in self.reactions:
            if emoji_key(reaction.emoji) in keys:
                users = reaction.user_ids or frozenset()
                known |= users
                unknown += max(0, reaction.count - len(users))
        return len(known - {self.author_id}) + unknown

    def reaction(self, emoji: str) -> EmojiCount | None:
        """Return who put an emoji on it, in whatever spelling; ``None`` if nobody did."""
        sought = emoji_key(emoji)
        return next((r for r in self.reactions if emoji_key(r.emoji) == sought), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post, and the channel that it is in.

    ``asker_id`` is ``None`` where it isn't known who asked.
    """

    id: int
    channel_id: int
    channel: str
    guild_id: int
    title: str
    asker_id: int | None
    tags: tuple[str, ...] = ()


def with_embeds(content: str, embeds: Iterable[EmbedText]) -> str:
    """Return a text with what the embeds below it say; the preview of a link in it says nothing."""
    own = (embed for embed in embeds if not embed.url or embed.url not in content)
    texts = ("\n".join([each.text, *map(": ".join, each.fields)]).strip() for each in own)
    return "\n\n".join(filter(None, (content, *texts)))


def earliest(messages: Iterable[PostMessage]) -> list[PostMessage]:
    """Return the messages that are looked at, of any number in any order, by their time."""
    return heapq.nsmallest(LOOKED_AT, messages, key=lambda message: message.id)


def first_message(post: Post, messages: Sequence[PostMessage]) -> PostMessage | None:
    """Return the message that asks; ``None`` where it was deleted, or isn't among these.

    It has the post's id. A thread that was not made of a message begins with one that was sent
    at the same time.
    """
    exact = next((message for message in messages if message.id == post.id), None)
    if exact is not None or not messages or messages[0].is_system:
        return exact
    first = messages[0]
    is_at_once = 0 <= first.id - post.id < _MINUTE and first.reply_to is None
    is_askers = post.asker_id in (None, first.author_id)
    return first if is_at_once and is_askers else None


def emoji_key(emoji: str) -> str:
    """Return what the spellings and skin tones of an emoji share; a custom one's is its id."""
    custom = CUSTOM.fullmatch(emoji.strip())
    return custom[2] if custom else _SKIN_TONE.sub("", bare_emoji(emoji.strip()))
