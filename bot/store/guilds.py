"""Settings of guilds, and the modes of their channels."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.models import Mode
from bot.store.facts import fact, set_fact
from bot.store.tables import channel_modes, guild_settings

_VERSION = "guilds_version"


async def overrides(connection: AsyncConnection, guild_id: int) -> dict[str, Any]:
    """Return the settings that a guild set itself, by their names."""
    query = select(guild_settings).where(guild_settings.c.guild_id == guild_id)
    row = (await connection.execute(query)).first()
    values = dict(zip(guild_settings.c.keys(), row or (), strict=row is not None))
    return {k: v for k, v in values.items() if k != "guild_id" and v is not None}


async def set_overrides(connection: AsyncConnection, guild_id: int, values: dict[str, Any]) -> None:
    """Replace all that a guild set itself."""
    mine = guild_settings.c.guild_id == guild_id
    await connection.execute(delete(guild_settings).where(mine))
    if values:
        await connection.execute(insert(guild_settings).values(values | {"guild_id": guild_id}))
    await raise_version(connection)


async def modes(connection: AsyncConnection, guild_id: int) -> dict[int, Mode]:
    """Return the modes set for channels of a guild, by channel id."""
    query = select(channel_modes).where(channel_modes.c.guild_id == guild_id)
    return {row.channel_id: Mode(row.mode) for row in (await connection.execute(query)).all()}


async def set_mode(
    connection: AsyncConnection, guild_id: int, channel_id: int, mode: Mode | None
) -> None:
    """Set a channel's mode; ``None`` goes back to the default."""
    this = (channel_modes.c.guild_id == guild_id, channel_modes.c.channel_id == channel_id)
    await connection.execute(delete(channel_modes).where(*this))
    if mode is not None:
        row = {"guild_id": guild_id, "channel_id": channel_id, "mode": mode.value}
        await connection.execute(insert(channel_modes).values(row))
    await raise_version(connection)


async def version(connection: AsyncConnection) -> int:
    """Return how often settings or modes were changed, or a guild's data was deleted.

    What a process has read of them is valid while this number stays.
    """
    return int(await fact(connection, _VERSION) or 0)


async def raise_version(connection: AsyncConnection) -> None:
    """Count a change of settings or modes, for other processes: see ``version``."""
    await set_fact(connection, _VERSION, str(await version(connection) + 1))
