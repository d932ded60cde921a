"""The bound of learned phrasings that a thread keeps in a guild, and which of more go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.phrasings import Standing
from bot.store.phrasing_rows import grouped, is_agreed
from bot.store.tables import learned_phrasings as learned


async def make_room(
    connection: AsyncConnection, guild_id: int, thread_id: int, wording: str, cap: int
) -> bool:
    """Delete a thread's phrasings beyond ``cap``; return whether this wording is among them.

    Looked at are those that are agreed upon, as this one is, or else those that are not.
    """
    this = (learned.c.guild_id == guild_id, learned.c.thread_id == thread_id)
    rows = (await connection.execute(select(learned).where(*this).order_by(learned.c.id))).all()
    groups = {group[0].wording: group for group in grouped(rows)}
    agreed = is_agreed(groups[wording])
    rivals = {
        group[0].id: other
        for other, group in groups.items()
        if is_agreed(group) == agreed and group[0].standing != Standing.KEPT
    }
    first = [(group[0].id, group[0].user_id) for group in groups.values() if group[0].id in rivals]
    gone = [rivals[number] for number in surplus(first, groups[wording][0].user_id, cap)]
    await connection.execute(delete(learned).where(*this, learned.c.wording.in_(gone)))
    return wording in gone


def surplus(kept: Sequence[tuple[int, int]], newcomer: int, cap: int) -> list[int]:
    """Return the ids to delete, of pairs (id, member) from the oldest to the newest.

    Of members with the same number of phrasings, the newcomer loses one.
    """
    left, gone = list(kept), list[int]()
    while len(left) > cap:
        counts = Counter(user_id for _, user_id in left)
        most = max(counts, key=lambda user_id: (counts[user_id], user_id == newcomer))
        oldest = next(pair for pair in left if pair[1] == most)
        left.remove(oldest)
        gone.append(oldest[0])
    return gone
