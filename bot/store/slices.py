"""Large results read a slice at a time, so that whoever else uses the event loop has a turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Executable, Row
from sqlalchemy.ext.asyncio import AsyncConnection

SLICE = 250
"""Rows that are made objects of at a time: some 5 ms of work."""


async def slices(
    connection: AsyncConnection, query: Executable
) -> AsyncIterator[Sequence[Row[Any]]]:
    """Yield a query's rows in slices, letting others run between two of them."""
    result = await connection.execute(query)
    for number, part in enumerate(result.partitions(SLICE)):
        if number:
            await asyncio.sleep(0)
        yield part
