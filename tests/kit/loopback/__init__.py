"""A loopback Discord for tests: REST and gateway over real sockets, with faults on demand.

discord.py's own HTTP client, retries, rate limits and gateway parser run unchanged;
SimCord replaces all of them. Use this kit for faults of the network and for bursts of
events, SimCord for everything else.

    async with serving(Loopback()) as loopback:
        guild = loopback.add_guild("Garden club", channels=("ask", "general"))
        ask, alice = guild.channels["ask"], loopback.add_member(guild, "alice")
        async with running(loopback, ThreadBot(app, shard_count=1)):
            loopback.faults.fail("POST", r"/messages$", reset_after(), status(503))
            loopback.say(ask, alice, "how do I pin a message?")
            card = await loopback.posted(ask)            # the bot's next message there
            loopback.react(card, alice, "⬆️")            # also: unreact, clear, delete
            await loopback.until(lambda: ...)            # wait for anything, bounded

The fixture ``net`` has a guild, two channels, two members and a
bot that is ready.

World (``Loopback``): all changes are synchronous, and their events reach the gateway in
the order of the calls. ``add_guild``, ``add_member``, ``say``, ``react(…, burst=True)``,
``unreact``, ``clear(message, emoji=None)``, ``delete(*messages)``, ``press(message, user,
custom_id, values=())``, ``command(channel, user, name, **options)`` (a file is an
``Upload``), ``emit(name,
payload)``; ``messages(channel)``, ``posted(channel)``, ``requests``. ``silent=True`` of
``react`` and its like changes the world without an event.

Gateway: ``async with loopback.disconnected(resumable=True)`` drops the connection: what
happens inside is replayed with RESUME afterwards, or, with ``resumable=False``, lost, and
the bot has to IDENTIFY anew.

Faults: ``loopback.faults.fail(method, path_regex, *faults)`` uses one fault for each
matching request, then behaves; ``always(method, path_regex, fault)`` until ``clear()``.
See ``tests.kit.loopback.faults`` for the kinds.
"""

from tests.kit.loopback.discord import MESSAGE_CONTENT, TOKEN, Guild, Loopback, Press
from tests.kit.loopback.faults import (
    Fault,
    empty,
    held,
    malformed,
    passed,
    rate_limited,
    reset,
    reset_after,
    slow,
    slow_after,
    status,
    status_after,
)
from tests.kit.loopback.running import running, serving
from tests.kit.loopback.world import Upload

__all__ = [
    "MESSAGE_CONTENT",
    "TOKEN",
    "Fault",
    "Guild",
    "Loopback",
    "Press",
    "Upload",
    "empty",
    "held",
    "malformed",
    "passed",
    "rate_limited",
    "reset",
    "reset_after",
    "running",
    "serving",
    "slow",
    "slow_after",
    "status",
    "status_after",
]
