"""Discord's posts and messages as the rules of solved posts read them."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.posts import EmbedText, EmojiCount, Post, PostMessage

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
    texts = [message.content, *(each.content for each in message.message_snapshots)]
    files = [*message.attachments]
    for snapshot in message.message_snapshots:
        files += snapshot.attachments
    reference = message.reference
    is_reply = reference is not None and reference.type is discord.MessageReferenceType.reply
    return PostMessage(
        id=message.id,
        author_id=message.author.id,
        author=message.author.display_name,
        content="\n".join(filter(None, texts)),
        is_bot=message.author.bot or message.webhook_id is not None,
        is_system=message.is_system(),
        reply_to=reference.message_id if reference is not None and is_reply else None,
        reactions=tuple(_counts(message.reactions)),
        embeds=tuple(map(_embed, message.embeds)),
        buttons=tuple(_buttons(message)),
        attachments=tuple(file.filename for file in files),
        posted_at=message.created_at,
        edited_at=message.edited_at,
    )


def _counts(reactions: Sequence[discord.Reaction]) -> list[EmojiCount]:
    """Return who reacted how often, without the bot itself."""
    mine = {True: 1, False: 0}
    counted = ((str(r.emoji), r.count - mine[r.me] - mine[r.me_burst]) for r in reactions)
    return [EmojiCount(emoji=emoji, count=count) for emoji, count in counted if count > 0]


def _embed(embed: discord.Embed) -> EmbedText:
    said = filter(None, (embed.title, embed.url, embed.description))
    fields = tuple((field.name or "", field.value or "") for field in embed.fields)
    return EmbedText(text="\n".join(said), fields=fields)


def _buttons(message: discord.Message) -> list[tuple[str, str]]:
    """Return the labels and addresses of the buttons that open a page."""
    found = []
    for row in message.components:
        for item in getattr(row, "children", ()):
            if isinstance(item, discord.Button) and item.url:
                found.append((item.label or "", item.url))
    return found
