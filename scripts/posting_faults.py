"""Count answers posted and recorded while requests to Discord fail, over real sockets.

Run ``python -m scripts.posting_faults`` in the project's folder. For each kind of fault a
question is asked in each of some channels, and the first request of one kind for it fails:
how many answers were posted, how many are known as postings (votes on them count), how
many have both arrows, and how many apologies and doubles people read.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.app import App
from bot.client import ThreadBot
from bot.models import Answer, Thread
from bot.settings import Settings
from tests.kit import loopback as kit
from tests.kit.loopback.world import ME, Message

CHANNELS = 10
QUESTION = "how can I pin a message in my channel?"
THREAD = Thread(key="pins", title=QUESTION, answers=(Answer(body="Choose *Pin*."),))
PATHS = {
    "message": ("POST", "/messages$"),
    "arrow": ("PUT", "/reactions/"),
    "first reply": ("POST", "/callback$"),
    "/ask's card": ("PATCH", "/messages/@original$"),
}
FAULTS = {
    "reset before": kit.reset(),
    "reset after": kit.reset_after(),
    "503 before": kit.status(503),
    "503 after": kit.status_after(503),
    "malformed": kit.malformed(),
    "empty object": kit.empty(),
}


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[App]:
    """Make a library of one thread."""
    app = await App.open(Settings(data_dir=folder, embedding_model="off", _env_file=None))
    await app.library.add([THREAD])
    try:
        yield app
    finally:
        await app.close()


async def measure(app: App, where: str, fault: kit.Fault) -> str:
    """One line of the table."""
    async with kit.serving(kit.Loopback()) as discord:
        guild = discord.add_guild("Guild", [f"ask-{n}" for n in range(CHANNELS)])
        alice = discord.add_member(guild, "alice")
        async with kit.running(discord, ThreadBot(app, shard_count=1)):
            command = where in ("first reply", "/ask's card")
            if command:
                discord.faults.fail(*PATHS[where], *[fault] * CHANNELS)
            for channel in guild.channels.values():
                if command:
                    discord.command(channel, alice, "ask", question=QUESTION, share=True)
                    continue
                method, path = PATHS[where]
                discord.faults.fail(
                    method,
                    f"/{channel}{path}" if where == "message" else f"/channels/{channel}/.*{path}",
                    fault,
                )
                discord.say(channel, alice, f"<@{ME['id']}> {QUESTION}")
            await quiet()
            return await summary(app, discord, guild)


async def quiet(seconds: float = 40.0) -> None:
    """Wait until the bot is at work on nothing."""
    busy, end = ("discord.py: ", "CommandTree"), time.monotonic() + seconds
    still = 0
    while still < 20 and time.monotonic() < end:
        await asyncio.sleep(0.02)
        names = [task.get_name() for task in asyncio.all_tasks()]
        still = 0 if any(name.startswith(busy) for name in names) else still + 1


async def summary(app: App, discord: kit.Loopback, guild: kit.Guild) -> str:
    """Count what can be seen in the channels, and what the library has recorded of it."""
    shown = [discord.messages(channel) for channel in guild.channels.values()]
    told = [m for press in discord.presses.values() for m in press.followups]
    cards = [m for channel in shown for m in channel if m.embeds]
    known = [m for m in cards if await app.postings.get(m.id) is not None]
    arrows = [m for m in cards if len(m.reacted()) == 2]
    doubles = sum(len([m for m in channel if m.embeds]) > 1 for channel in shown)
    sorry = [m for m in [*sum(shown, list[Message]()), *told] if _is_apology(m)]
    figures = (len(cards), len(known), len(arrows), doubles, len(sorry))
    return "".join(f"{figure:>9}" for figure in figures)


def _is_apology(message: Message) -> bool:
    return "Sorry" in message.text or "did not take" in message.text


async def main() -> None:
    """Print the table."""
    logging.disable(logging.CRITICAL)
    heads = "".join(f"{head:>9}" for head in ("posted", "known", "arrows", "doubles", "sorry"))
    print(f"of {CHANNELS}{'':<25}{heads}")
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as app:
            for where in PATHS:
                for name, fault in FAULTS.items():
                    line = await measure(app, where, fault)
                    print(f"{where:<13}{name:<16}{line}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
