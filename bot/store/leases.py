"""Leases: which process does a work that one alone need do.

The value of a lease is its holder, and a number that the holder counts up as long as it lives.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.facts import fact
from bot.store.tables import facts

PREFIX = "lease "


class Lease(NamedTuple):
    """A lease's holder, and how often it was renewed."""

    holder: str
    beat: int


async def seen(connection: AsyncConnection, name: str) -> Lease | None:
    """Return a lease; ``None`` where nobody has it."""
    value = await fact(connection, PREFIX + name)
    if value is None:
        return None
    holder, _, beat = value.partition(" ")
    return Lease(holder, int(beat))


async def put(connection: AsyncConnection, name: str, before: Lease | None, now: Lease) -> bool:
    """Write a lease that was ``before``; False if it is another one meanwhile."""
    if before is None:
        try:
            async with connection.begin_nested():
                row = {"name": PREFIX + name, "value": _value(now)}
                await connection.execute(insert(facts).values(row))
        except IntegrityError:
            return False
        return True
    this = (facts.c.name == PREFIX + name, facts.c.value == _value(before))
    done = await connection.execute(update(facts).where(*this).values(value=_value(now)))
    return done.rowcount == 1


async def release(connection: AsyncConnection, leases: dict[str, Lease]) -> None:
    """Delete leases that are still as their holder has written them."""
    for name, lease in leases.items():
        this = (facts.c.name == PREFIX + name, facts.c.value == _value(lease))
        await connection.execute(delete(facts).where(*this))


def _value(lease: Lease) -> str:
    return f"{lease.holder} {lease.beat}"
