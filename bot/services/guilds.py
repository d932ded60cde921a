"""The settings and the learned phrasings of guilds, cached."""

from __future__ import annotations

import asyncio
import logging
import unicodedata
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from bot.emoji_form import KEYCAP
from bot.errors import ConfigError
from bot.guild_settings import GuildSettings
from bot.log_throttle import FailureLog
from bot.models import SHARED, Mode
from bot.phrasings import LearnedPhrasing
from bot.search.engine import Engine
from bot.search.guild_phrasings import NO_PHRASINGS, GuildPhrasings
from bot.settings import Settings
from bot.settings_commands import check, refusal_of
from bot.store import change_feed, learned
from bot.store import guilds as table
from bot.store.database import Database
from bot.store.facts import COMMAND_TREE_HASH, fact, set_fact

if TYPE_CHECKING:
    from bot.search.semantic.retrieval import SemanticIndex

T = TypeVar("T")

POLL_SECONDS = 5.0
"""Seconds between two looks whether another process has changed something, where the database
doesn't tell of it (SQLite)."""

log = logging.getLogger(__name__)


class Guilds:
    """Settings and channel modes of guilds, kept in memory once they are read.

    ``run`` drops them from memory when another process has changed some.
    """

    def __init__(self, database: Database, settings: Settings):
        self._database, self._defaults = database, settings.guild_defaults
        self._ask_channels = frozenset(bare_name(name) for name in settings.ask_channels)
        self._settings: dict[int, GuildSettings] = {}
        self._modes: dict[int, dict[int, Mode]] = {}
        self._drops = 0  # how often they were dropped

    async def settings(self, guild_id: int) -> GuildSettings:
        """Return the settings in force in a guild."""
        return await self._cached(self._settings, self._read_settings, guild_id)

    async def update(self, guild_id: int, **changes: Any) -> GuildSettings:
        """Change a guild's settings; ``None`` goes back to the host's default.

        Raises ConfigError, in words for the moderator, when the result makes no sense.
        """
        async with self._database.write() as connection:
            changed = await table.overrides(connection, guild_id) | changes
            kept = {name: value for name, value in changed.items() if value is not None}
            result = self._in_force(kept)
            check(result)
            given = {name: getattr(result, name) for name in kept}
            await table.set_overrides(connection, guild_id, given)
        self.drop_cached()
        return result

    async def mode(
        self,
        guild_id: int,
        channel_id: int,
        channel_name: str,
        parent_id: int | None = None,
        category_id: int | None = None,
    ) -> Mode:
        """Return when the bot speaks in a channel; ``parent_id`` is that of a Discord thread.

        ``channel_name`` and ``category_id`` are the parent's where there is a parent.
        """
        explicit = await self.modes(guild_id)
        for known in (channel_id, parent_id, category_id):
            if known in explicit:
                return explicit[known]
        return Mode.ASK if bare_name(channel_name) in self._ask_channels else Mode.MENTION

    async def modes(self, guild_id: int) -> dict[int, Mode]:
        """Return the modes that moderators set, by channel id."""
        known = await self._cached(self._modes, self._read_modes, guild_id)
        return dict(known)

    async def set_mode(self, guild_id: int, channel_id: int, mode: Mode | None) -> None:
        """Set a channel's mode; ``None`` goes back to the default."""
        await self._database.writing(table.set_mode, guild_id, channel_id, mode)
        self.drop_cached()

    async def note_deletion(self) -> None:
        """Drop what is cached, in other processes as well: a guild's data was deleted."""
        await self._database.writing(table.raise_version)
        self.drop_cached()

    def drop_cached(self) -> None:
        """Drop the settings and modes of all guilds, so that they are read again."""
        self._drops += 1
        self._settings.clear()
        self._modes.clear()

    async def run(self) -> None:
        """Drop what is cached when another process has changed something; never returns.

        A failure is logged, once until something else happens; the next turn tries again.
        """
        failures = FailureLog(log, "settings could not be looked at; trying again")
        watch, seen, is_due = self._database.watch(), -1, True
        while True:
            try:
                if is_due:
                    seen, is_due = await self._notice(seen), False
                    failures.worked()
            except Exception as error:
                failures.failed(error)
            is_due |= await watch.wait(POLL_SECONDS)  # a look that failed stays due

    async def _notice(self, seen: int) -> int:
        """Drop what is cached unless the version is the one that was seen; return the version."""
        now = await self._database.reading(table.version)
        if now != seen:
            self.drop_cached()
        return now

    async def tree_hash(self) -> str | None:
        """Return the hash of the command tree that was last sent to Discord."""
        return await self._database.reading(fact, COMMAND_TREE_HASH)

    async def set_tree_hash(self, value: str) -> None:
        """Keep the hash of the command tree that Discord has now."""
        await self._database.writing(set_fact, COMMAND_TREE_HASH, value)

    async def _cached(
        self, cache: dict[int, T], read: Callable[[int], Awaitable[T]], guild_id: int
    ) -> T:
        """Return what is cached of a guild; read it, and cache it, where it isn't."""
        known = cache.get(guild_id)
        if known is None:
            drops = self._drops
            known = await read(guild_id)
            if drops == self._drops:  # else it may be out of date
                cache[guild_id] = known
        return known

    async def _read_settings(self, guild_id: int) -> GuildSettings:
        return self._in_force(await self._database.reading(table.overrides, guild_id))

    async def _read_modes(self, guild_id: int) -> dict[int, Mode]:
        return await self._database.reading(table.modes, guild_id)

    def _in_force(self, changed: dict[str, Any]) -> GuildSettings:
        try:
            return GuildSettings(**self._defaults.model_dump() | changed)
        except ValidationError as error:
            raise ConfigError(refusal_of(str(error.errors()[0]["loc"][0]))) from None


def bare_name(channel_name: str) -> str:
    """Return a channel's name without decorations: "💬・Ask" is "ask", and so is "𝗮𝘀𝗸"."""
    name = unicodedata.normalize("NFKC", KEYCAP.sub("", channel_name)).casefold()
    written = [place for place, sign in enumerate(name) if sign.isalnum()]
    return name[written[0] : written[-1] + 1] if written else ""


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
        settings = await self._guilds.settings(guild_id)
        if guild_id == SHARED or not settings.learn_phrasings:
            return NO_PHRASINGS
        only_kept = settings.confirm_phrasings
        semantic = self._engine.semantic
        model = semantic.model if semantic is not None else None
        async with self._database.read() as connection:
            # Asked each time: another process may have learned, or given a thread a new title.
            now = await learned.version(connection, guild_id, model)
            if now == _EMPTY:
                return NO_PHRASINGS
            version = (now, only_kept, await change_feed.last_change(connection, text=True))
            kept = self._kept.get(guild_id)
            if kept is not None and kept[0] == version:
                self._kept.move_to_end(guild_id)
                return kept[1]
            phrasings = await learned.of_guild(connection, guild_id, only_kept=only_kept)
        made = await asyncio.to_thread(_ready, phrasings, semantic)
        self._kept[guild_id] = (version, made)
        self._kept.move_to_end(guild_id)
        while len(self._kept) > GUILDS:
            self._kept.popitem(last=False)
        return made


def _ready(phrasings: Sequence[LearnedPhrasing], semantic: SemanticIndex | None) -> GuildPhrasings:
    confirmed = [phrasing for phrasing in phrasings if phrasing.confirmed]
    return GuildPhrasings(phrasings, semantic.phrasing_vectors(confirmed) if semantic else None)


_EMPTY = (0, 0, 0, 0)
