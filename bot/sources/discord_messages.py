"""Messages as DiscordChatExporter writes them into JSON: checked key by key when read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from bot.post_threads import SOMEBODY
from bot.posts import EmbedText, EmojiCount, PostMessage, with_embeds
from bot.sources.files import SCORES
from bot.sources.json_thread import FieldError, is_far, parse_date, storable
from bot.sources.report import quoted

_WRITTEN = frozenset("Default Reply ChatInputCommand ContextMenuCommand 0 19 20 23".split())
"""Types of messages that people and bots write; Discord writes the others."""

_ID = re.compile("[0-9]{1,19}")
_DELETED = re.compile(r"(?i:deleted[ _]user)(?:[ _#][0-9a-f]{1,64})?")
_DEEP = 4
"""Levels of components within each other that buttons are looked for in."""


class ExportChannel(NamedTuple):
    """The channel that a file is of; ``parent_id`` is that of a thread's channel, or a category."""

    id: int
    type: str
    name: str
    parent_id: int | None
    parent: str


def guild_of(value: object) -> int:
    """Return the id of the server that a file is from. Raises FieldError."""
    return id_of(_object(value, "guild"), "id", "guild.")


def channel_of(value: object) -> ExportChannel:
    """Return the channel that a file names. Raises FieldError."""
    row = _object(value, "channel")
    has_parent = row.get("categoryId") not in (None, "")
    return ExportChannel(
        id=id_of(row, "id", "channel."),
        type=_text(row, "type", "channel."),
        name=_text(row, "name", "channel."),
        parent_id=id_of(row, "categoryId", "channel.") if has_parent else None,
        parent=_text(row, "category", "channel."),
    )


def message_of(value: object, warn: Callable[[str], None], names: dict[int, str]) -> PostMessage:
    """Return a message; who is mentioned in it is added to ``names``.

    A date that can't be read is left out, and ``warn`` gets the remark. Raises FieldError with
    the key that is wrong.
    """
    row = _object(value, "a message")
    author = _object(row.get("author"), "author")
    reference = row.get("reference")
    content, files = _texts_and_files(row)
    message = PostMessage(
        id=id_of(row, "id"),
        author_id=id_of(author, "id", "author."),
        author=_name(author),
        content=content,
        is_bot=author.get("isBot") is True,
        is_system=_text(row, "type") not in _WRITTEN,
        reply_to=_reply_to(row, reference) if reference is not None else None,
        reactions=tuple(_reaction(one) for one in _objects(row, "reactions")),
        embeds=tuple(_embed(one) for one in _objects(row, "embeds")),
        buttons=tuple(_buttons(row, _DEEP)),
        attachments=files,
        posted_at=_date(row, "timestamp", warn),
        edited_at=_date(row, "timestampEdited", warn),
    )
    for one in _objects(row, "mentions"):
        names[id_of(one, "id", "mentions[].")] = _name(one)
    return message


def id_of(row: Mapping[str, Any], key: str, where: str = "") -> int:
    """Return an id of Discord's. Raises FieldError."""
    value = row.get(key)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _ID.fullmatch(text) or int(text) not in SCORES:
        raise FieldError(f"{where}{key} must be an id, it is {quoted(value)}")
    return int(text)


def _texts_and_files(row: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return a message's text and the names of its files, with those of one it forwards.

    Of a member's own message, embeds are previews of links.
    """
    forwarded = row.get("forwardedMessage")
    rows = [row, _object(forwarded, "forwardedMessage")] if forwarded is not None else [row]
    is_bot = _object(row.get("author"), "author").get("isBot") is True
    shown = [_objects(one, "embeds") if one is not row or is_bot else [] for one in rows]
    texts = [
        with_embeds(_text(one, "content"), map(_embed, embeds))
        for one, embeds in zip(rows, shown, strict=True)
    ]
    files = [_text(one, "fileName") for part in rows for one in _objects(part, "attachments")]
    files += [_text(one, "name") for part in rows for one in _objects(part, "stickers")]
    return "\n\n".join(filter(None, texts)), tuple(filter(None, files))


def _reply_to(row: Mapping[str, Any], reference: object) -> int | None:
    """Return which message a message replies to; a reference may also be a forward or a pin."""
    replied = _object(reference, "reference").get("messageId")
    is_reply = _text(row, "type") in ("Reply", "19") and replied not in (None, "")
    return id_of({"messageId": replied}, "messageId", "reference.") if is_reply else None


def _name(user: Mapping[str, Any]) -> str:
    """Return the name that is shown for a user; of a deleted one, nothing is known."""
    name = " ".join((_text(user, "nickname") or _text(user, "name")).split())
    return SOMEBODY if not name or _DELETED.fullmatch(name) else name


def _reaction(row: Mapping[str, Any]) -> EmojiCount:
    emoji = _object(row.get("emoji"), "reactions[].emoji")
    name, custom = _text(emoji, "name"), emoji.get("id")
    count = row.get("count", 0)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise FieldError(f"reactions[].count must be a number, it is {quoted(count)}")
    users = _objects(row, "users")
    members = [user for user in users if user.get("isBot") is not True]
    return EmojiCount(
        emoji=f"<:{name}:{custom}>" if custom else name,
        # Nobody reacted where nobody is named, or it wasn't asked who.
        count=max(0, count - (len(users) - len(members))),
        user_ids=frozenset(id_of(user, "id", "users[].") for user in members) if users else None,
    )


def _embed(row: Mapping[str, Any]) -> EmbedText:
    texts = [_text(row, key) for key in ("title", "description")]
    fields = [(_text(one, "name"), _text(one, "value")) for one in _objects(row, "fields")]
    said = "\n".join(filter(None, texts))
    return EmbedText(text=said, fields=tuple(fields), url=_text(row, "url"))


def _buttons(row: Mapping[str, Any], deep: int) -> Iterator[tuple[str, str]]:
    for one in _objects(row, "components"):
        if url := _text(one, "url"):
            yield _text(one, "label"), url
        if deep:
            yield from _buttons(one, deep - 1)


def _text(row: Mapping[str, Any], key: str, where: str = "") -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise FieldError(f"{where}{key} must be text, it is {quoted(value)}")
    return storable(value, f"{where}{key}")


def _objects(row: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = row.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise FieldError(f"{key} must be a list, it is {quoted(value)}")
    return [_object(one, f"{key}[]") for one in value]


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise FieldError(f"{name} must be an object, it is {quoted(value)}")
    return value


def _date(row: Mapping[str, Any], key: str, warn: Callable[[str], None]) -> datetime | None:
    text = _text(row, key)
    if not text:
        return None
    try:
        date = parse_date(text)
    except ValueError:
        warn(f"{key} {quoted(text)} is no date like 2024-05-31, and was left out")
        return None
    if is_far(date):
        warn(f"{key} {date:%Y-%m-%d} is far in the future, and was left out")
        return None
    return date
