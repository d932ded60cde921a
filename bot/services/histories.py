"""Histories of a guild's threads, with exports and imports that are asked for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from bot.curation import KeptHistory, Revision
from bot.sources.history_lines import Line, read_histories, write_history
from bot.sources.report import SourceReport
from bot.store import histories
from bot.store.database import Database
from bot.store.histories import Taken
from bot.worker import in_thread

AT_ONCE = 50
"""States that are in memory together, or written in one transaction."""

LEFT = "histories of threads that have one here, or other answers"


class Histories:
    """Writes what was changed of a guild's threads, and takes it in."""

    def __init__(self, database: Database):
        self._database = database

    async def export(self, guild_id: int, write: Callable[[str], object]) -> int:
        """Write the histories of a guild's threads; return how many states that were."""
        last, count = 0, 0
        while found := await self._database.reading(histories.named, guild_id, last, AT_ONCE):
            await in_thread(_write, write, found)
            last = found[-1].thread_id
        last = 0
        while states := await self._database.reading(histories.page, guild_id, last, AT_ONCE):
            await in_thread(_write, write, states)
            last, count = states[-1].id, count + len(states)
        return count

    async def take(self, paths: Sequence[Path], guild_id: int, report: SourceReport) -> Taken:
        """Take the histories of files in, whose threads are in the library; names what is refused.

        A thread that has a history here keeps that. What an import that was killed has taken in
        is taken in anew. Raises StoreError where another import does so meanwhile.
        """
        total = Taken()
        for path in paths:
            taken, lines = Taken(), read_histories(path, report)
            await self._database.writing(histories.begin, guild_id, taken)
            while batch := await in_thread(_next, lines):
                async with self._database.write() as connection:
                    await histories.check_is_latest(connection, guild_id, taken)
                    for line in batch:
                        if isinstance(line, KeptHistory):
                            await histories.take_name(connection, guild_id, line, taken)
                        else:
                            await histories.take_state(connection, guild_id, line, taken)
            async with self._database.write() as connection:
                await histories.check_is_latest(connection, guild_id, taken)
                await histories.finish(connection, guild_id, taken)
            total.states += taken.states
            if taken.left:
                report.pass_over(LEFT, len(taken.left))
        return total


def _write(write: Callable[[str], object], lines: Sequence[KeptHistory | Revision]) -> None:
    for line in lines:
        write(write_history(line))


def _next(lines: Iterator[Line]) -> list[Line]:
    return list(islice(lines, AT_ONCE))
