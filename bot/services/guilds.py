"""How the bot behaves in each guild: the host's defaults and what moderators changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.errors import ConfigError
from bot.models import GuildSettings, Mode, Policy, bare_emoji
from bot.settings import Settings
from bot.store import guilds as table
from bot.store.database import Database

_TREE_HASH = "command_tree_hash"


class Guilds:
    """Settings and channel modes, kept in memory once read: they are asked for often."""

    def __init__(self, database: Database, settings: Settings):
        self._database, self._defaults = database, settings.guild_defaults
        self._ask_channels = frozenset(name.casefold() for name in settings.ask_channels)
        self._settings: dict[int, GuildSettings] = {}
        self._modes: dict[int, dict[int, Mode]] = {}

    async def settings(self, guild_id: int) -> GuildSettings:
        """What is in force in a guild."""
        known = self._settings.get(guild_id)
        if known is None:  # it may be dropped again while it is read
            async with self._database.read() as connection:
                changed = await table.overrides(connection, guild_id)
            known = self._settings[guild_id] = self._in_force(changed)
        return known

    async def update(self, guild_id: int, **changes: Any) -> GuildSettings:
        """Change a guild's settings; ``None`` goes back to the host's default.

        Raises ConfigError, in words for the moderator, when the result makes no sense.
        """
        async with self._database.write() as connection:
            changed = await table.overrides(connection, guild_id) | changes
            kept = {name: value for name, value in changed.items() if value is not None}
            result = self._in_force(kept)
            _check(result)
            await table.set_overrides(connection, guild_id, kept)
        self._settings[guild_id] = result
        return result

    async def mode(
        self, guild_id: int, channel_id: int, channel_name: str, parent_id: int | None = None
    ) -> Mode:
        """When the bot speaks in a channel; ``parent_id`` is that of a Discord thread.

        ``channel_name`` is the parent's name where there is a parent.
        """
        explicit = await self.modes(guild_id)
        for known in (channel_id, parent_id):
            if known in explicit:
                return explicit[known]
        return Mode.QUESTIONS if channel_name.casefold() in self._ask_channels else Mode.MENTION

    async def modes(self, guild_id: int) -> dict[int, Mode]:
        """The modes that moderators set, by channel id."""
        known = self._modes.get(guild_id)
        if known is None:
            async with self._database.read() as connection:
                known = self._modes[guild_id] = await table.modes(connection, guild_id)
        return dict(known)

    async def set_mode(self, guild_id: int, channel_id: int, mode: Mode | None) -> None:
        """Set a channel's mode; ``None`` goes back to the default."""
        async with self._database.write() as connection:
            await table.set_mode(connection, guild_id, channel_id, mode)
        self._modes.pop(guild_id, None)

    def drop_cached(self) -> None:
        """Read settings and modes anew: they were changed by somebody else."""
        self._settings.clear()
        self._modes.clear()

    async def tree_hash(self) -> str | None:
        """What the command tree looked like when it was last sent to Discord."""
        async with self._database.read() as connection:
            return await table.fact(connection, _TREE_HASH)

    async def set_tree_hash(self, value: str) -> None:
        """Remember what the command tree looks like on Discord now."""
        async with self._database.write() as connection:
            await table.set_fact(connection, _TREE_HASH, value)

    def _in_force(self, changed: dict[str, Any]) -> GuildSettings:
        values = dict(changed)
        if "policy" in values:
            try:
                values["policy"] = Policy(values["policy"])
            except ValueError:
                known = " or ".join(Policy)
                raise ConfigError(f"The answer policy is {known}.") from None
        return replace(self._defaults, **values)


def _check(settings: GuildSettings) -> None:
    low, high = settings.suggest_threshold, settings.answer_threshold
    if not (0.0 <= low <= 1.0 and 0.0 <= high <= 1.0):
        raise ConfigError("Thresholds are numbers from 0 to 1, such as 0.6.")
    if low > high:
        raise ConfigError(
            f"The threshold for suggestions ({low:g}) must not be above the one for answers "
            f"({high:g})."
        )
    if bare_emoji(settings.up_emoji) == bare_emoji(settings.down_emoji):
        raise ConfigError("The two voting emoji must differ.")
