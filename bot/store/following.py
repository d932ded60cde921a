"""Followed channels, the posts in them, and backfills."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.following import Backfill, BackfillState, FollowedChannel, FollowedPost, PostState
from bot.solutions import Rule
from bot.store.curation_tables import followed_channels, followed_posts
from bot.store.portable_sql import by_code
from bot.store.rows import EPOCH, from_micros, id_batches, to_micros

_NO_BACKFILL: dict[str, Any] = {
    "backfill_state": None,
    "backfill_before": None,
    "backfill_post": None,
    "backfill_counts": None,
    "backfill_by": None,
    "backfill_shown_in": None,
    "backfill_shown": None,
}


async def follow(connection: AsyncConnection, channel: FollowedChannel) -> None:
    """Follow a channel, or change how it is followed; a backfill of it stays as it is."""
    values: dict[str, Any] = {
        "name": channel.name,
        "is_forum": channel.is_forum,
        "followed_by": channel.followed_by,
        "followed_at": to_micros(channel.followed_at),
        "solved_tag": channel.solved_tag,
        "take_by_reactions": channel.take_by_reactions,
        "instructs": channel.instructs,
        "told": channel.notice_id,
    }
    this = _channel(channel.guild_id, channel.channel_id)
    if not (
        await connection.execute(update(followed_channels).where(*this).values(values))
    ).rowcount:
        values |= {"guild_id": channel.guild_id, "channel_id": channel.channel_id}
        await connection.execute(insert(followed_channels).values(values))


async def unfollow(connection: AsyncConnection, guild_id: int, channel_id: int) -> bool:
    """Follow a channel no longer; False if it was not. The threads of its posts stay."""
    p = followed_posts.c
    posts = (p.guild_id == guild_id, p.channel_id == channel_id)
    await connection.execute(delete(followed_posts).where(*posts))
    gone = delete(followed_channels).where(*_channel(guild_id, channel_id))
    return bool((await connection.execute(gone)).rowcount)


async def channel(
    connection: AsyncConnection, guild_id: int, channel_id: int
) -> FollowedChannel | None:
    """Return a channel, if it is followed."""
    query = select(followed_channels).where(*_channel(guild_id, channel_id))
    row = (await connection.execute(query)).first()
    return None if row is None else _to_channel(row)


async def channels(connection: AsyncConnection, guild_id: int) -> list[FollowedChannel]:
    """Return the channels that a guild follows, by name."""
    c = followed_channels.c
    query = (
        select(followed_channels)
        .where(c.guild_id == guild_id)
        .order_by(by_code(c.name), c.channel_id)
    )
    return [_to_channel(row) for row in (await connection.execute(query)).all()]


async def rename(connection: AsyncConnection, guild_id: int, channel_id: int, name: str) -> None:
    """Note what a followed channel is called now."""
    this = _channel(guild_id, channel_id)
    await connection.execute(update(followed_channels).where(*this).values(name=name))


async def set_backfill(
    connection: AsyncConnection, guild_id: int, channel_id: int, backfill: Backfill | None
) -> bool:
    """Note how far the backfill of a channel is; False if the channel is not followed.

    To be written in the transaction of what the backfill did.
    """
    values = dict(_NO_BACKFILL)
    if backfill is not None:
        values = {
            "backfill_state": backfill.state.value,
            "backfill_before": to_micros(backfill.before),
            "backfill_post": backfill.post_id,
            "backfill_counts": dict(backfill.counts),
            "backfill_by": backfill.user_id,
            "backfill_shown_in": backfill.shown_in,
            "backfill_shown": backfill.shown_id,
        }
    this = _channel(guild_id, channel_id)
    done = await connection.execute(update(followed_channels).where(*this).values(values))
    return bool(done.rowcount)


async def with_backfill(connection: AsyncConnection, state: BackfillState) -> list[FollowedChannel]:
    """Return the channels of all guilds whose backfill is in a state."""
    query = select(followed_channels).where(followed_channels.c.backfill_state == state.value)
    return [_to_channel(row) for row in (await connection.execute(query)).all()]


async def put_post(connection: AsyncConnection, post: FollowedPost) -> None:
    """Note a post as it is now."""
    await connection.execute(delete(followed_posts).where(followed_posts.c.post_id == post.post_id))
    tells = post.state in (PostState.PROPOSED, PostState.SOLVED)
    row = {
        "post_id": post.post_id,
        "guild_id": post.guild_id,
        "channel_id": post.channel_id,
        "asker_id": post.asker_id,
        "title": post.title[:100] if tells else "",
        "state": post.state.value,
        "rule": None if post.rule is None else post.rule.value,
        "solution_id": post.solution_id,
        "proposed_id": post.proposed_id,
        "rejected": list(post.rejected),
        "thread_id": post.thread_id,
        "note_id": post.note_id,
        "updated_at": to_micros(post.updated_at),
    }
    await connection.execute(insert(followed_posts).values(row))


async def post(connection: AsyncConnection, guild_id: int, post_id: int) -> FollowedPost | None:
    """Return what is known of a guild's post."""
    p = followed_posts.c
    found = await _posts(connection, p.post_id == post_id, p.guild_id == guild_id)
    return found[0] if found else None


async def posts_among(
    connection: AsyncConnection, guild_id: int, post_ids: Collection[int]
) -> list[FollowedPost]:
    """Return what is known of those of a guild's channels that are posts."""
    p = followed_posts.c
    found = list[FollowedPost]()
    for ids in id_batches(post_ids):
        found += await _posts(connection, p.post_id.in_(ids), p.guild_id == guild_id)
    return found


async def posts(
    connection: AsyncConnection,
    guild_id: int,
    state: PostState,
    limit: int,
    channel_id: int | None = None,
) -> list[FollowedPost]:
    """Return posts of a guild that are in a state, those first that changed last."""
    p = followed_posts.c
    which = [p.guild_id == guild_id, p.state == state.value]
    if channel_id is not None:
        which.append(p.channel_id == channel_id)
    return await _posts(connection, *which, limit=limit)


async def count_posts(
    connection: AsyncConnection, guild_id: int
) -> dict[int, dict[PostState, int]]:
    """Return how many posts of each of a guild's channels are in which state."""
    p = followed_posts.c
    query = select(p.channel_id, p.state, func.count()).where(p.guild_id == guild_id)
    found: dict[int, dict[PostState, int]] = {}
    for row in (await connection.execute(query.group_by(p.channel_id, p.state))).all():
        found.setdefault(row[0], {})[PostState(row[1])] = row[2]
    return found


async def drop_post(connection: AsyncConnection, post_id: int) -> None:
    """Forget what is known of a post: it was deleted."""
    await connection.execute(delete(followed_posts).where(followed_posts.c.post_id == post_id))


async def forget_user(connection: AsyncConnection, user_id: int) -> None:
    """Keep no longer who asked, who follows, and who began backfills."""
    for column in (
        followed_posts.c.asker_id,
        followed_channels.c.followed_by,
        followed_channels.c.backfill_by,
    ):
        theirs = update(column.table).where(column == user_id)
        await connection.execute(theirs.values({column.name: 0}))


async def _posts(
    connection: AsyncConnection, *which: ColumnElement[bool], limit: int = 1
) -> list[FollowedPost]:
    p = followed_posts.c
    newest = (p.updated_at.desc(), p.post_id.desc())
    query = select(followed_posts).where(*which).order_by(*newest).limit(limit)
    return [_to_post(row) for row in (await connection.execute(query)).all()]


def _channel(guild_id: int, channel_id: int) -> Collection[ColumnElement[bool]]:
    c = followed_channels.c
    return (c.guild_id == guild_id, c.channel_id == channel_id)


def _to_channel(row: Row[Any]) -> FollowedChannel:
    found = FollowedChannel(
        guild_id=row.guild_id,
        channel_id=row.channel_id,
        name=row.name,
        is_forum=row.is_forum,
        followed_by=row.followed_by,
        followed_at=_time(row.followed_at),
        solved_tag=row.solved_tag,
        take_by_reactions=row.take_by_reactions,
        instructs=row.instructs,
        notice_id=row.told,
    )
    if row.backfill_state is None:
        return found
    backfill = Backfill(
        state=BackfillState(row.backfill_state),
        before=from_micros(row.backfill_before),
        post_id=row.backfill_post,
        counts=row.backfill_counts or {},
        user_id=row.backfill_by or 0,
        shown_in=row.backfill_shown_in,
        shown_id=row.backfill_shown,
    )
    return replace(found, backfill=backfill)


def _to_post(row: Row[Any]) -> FollowedPost:
    return FollowedPost(
        post_id=row.post_id,
        guild_id=row.guild_id,
        channel_id=row.channel_id,
        asker_id=row.asker_id,
        title=row.title,
        state=PostState(row.state),
        rule=None if row.rule is None else Rule(row.rule),
        solution_id=row.solution_id,
        proposed_id=row.proposed_id,
        rejected=tuple(row.rejected),
        thread_id=row.thread_id,
        note_id=row.note_id,
        updated_at=_time(row.updated_at),
    )


def _time(micros: int) -> datetime:
    return from_micros(micros) or EPOCH
