"""Reconciliation of the votes of one message with what Discord showed, in short transactions.

Thousands may have reacted to one message. So what is known is read and compared without the
write lock, and what differs is written for some reactions at a time: live events and other
programs come in between.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from bot.models import Posting, Reaction, Vote
from bot.store import origins, postings, votes
from bot.store.database import Database
from bot.store.votes import VotePlace

BUDGET = 0.05
"""Seconds for which a transaction may hold the write lock: other programs wait for it.

Slices shrink when one took more than half of that, and grow when it took less than a quarter.
"""

SMALLEST, FIRST, LARGEST = 10, 50, 200
"""Members in a slice. A slow computer takes a millisecond for each, and the first slice must
not be over the budget there; from 200 on, more in one transaction is hardly quicker."""

PAUSE = 0.01
"""Seconds between two transactions, beside those that the last one took."""

_STEP = 2000
"""Members that are compared before others have a turn on the event loop."""

Reactions = Mapping[int, set[Reaction]]
"""Reactions on a message, by member."""


class LiveEvents(Protocol):
    """The events of a message since Discord was asked for what it shows."""

    def decides(self, reaction: Reaction) -> bool:
        """Return whether an event was about this reaction, or about all of its emoji."""

    def has_events_of(self, user_id: int) -> bool:
        """Return whether any event was of this member."""


_Live = LiveEvents | None


class _Difference(NamedTuple):
    """The reactions of one member that are to be removed and added."""

    user_id: int
    gone: set[Reaction]
    new: set[Reaction]


class Reconciling:
    """Compares what is known of a message with what it showed.

    ``clock`` returns seconds that only go up.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic):
        self._database, self._clock = database, clock

    async def compare(
        self,
        message_id: int,
        shown: Collection[Reaction],
        live: LiveEvents | None = None,
        since: int | None = None,
    ) -> int:
        """Add the reactions that came and remove those that went; return how many those were.

        Those of the answer's author don't count. ``live`` decides for what
        it is about; reactions of such members are older than their events: of ``since``, in
        Unix microseconds.
        """
        since = since if since is not None else time.time_ns() // 1000
        async with self._database.read() as connection:
            posting = await postings.get(connection, message_id)
            if posting is None:
                return 0
            author = await origins.author_of(connection, posting.answer_id)
            known = await _known(connection, posting)
        wanted: dict[int, set[Reaction]] = {}
        for reaction in shown:
            wanted.setdefault(reaction.user_id, set()).add(reaction)
        differences = await _differences(known, wanted, author.is_member)
        return await self._write_all(posting, differences, live, since)

    async def clear(self, message_id: int, value: Vote | None) -> None:
        """Remove all reactions of a message, or those of one value."""
        async with self._database.read() as connection:
            posting = await postings.get(connection, message_id)
            if posting is None:
                return
            known = await _known(connection, posting)
        gone = {u: {r for r in there if value in (None, r.value)} for u, there in known.items()}
        differences = [_Difference(user_id, gone[user_id], set()) for user_id in sorted(gone)]
        await self._write_all(posting, [each for each in differences if each.gone], None, 0)

    async def _write_all(
        self,
        posting: Posting,
        differences: Sequence[_Difference],
        live: LiveEvents | None,
        since: int,
    ) -> int:
        """Write differences, some members at a time; return how many reactions changed."""
        size, done, changed = FIRST, 0, 0
        while done < len(differences):
            some = differences[done : done + size]
            done += len(some)
            count, seconds = await self._write(VotePlace.of(posting), some, live, since)
            changed += count
            if done < len(differences):  # other programs look for the lock again and again
                await asyncio.sleep(seconds + PAUSE)
            size = _next_size(size, seconds)
        return changed

    async def _write(
        self,
        place: VotePlace,
        differences: Sequence[_Difference],
        live: LiveEvents | None,
        since: int,
    ) -> tuple[int, float]:
        """Write for some members; return how many reactions changed, and how long that took.

        Events decide that were heard until the lock was there: they are written already, or
        will be afterwards. The seconds are those for which the lock was held.
        """
        users = [each.user_id for each in differences]
        newest = await self._database.reading(votes.newest_times, place, users)
        async with self._database.write(voters=users) as connection:
            begun = self._clock()
            posting = await postings.get(connection, place.posting_id)
            if posting is None or VotePlace.of(posting) != place:
                return 0, 0.0  # it is gone, or shows another answer now
            gone = [r for each in differences for r in each.gone if not (live and live.decides(r))]
            new = [r for each in differences for r in each.new if not (live and live.decides(r))]
            if gone or new:
                await votes.remove(connection, place, gone)
                timed = [(r, _given_at(r, newest, live, since)) for r in new]
                await votes.add(connection, place, timed)
                await votes.update(connection, place, users)
        return len(gone) + len(new), self._clock() - begun  # with the commit


def _next_size(size: int, seconds: float) -> int:
    """Return for how many members to write after so many took so long."""
    if seconds > BUDGET / 2:
        return max(SMALLEST, min(size // 2, int(size * BUDGET / 2 / seconds)))
    return min(LARGEST, size + size // 2) if seconds < BUDGET / 4 else size


async def _known(connection: Any, posting: Posting) -> Reactions:
    known: dict[int, set[Reaction]] = {}
    async for portion in votes.standing(connection, VotePlace.of(posting)):
        for reaction in portion:
            known.setdefault(reaction.user_id, set()).add(reaction)
    return known


async def _differences(
    known: Reactions, shown: Reactions, is_own: Callable[[int], bool]
) -> list[_Difference]:
    """Return what makes the known reactions those that are shown, by member."""
    differences = list[_Difference]()
    everybody = sorted(known.keys() | shown.keys())
    for start in range(0, len(everybody), _STEP):
        for user_id in everybody[start : start + _STEP]:
            then, now = known.get(user_id, set()), shown.get(user_id, set())
            new = set() if then == now or is_own(user_id) else now - then
            if new or then - now:
                differences.append(_Difference(user_id, then - now, new))
        await asyncio.sleep(0)
    return differences


def _given_at(reaction: Reaction, newest: Mapping[int, int], live: _Live, since: int) -> int:
    """Return when a reaction counts as given: last, but before the events that came meanwhile."""
    if live and live.has_events_of(reaction.user_id):
        return since
    return max(since, newest.get(reaction.user_id, 0) + 1)
