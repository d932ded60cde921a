"""Imports that were taken in whole, so that the same again need not be read."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.guilds import fact, set_fact
from bot.store.tables import facts
from bot.store.threads import last_change

Standing = tuple[int, int]
"""How a scope stands: batches that were ever put into it, the last change of any text."""


async def count_batch(connection: AsyncConnection, scope: int) -> None:
    """Say that threads are put into a scope: what was noted of its imports holds no longer."""
    now = await _batches(connection, scope) + 1
    await set_fact(connection, f"batches:{scope}", str(now))


async def standing(connection: AsyncConnection, scope: int) -> Standing:
    """How the scope stands now: while that is the same, an import would change nothing."""
    return await _batches(connection, scope), await last_change(connection, text=True)


async def note(
    connection: AsyncConnection, scope: int, digest: str, outcome: dict[str, Any]
) -> None:
    """Note what an import came to that took everything in, as the scope stands now."""
    now = await standing(connection, scope)
    for name, value in (await _noted(connection, scope)).items():
        # What was noted before others put something in will never hold again.
        if tuple(json.loads(value)["standing"]) != now:
            await connection.execute(delete(facts).where(facts.c.name == name))
    value = json.dumps({"standing": now, "outcome": outcome})
    await set_fact(connection, _name(scope, digest), value)


async def noted(connection: AsyncConnection, scope: int, digest: str) -> dict[str, Any] | None:
    """What was noted of an import, if the scope still stands as it did then."""
    if (value := await fact(connection, _name(scope, digest))) is None:
        return None
    found = json.loads(value)
    now = await standing(connection, scope)
    outcome: dict[str, Any] = found["outcome"]
    return outcome if tuple(found["standing"]) == now else None


async def _batches(connection: AsyncConnection, scope: int) -> int:
    return int(await fact(connection, f"batches:{scope}") or 0)


async def _noted(connection: AsyncConnection, scope: int) -> dict[str, str]:
    query = select(facts.c.name, facts.c.value)
    query = query.where(facts.c.name.startswith(_name(scope, ""), autoescape=True))
    return {row.name: row.value for row in (await connection.execute(query)).all()}


def _name(scope: int, digest: str) -> str:
    return f"import:{scope}:{digest}"
