"""Discord's posts and messages as the rules of solved posts read them, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import discord

from bot.post_threads import Names, text_of
from bot.posts import EmbedText, EmojiCount, Post, PostMessage, with_embeds

FollowedParent = discord.ForumChannel | discord.TextChannel


def parent_of(channel: object) -> FollowedParent | None:
    """Return the forum or text channel that a channel is a post of; ``None`` if it is none."""
    parent = channel.parent if isinstance(channel, discord.Thread) else None
    return parent if isinstance(parent, FollowedParent) else None


def post_of(thread: discord.Thread, parent: FollowedParent) -> Post:
    """Return a Discord thread as a post; its owner asked, until its first message is read."""
    return Post(
        id=thread.id,
        channel_id=parent.id,
        channel=parent.name,
        guild_id=parent.guild.id,
        title=thread.name,
        asker_id=thread.owner_id,
        tags=tuple(tag.name for tag in thread.applied_tags),
    )


def message_of(message: discord.Message) -> PostMessage:
    """Return a message as a post's; a forward says what it forwards."""
    reference = message.reference
    is_reply = reference is not None and reference.type is discord.MessageReferenceType.reply
    return PostMessage(
        id=message.id,
        author_id=message.author.id,
        author=message.author.display_name,
        content="\n\n".join(filter(None, _texts(message))),
        is_bot=_is_bot(message),
        is_system=message.is_system(),
        reply_to=reference.message_id if reference is not None and is_reply else None,
        reactions=tuple(_counts(message.reactions)),
        embeds=tuple(map(_embed, message.embeds)),
        buttons=tuple(_buttons(message)),
        attachments=tuple(_files(message)),
        posted_at=message.created_at,
        edited_at=message.edited_at,
    )


def said_in(message: discord.Message, *, files: bool = True) -> str:
    """Return what a message says, as it is kept: with names for mentions, and its files' names."""
    guild = message.guild
    names = Names(
        users={user.id: user.display_name for user in message.mentions},
        roles={role.id: role.name for role in guild.roles} if guild else {},
        channels={channel.id: channel.name for channel in guild.channels} if guild else {},
    )
    seen = message_of(message)
    return text_of(seen if files else replace(seen, attachments=()), message.jump_url, names)


def _is_bot(message: discord.Message) -> bool:
    return message.author.bot or message.webhook_id is not None


def _texts(message: discord.Message) -> Iterator[str]:
    """Yield what a message says, what it forwards, and its poll.

    Of a member's own message, embeds are previews of links.
    """
    yield with_embeds(message.content, map(_embed, message.embeds if _is_bot(message) else ()))
    for snapshot in message.message_snapshots:
        yield with_embeds(snapshot.content, map(_embed, snapshot.embeds))
    if message.poll is not None:
        options = (f"- {answer.text}" for answer in message.poll.answers)
        yield "\n".join([f"**{message.poll.question}**", *options])


def _files(message: discord.Message) -> Iterator[str]:
    """Yield the names of a message's files and stickers, with those of one it forwards."""
    parts: list[discord.Message | discord.MessageSnapshot] = [message, *message.message_snapshots]
    for part in parts:
        yield from (file.filename for file in part.attachments)
        yield from (sticker.name for sticker in part.stickers)


def _counts(reactions: Sequence[discord.Reaction]) -> list[EmojiCount]:
    """Return who reacted how often, without the bot itself."""
    mine = {True: 1, False: 0}
    counted = ((str(r.emoji), r.count - mine[r.me] - mine[r.me_burst]) for r in reactions)
    return [EmojiCount(emoji=emoji, count=count) for emoji, count in counted if count > 0]


def _embed(embed: discord.Embed) -> EmbedText:
    said = "\n".join(filter(None, (embed.title, embed.description)))
    fields = tuple((field.name or "", field.value or "") for field in embed.fields)
    return EmbedText(text=said, fields=fields, url=embed.url or "")


def _buttons(message: discord.Message) -> list[tuple[str, str]]:
    """Return the labels and addresses of the buttons that open a page."""
    found = []
    for row in message.components:
        for item in getattr(row, "children", ()):
            if isinstance(item, discord.Button) and item.url:
                found.append((item.label or "", item.url))
    return found
