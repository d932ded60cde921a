"""The learned phrasings of guilds, kept in memory until they change."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.models import SHARED, LearnedPhrasing
from bot.search.engine import Engine
from bot.search.guild_phrasings import NO_PHRASINGS, GuildPhrasings
from bot.services.guilds import Guilds
from bot.store import change_feed, learned
from bot.store.database import Database

if TYPE_CHECKING:
    from bot.search.semantic.retrieval import SemanticIndex

GUILDS = 200
"""Guilds whose phrasings are kept: those that asked last, so that
memory stays bounded on a bot with thousands of servers."""


class PhrasingCache:
    """Gives the learned phrasings of guilds as the search uses them, always up to date."""

    def __init__(self, database: Database, engine: Engine, guilds: Guilds):
        self._database, self._engine, self._guilds = database, engine, guilds
        self._kept: OrderedDict[int, tuple[object, GuildPhrasings]] = OrderedDict()

    async def of(self, guild_id: int) -> GuildPhrasings:
        """Return a guild's phrasings; none in direct messages or where learning is off."""
        if guild_id == SHARED or not (await self._guilds.settings(guild_id)).learn_phrasings:
            return NO_PHRASINGS
        meaning = self._engine.meaning
        model = meaning.model if meaning is not None else None
        async with self._database.read() as connection:
            # Asked each time: another process may have learned, or given a thread a new title.
            now = await learned.version(connection, guild_id, model)
            if now == _EMPTY:
                return NO_PHRASINGS
            version = (now, await change_feed.last_change(connection, text=True))
            kept = self._kept.get(guild_id)
            if kept is not None and kept[0] == version:
                self._kept.move_to_end(guild_id)
                return kept[1]
            phrasings = await learned.of_guild(connection, guild_id)
        taught = await asyncio.to_thread(_ready, phrasings, meaning)
        self._kept[guild_id] = (version, taught)
        self._kept.move_to_end(guild_id)
        while len(self._kept) > GUILDS:
            self._kept.popitem(last=False)
        return taught


def _ready(phrasings: Sequence[LearnedPhrasing], meaning: SemanticIndex | None) -> GuildPhrasings:
    return GuildPhrasings(phrasings, meaning.phrasing_vectors(phrasings) if meaning else None)


_EMPTY = (0, 0, 0)
