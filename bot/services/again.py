"""The same files imported again: known by what is in them, not read a second time.

Imports that are repeated by the clock mostly bring what they brought before. Reading it all
to find that out takes a third of the time it took at first; a digest takes a hundredth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.services.steps import in_thread
from bot.sources import Options, SourceReport
from bot.sources.sameness import digest_of
from bot.store import imports
from bot.store.database import Database


class Again:
    """One import into a scope; ``unchanged`` first, ``note`` when all of it was taken in."""

    def __init__(self, database: Database, scope: int):
        self._database, self.scope = database, scope
        self._digest: str | None = None
        self._standing: imports.Standing | None = None  # of no use once others changed something

    async def unchanged(
        self, paths: Sequence[Path], options: Options, seen: SourceReport, *, prune: bool
    ) -> int | None:
        """How many threads there are in these files, if an import would change nothing.

        What such files hold beside threads is told in the report.
        """
        digest = await in_thread(digest_of, paths, options, seen)
        if digest is None:
            return None
        self._digest = f"{digest}{'p' * prune}"
        async with self._database.read() as connection:
            self._standing = await imports.standing(connection, self.scope)
            outcome = await imports.noted(connection, self.scope, self._digest)
        if outcome is None:
            return None
        seen.passed_over += Counter(outcome["passed_over"])
        seen.unknown_keys += Counter(outcome["unknown_keys"])
        return int(outcome["threads"])

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Any]:
        """A transaction of this import's: what it changes is told from what others do."""
        async with self._database.write() as connection:
            alone = await self._is_alone(connection)
            yield connection
            self._standing = await imports.standing(connection, self.scope) if alone else None

    async def note(self, threads: int, seen: SourceReport) -> None:
        """Note that all the threads are in, unless others have changed anything meanwhile.

        Only for imports that nothing was refused of, and nothing changed: it isn't told again.
        """
        if self._digest is None:
            return
        outcome: dict[str, Any] = {
            "threads": threads,
            "passed_over": seen.passed_over,
            "unknown_keys": seen.unknown_keys,
        }
        async with self._database.write() as connection:
            if await self._is_alone(connection):
                await imports.note(connection, self.scope, self._digest, outcome)

    async def _is_alone(self, connection: Any) -> bool:
        """Whether nobody else has changed anything since; if nobody looked, that isn't known."""
        if self._standing is None:
            return False
        return await imports.standing(connection, self.scope) == self._standing
