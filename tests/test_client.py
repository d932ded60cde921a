"""The client itself: commands sent once, names that don't clash, leaving in order."""

from __future__ import annotations

import asyncio
from collections import Counter

import discord
import pytest
from discord import app_commands

from bot.client import COGS, HANDLERS, PRESSABLE, ThreadBot
from tests.kit.messages import last
from tests.kit.waiting import until
from tests.kit.world import World


def synced(world: World) -> int:
    return sum(
        1 for r in world.env.http_requests if r.method == "PUT" and r.path.endswith("/commands")
    )


async def test_commands_are_sent_only_when_they_changed(world: World):
    assert synced(world) == 1
    await world.restart()
    assert synced(world) == 1
    await world.app.guilds.set_tree_hash("something else")
    await world.restart()
    assert synced(world) == 2


async def test_commands_that_discord_refuses_are_sent_again(
    world: World, caplog: pytest.LogCaptureFixture
):
    await world.app.guilds.set_tree_hash("something else")
    world.env.inject_error("PUT", "/applications/*/commands", status=500)
    await world.restart()
    assert "did not take the commands" in caplog.text
    assert await world.app.guilds.tree_hash() == "something else"


async def test_every_cog_is_loaded_and_nothing_clashes(world: World):
    assert set(world.bot.extensions) == set(COGS)
    commands = [
        c.qualified_name
        for c in world.bot.tree.walk_commands(type=discord.AppCommandType.chat_input)
    ]
    assert max(Counter(commands).values()) == 1
    assert {"ask", "thread", "forget-me", "settings", "settings show"} <= set(commands)
    menus = world.bot.tree.get_commands(type=discord.AppCommandType.message)
    assert [m.name for m in menus] == ["Find an answer", "Save as answer", "Mark as solution"]
    for cog in world.bot.cogs.values():
        listeners = [name for name, _ in cog.get_listeners()]
        assert len(listeners) == len(set(listeners))
        for command in cog.walk_app_commands():
            assert 1 <= len(command.name) <= 32
            assert 1 <= len(command.description) <= 100
            for parameter in getattr(command, "parameters", []):
                assert 1 <= len(str(parameter.description)) <= 100
                assert str(parameter.description) != "…", command.qualified_name


async def test_cogs_can_be_reloaded(world: World):
    for name in COGS:
        await world.bot.reload_extension(name)
    await world.alice.send(world.ask, "how do I vote on an answer?")
    assert await world.key_of(last(world.ask)) == "vote"


async def test_every_button_has_somebody_who_deals_with_it(world: World):
    assert set(world.bot._presses) == {item for module in PRESSABLE for item in module.ALL}


async def test_management_is_for_servers_and_asking_for_everywhere(world: World):
    tree = {c.name: c for c in world.bot.tree.get_commands()}
    for name in ("settings", "phrasings", "library"):
        group = tree[name]
        assert isinstance(group, app_commands.Group)
        assert group.guild_only
        assert group.default_permissions == discord.Permissions(manage_guild=True)
    for name in ("ask", "thread", "forget-me", "Find an answer"):
        command = tree[name]
        assert not isinstance(command, app_commands.Group)
        assert command.allowed_contexts is not None
        assert command.allowed_installs is not None
        assert command.allowed_contexts.dm_channel
        assert command.allowed_installs.user


async def test_nothing_posted_may_ping(world: World):
    await world.alice.send(world.ask, "how do I vote on an answer?")
    await world.alice.slash(world.general, "ask", question="how can I unpin a message?")
    await world.alice.click(last(world.ask), label="Not my question")
    sent = [
        r
        for r in world.env.http_requests
        if isinstance(r.json, dict) and {"content", "embeds"} & set(r.json)
    ]
    assert len(sent) >= 3
    for request in sent:
        allowed = (request.json or {})["allowed_mentions"]
        assert allowed["parse"] == []
        assert not allowed.get("replied_user")


async def test_closing_ends_background_work(world: World):
    started = asyncio.Event()
    ended = asyncio.Event()

    async def forever() -> None:
        started.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    async with ThreadBot(world.app, shard_count=1) as bot:
        bot.spawn(forever(), "forever")
        await started.wait()
    assert ended.is_set()
    assert (await world.app.library.count()).threads  # the bot doesn't close the application


async def test_closing_ends_what_commands_and_listeners_are_at(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """Before Discord and the database are gone, so that nothing complains of that."""
    monkeypatch.setattr("bot.client.LEAVE_SECONDS", 0.05)
    ended: list[str] = []

    async def work(name: str, seconds: float, bot: ThreadBot) -> None:
        try:
            await asyncio.sleep(seconds)
        finally:
            ended.append(f"{name} {'after' if bot.is_closed() else 'before'}")

    async with ThreadBot(world.app, shard_count=1) as bot:
        tasks = [
            asyncio.create_task(work(name, seconds, bot), name=name)
            for name, seconds in [
                ("discord.py: on_message", 600),
                ("CommandTree-invoker", 0.001),
                ("discord-ui-view-dispatch-1", 600),
                ("somebody else's", 600),
            ]
        ]
        await asyncio.sleep(0)
    assert sorted(ended) == [
        "CommandTree-invoker before",
        "discord-ui-view-dispatch-1 before",
        "discord.py: on_message before",
    ]
    assert not tasks[3].done()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_discord_py_still_calls_its_tasks_so(world: World):
    """Closing ends the tasks that have these names."""
    seen: list[str] = []

    async def hear(*_: object) -> None:
        task = asyncio.current_task()
        seen.append(task.get_name() if task else "")

    async def check(_interaction: discord.Interaction[ThreadBot]) -> bool:
        await hear()
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.bot.tree, "interaction_check", check)
        await world.alice.slash(world.general, "ask", question="how do I vote on an answer?")
    world.bot.add_listener(hear, "on_message")
    await world.alice.send(world.ask, "how do I vote on an answer?")
    assert len(set(seen)) == 2
    assert all(name.startswith(HANDLERS) for name in seen), seen


async def test_failed_background_work_is_logged(world: World, caplog: pytest.LogCaptureFixture):
    async def fail() -> None:
        raise RuntimeError("boom")

    async with ThreadBot(world.app, shard_count=1) as bot:
        bot.spawn(fail(), "a task")
        await until(lambda: "the task a task failed" in caplog.text)
    assert "the task a task failed" in caplog.text
