"""Turns of writers on a server: of all but votes one after another, of votes member by member.

They are advisory locks of PostgreSQL, which end with their transaction. On SQLite all writers
take turns anyway: ``lock_votes`` does nothing there, and the others are not called.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

CHANNEL = "threadwise_changes"
"""The channel that is notified when a transaction that took its turn is committed."""

_OURS = 0x7477
"""The first number of our locks; the second is one of these."""
_TURN, _VOTES, _MEMBERS = 0, 1, 1000

BUCKETS = 64
"""Locks that members share, by their ids: a server has room for some thousands."""

_TAKE_TURN = text(f"SELECT pg_advisory_xact_lock({_OURS}, {_TURN}), pg_notify('{CHANNEL}', '')")
_ALL_VOTES = text(f"SELECT pg_advisory_xact_lock({_OURS}, {_VOTES})")
_OF_VOTERS = text(
    f"SELECT pg_advisory_xact_lock_shared({_OURS}, {_VOTES}) UNION ALL "
    f"SELECT pg_advisory_xact_lock({_OURS}, bucket) FROM unnest(CAST(:buckets AS int[])) AS bucket"
)


async def take_turn(connection: AsyncConnection) -> None:
    """Wait for all others that write anything but votes; the commit notifies those who listen."""
    await connection.execute(_TAKE_TURN)


async def lock_voters(connection: AsyncConnection, user_ids: Collection[int]) -> None:
    """Wait for others that write votes of these members, and for who holds ``lock_votes``."""
    # The low bits of Discord's ids are alike; in order, so that no two wait for each other.
    buckets = sorted({_MEMBERS + (user_id >> 22 ^ user_id) % BUCKETS for user_id in user_ids})
    await connection.execute(_OF_VOTERS, {"buckets": buckets})


async def lock_votes(connection: AsyncConnection) -> None:
    """Wait for all that write votes, before votes or what they are on are moved or deleted.

    Only in a transaction that has taken its turn.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(_ALL_VOTES)
