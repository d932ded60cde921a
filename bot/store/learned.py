"""Learned phrasings: questions in which a guild's members asked for a thread.

They belong to one guild and are read only for it. Each row is one member's; rows of one thread
and wording are one phrasing. It counts for its members, and for the whole guild once it is
confirmed: by two of them, or by a helper. What is worth learning, and who counts,
is decided by ``services/learning.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import Posting
from bot.phrasings import LearnedPhrasing, Standing
from bot.store.phrasing_room import make_room
from bot.store.phrasing_rows import grouped, phrasing_of
from bot.store.portable_sql import greatest
from bot.store.rows import row_batches, to_micros
from bot.store.tables import IN_FORCE, threads
from bot.store.tables import learned_phrasings as learned


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPhrasing:
    """A phrasing to be added: the question of a posting, for the thread that it shows.

    ``wording`` is the same for texts in the same words; ``chosen`` says that the asker
    chose the thread in a menu, rather than voted for its answer, ``counts`` that the member is
    one of those of whom two confirm it, ``own_words`` that they said it themselves. By its
    ``standing`` it counts besides: at once if a helper chose the thread, or taught it.
    """

    guild_id: int
    thread_id: int
    text: str
    wording: str
    user_id: int
    message_id: int
    chosen: bool
    counts: bool = True
    own_words: bool = True
    standing: Standing = Standing.NONE


async def add(connection: AsyncConnection, phrasing: NewPhrasing, cap: int) -> int | None:
    """Add what a member taught and return its id; ``None`` if they had taught it already.

    A thread keeps ``cap`` phrasings that are confirmed in a guild, and as many that are not yet.
    Of more, the member with the most, by who taught each first, loses their oldest: so a member
    can push out phrasings only of members who have more than they. ``None`` is returned as well
    if that is the new phrasing itself. What helpers kept isn't pushed out.
    """
    same = _same(phrasing.guild_id, phrasing.thread_id, phrasing.wording)
    if phrasing.standing is Standing.KEPT:
        await connection.execute(update(learned).where(*same).values(standing=Standing.KEPT))
    kept = await connection.scalar(select(learned.c.id).where(*same, _KEPT).limit(1))
    standing = phrasing.standing if kept is None else Standing.KEPT
    place = (phrasing.guild_id, phrasing.thread_id, phrasing.wording)
    row = asdict(phrasing) | {"learned_at": to_micros(datetime.now(UTC)), "standing": standing}
    try:
        async with connection.begin_nested():  # or a refusal would spoil the transaction
            added = await connection.scalar(insert(learned).values(row).returning(learned.c.id))
    except IntegrityError:
        if await _teach_again(connection, phrasing):
            await make_room(connection, *place, cap)
        return None
    gone = await make_room(connection, *place, cap)
    return None if gone or added is None else int(added)


async def _teach_again(connection: AsyncConnection, phrasing: NewPhrasing) -> bool:
    """Let what a member taught before count, if it does now, and be said in their own words.

    They may have been too new then, or have confirmed another's. Returns whether it is there.
    """
    same = _same(phrasing.guild_id, phrasing.thread_id, phrasing.wording)
    mine = (*same, learned.c.user_id == phrasing.user_id)
    if phrasing.own_words:
        said = {"text": phrasing.text, "message_id": phrasing.message_id, "own_words": True}
        values = said | {"chosen": phrasing.chosen}
        another = (*mine, ~learned.c.own_words)
        await connection.execute(update(learned).where(*another).values(values))
    standing = greatest(learned.c.standing, phrasing.standing)
    now = {"counts": learned.c.counts | phrasing.counts, "standing": standing}
    known = await connection.execute(update(learned).where(*mine).values(now))
    return known.rowcount > 0


async def take_back(
    connection: AsyncConnection, guild_id: int, thread_id: int, message_id: int, wording: str | None
) -> int:
    """Delete the phrasings learned from a posting and, if given, the wording; return how many
    rows. What helpers kept stays.
    """
    here = (learned.c.guild_id == guild_id, learned.c.thread_id == thread_id)
    of_posting = select(learned.c.wording).where(*here, learned.c.message_id == message_id)
    wrong = or_(learned.c.wording.in_(of_posting), learned.c.wording == wording)
    gone = delete(learned).where(*here, wrong, ~_KEPT)
    return int((await connection.execute(gone)).rowcount)


async def confirm(
    connection: AsyncConnection, posting: Posting, user_id: int, cap: int
) -> int | None:
    """Add a member who voted for a posting to those who taught the phrasing learned from it.

    Returns an id; ``None`` if nothing was learned from it, or they taught it already.
    """
    of_posting = (learned.c.message_id == posting.message_id, learned.c.own_words)
    query = select(learned).where(*of_posting, learned.c.thread_id == posting.thread_id)
    row = (await connection.execute(query.order_by(learned.c.id).limit(1))).first()
    if row is None:
        return None
    same = {name: getattr(row, name) for name in ("guild_id", "thread_id", "text", "wording")}
    confirmation = NewPhrasing(
        **same, message_id=row.message_id, user_id=user_id, chosen=False, own_words=False
    )
    return await add(connection, confirmation, cap)


async def withdraw(
    connection: AsyncConnection, message_id: int, confirming: int | None = None
) -> int:
    """Delete what was learned from votes on a posting, not from choices; return how many rows.

    With the id of a member who is ``confirming``, only what follows from their vote; else the
    asker's, and with what they taught those who confirmed it. What helpers kept stays.
    """
    here = (learned.c.message_id == message_id, ~_KEPT)
    mine = learned.c.own_words & learned.c.chosen.is_(False)
    if confirming is not None:
        mine = ~learned.c.own_words & (learned.c.user_id == confirming)
    gone = int((await connection.execute(delete(learned).where(*here, mine))).rowcount)
    taught = select(learned.c.id).where(learned.c.message_id == message_id, learned.c.own_words)
    if await connection.scalar(taught.limit(1)) is None:
        gone += int((await connection.execute(delete(learned).where(*here))).rowcount)
    return gone


async def taught_since(
    connection: AsyncConnection, guild_id: int, user_id: int, since: datetime
) -> int:
    """Count what a member taught a guild since a time, as far as it counts for the guild."""
    mine = (learned.c.guild_id == guild_id, learned.c.user_id == user_id, learned.c.counts)
    query = select(func.count()).select_from(learned)
    query = query.where(*mine, learned.c.learned_at > to_micros(since))
    return await connection.scalar(query) or 0


async def of_guild(
    connection: AsyncConnection, guild_id: int, *, only_kept: bool = False
) -> list[LearnedPhrasing]:
    """Return a guild's phrasings of threads that it can see, the one taught last first.

    With ``only_kept``, those alone are confirmed that a helper kept or taught.
    """
    return await _found(connection, _of_guild(guild_id), only_kept=only_kept)


async def saying(
    connection: AsyncConnection, guild_id: int, parts: Sequence[str], *, only_kept: bool = False
) -> list[LearnedPhrasing]:
    """Return those of ``of_guild`` in whose wording all of the parts occur."""
    conditions = [learned.c.wording.contains(part, autoescape=True) for part in parts]
    return await _found(connection, _of_guild(guild_id).where(*conditions), only_kept=only_kept)


async def version(
    connection: AsyncConnection, guild_id: int, model: str | None = None
) -> tuple[int, int, int, int]:
    """Return four numbers that change with a guild's phrasings.

    The highest id, which every addition raises, since ids are never given again; how many
    rows there are; how many have a vector of ``model``; and a sum that grows when a row begins to
    count, is kept, or gets its member's own words.
    """
    of_model = func.count(case((learned.c.model == model, 1)))
    grown = sum((cast(c, Integer) for c in _ONLY_GROWING), literal(0))
    standing = func.coalesce(func.sum(grown), 0)
    query = select(func.coalesce(func.max(learned.c.id), 0), func.count(), of_model, standing)
    query = query.select_from(learned.join(threads)).where(IN_FORCE)
    row = (await connection.execute(query.where(learned.c.guild_id == guild_id))).one()
    return int(row[0]), int(row[1]), int(row[2]), int(row[3])


async def keep(connection: AsyncConnection, guild_id: int, phrasing_id: int) -> str | None:
    """Let a phrasing count for its guild, and return its text; ``None`` if there is none."""
    row = await _one(connection, guild_id, phrasing_id)
    if row is None:
        return None
    same = _same(guild_id, row.thread_id, row.wording)
    await connection.execute(update(learned).where(*same).values(standing=Standing.KEPT))
    return str(row.text)


async def remove(connection: AsyncConnection, guild_id: int, phrasing_id: int) -> str | None:
    """Delete a phrasing of a guild, whoever taught it, and return its text, if there is one."""
    row = await _one(connection, guild_id, phrasing_id)
    if row is None:
        return None
    same = _same(guild_id, row.thread_id, row.wording)
    await connection.execute(delete(learned).where(*same))
    return str(row.text)


async def forget_user(connection: AsyncConnection, user_id: int) -> int:
    """Delete what a member taught in every guild, and others' confirmations of just that.

    Returns how many phrasings of theirs it was.
    """
    said = select(learned.c.message_id).where(learned.c.user_id == user_id, learned.c.own_words)
    confirmed = ~learned.c.own_words & learned.c.message_id.in_(said)
    await connection.execute(delete(learned).where(confirmed, learned.c.user_id != user_id))
    gone = delete(learned).where(learned.c.user_id == user_id)
    return int((await connection.execute(gone)).rowcount)


_ONLY_GROWING = (learned.c.standing, learned.c.counts, learned.c.own_words)

_KEPT: ColumnElement[bool] = learned.c.standing == Standing.KEPT


def _same(guild_id: int, thread_id: int, wording: str) -> tuple[ColumnElement[bool], ...]:
    """Return the condition of the rows of one phrasing."""
    c = learned.c
    return c.guild_id == guild_id, c.thread_id == thread_id, c.wording == wording


async def _one(connection: AsyncConnection, guild_id: int, phrasing_id: int) -> Row[Any] | None:
    this = (learned.c.id == phrasing_id, learned.c.guild_id == guild_id)
    return (await connection.execute(select(learned).where(*this))).one_or_none()


def _of_guild(guild_id: int) -> Select[Any]:
    return (
        select(learned, threads.c.key, threads.c.title)
        .join(threads, threads.c.id == learned.c.thread_id)
        .where(learned.c.guild_id == guild_id, IN_FORCE)
        .order_by(learned.c.id)
    )


async def _found(
    connection: AsyncConnection, query: Select[Any], *, only_kept: bool
) -> list[LearnedPhrasing]:
    rows = [row async for batch in row_batches(connection, query) for row in batch]
    newest_first = sorted(grouped(rows), key=lambda group: -group[-1].id)
    return [phrasing_of(group, only_kept=only_kept) for group in newest_first]
