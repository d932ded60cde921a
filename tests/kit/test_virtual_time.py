"""Time that jumps: what a task waits for may wait for the clock itself."""

from __future__ import annotations

import asyncio

import discord
from discord.ext import commands

from tests.kit.virtual_time import VirtualEnv


async def test_who_waits_for_a_lock_of_one_that_sleeps_is_not_stuck() -> None:
    bot = commands.Bot("!", intents=discord.Intents.default())
    lock, done = asyncio.Lock(), list[str]()

    async def hold(name: str, seconds: float) -> None:
        async with lock:
            await asyncio.sleep(seconds)
            done.append(name)

    env = VirtualEnv(bot, stuck=0.0)
    await env.start()
    try:
        with env.bot_scope():
            tasks = [asyncio.create_task(hold("sleeps", 10.0))]
            tasks.append(asyncio.create_task(hold("waits", 0.0)))
        await env.settle()
        assert done == ["sleeps", "waits"]
        assert all(task.done() for task in tasks)
    finally:
        await env.shutdown()
