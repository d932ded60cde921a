"""What goes wrong: Discord, the gateway, the database, the disk, the process, an invitation."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing

from simcord.backend import serializers

from soaking.servers import Server, set_up
from soaking.state import Soak
from tests.kit.simcord import leave_guild, muted, new_session

COMPARED = 120
"""Cards, the latest, on which members vote while the bot is away: it compares 200 by default."""

LONG_AWAY = 40 * 86_400.0
"""Seconds after which a server's data must be gone: the default is kept for 30 days."""

SETTLED = 900.0
"""Simulated seconds, some times over, in which what a fault has put off is done."""

Burst = Callable[[Soak, int], None]
"""Begins some events that don't wait for the bot."""

Fault = Callable[[Soak, Burst], Awaitable[None]]


async def _recover(soak: Soak) -> None:
    """Let all be tried again."""
    for _ in range(4):
        await soak.settle(SETTLED)
    soak.env.forget_history()


async def discord_fails(soak: Soak, burst: Burst) -> None:
    """Some requests fail with 500, or with 429."""
    for method, path in (
        ("POST", "/channels/*/messages"),
        ("PUT", "/channels/*/reactions/*"),
        ("PATCH", "/channels/*/messages/*"),
        ("GET", "/channels/*"),
    ):
        status = soak.random.choice((500, 500, 429))
        times = soak.random.randint(1, 6)
        soak.env.inject_error(method, path, status=status, times=times)
    with soak.process.log_excused():
        burst(soak, 20)
        await soak.settle(60)
        soak.env.backend.faults.clear()
        await _recover(soak)


async def gateway_drops(soak: Soak, burst: Burst) -> None:
    """The gateway is gone for a while, and what happened meanwhile is not sent again."""
    soak.note_latest(COMPARED)
    soak.only_latest = True
    try:
        await soak.env.drop_gateway()
        burst(soak, 15)
        soak.env.drift(3600)
    finally:
        soak.only_latest = False
    # As Discord's, the new session lists the servers that the bot is in.
    await new_session(soak.env, [server.id for server in soak.servers if not server.is_out])
    await _recover(soak)


async def database_is_locked(soak: Soak, burst: Burst) -> None:
    """Another program has the database's lock for longer than the bot waits for it."""
    with soak.process.log_excused():
        with closing(sqlite3.connect(soak.process.database, timeout=30)) as lock:
            lock.execute("BEGIN IMMEDIATE")
            await _go_on_with(soak, burst, 15, "busy_timeout = 20")
        _pragma(soak, "busy_timeout = 30000")
        await _recover(soak)


async def disk_is_full(soak: Soak, burst: Burst) -> None:
    """The database can't grow any more for a while."""
    (pages,) = soak.rows("PRAGMA page_count")[0]
    with soak.process.log_excused():
        await _go_on_with(soak, burst, 40, f"max_page_count = {pages}")
        _pragma(soak, "max_page_count = 1073741823")
        await _recover(soak)


async def restarts(soak: Soak, burst: Burst) -> None:
    """The bot is ended and started again; members vote meanwhile."""
    soak.note_latest(COMPARED)
    await soak.process.stop()
    soak.only_latest = True
    try:
        with muted(soak.env):
            burst(soak, 15)
            soak.env.drift(1800)
    finally:
        soak.only_latest = False
    await soak.process.resume()
    await _recover(soak)


async def is_killed(soak: Soak, burst: Burst) -> None:
    """The process is killed with much in the air, and started again some minutes later."""
    soak.note_latest(COMPARED)
    soak.only_latest = True
    try:
        burst(soak, 15)
        await soak.env.turn(soak.random.randrange(400))
        await soak.process.kill()
        soak.env.drift(300)
    finally:
        soak.only_latest = False
    await soak.process.resume()
    await _recover(soak)


async def is_thrown_out(soak: Soak, _burst: Burst) -> None:
    """A server removes the bot; it comes back before its data is deleted, or long after."""
    inside = [server for server in soak.servers if not server.is_out]
    if len(inside) < 3:
        return
    server = soak.random.choice(inside)
    server.is_out = True
    away = soak.random.choice((86_400.0 * 3, LONG_AWAY))
    server.out_until = soak.env.backend.clock.elapsed + away
    server.is_forgotten = away == LONG_AWAY
    await leave_guild(soak.env, server.id)
    await soak.settle(60)


async def come_back(soak: Soak, server: Server) -> None:
    """A server invites the bot again."""
    left = soak.rows("SELECT count(*) FROM votes WHERE guild_id = ?", server.id)[0][0]
    payload = dict(
        serializers.guild_create_payload(soak.env.backend, soak.env.backend.guilds[server.id])
    )
    payload.pop("unavailable")
    soak.env.backend.emit("GUILD_CREATE", payload)
    await soak.settle(60)
    server.is_out = False
    if server.is_forgotten:
        soak.counts["forgotten servers"] += 1
        soak.plain.forget_guild(server.id)
        if left:
            soak.fault(f"{left} votes are left of server {server.number}, which was forgotten")
        server.reset()
        await set_up(soak.process.app, soak.env, server)
    soak.refresh(server)


async def _go_on_with(soak: Soak, burst: Burst, events: int, pragma: str) -> None:
    """Begin events with a pragma on the bot's connections, and give them time to fail."""
    _pragma(soak, pragma)
    burst(soak, events)
    await soak.settle(60)
    await soak.settle(60)


def _pragma(soak: Soak, text: str) -> None:
    for connection in list(soak.process.connections):
        if connection._connection is not None:
            connection._connection.execute(f"PRAGMA {text}")


RANDOM: dict[Fault, float] = {
    discord_fails: 6,
    gateway_drops: 3,
    database_is_locked: 2,
    disk_is_full: 1,
    is_thrown_out: 0.5,
}
"""What goes wrong by chance, with how often; restarts have their places in the plan."""
