"""Questions to the bot over real sockets, and its answers."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.kit.loopback import Fault, world
from tests.kit.loopback.world import Message
from tests.kit.net import Net

PIN = "how can i pin a message in my channel?"
ME = f"<@{world.ME['id']}>"
UNKNOWN = "which planet has the most moons?"


def name(fault: Fault) -> str:
    """Name a fault in the id of a test."""
    return f"{fault.kind}{'-after' * fault.done}"


def ask(net: Net, question: str = PIN) -> None:
    """Mention the bot with a question."""
    net.discord.say(net.ask, net.alice, f"{ME} {question}")


async def unsure(net: Net) -> None:
    """From now on the bot suggests threads, whatever is asked."""
    await net.app.guilds.update(net.guild.id, answer_threshold=1.0, suggest_threshold=0.0)


async def arrows(net: Net, message: Message) -> None:
    """Wait until a card has both arrows to vote with."""
    await net.discord.until(lambda: len(message.reacted()) == 2)


async def quiet(net: Net) -> None:
    """Let everything that was going on in the bot come to its end."""
    busy = ("discord.py: ", "CommandTree", "discord-ui-")
    await net.discord.until(
        lambda: not [t for t in asyncio.all_tasks() if t.get_name().startswith(busy)]
    )


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Warnings and errors of ours."""
    ours = [r for r in caplog.records if r.name.startswith(("bot", "cogs"))]
    return [r.getMessage() for r in ours if r.levelno >= logging.WARNING]
