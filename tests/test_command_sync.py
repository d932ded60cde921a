"""The commands at Discord stay ours: what was lost is sent again, an equal list is not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import discord
import pytest
from discord import app_commands

from bot.app import App
from bot.client import ThreadBot
from bot.command_sync import is_same, normalised, payload_of
from tests.kit.loopback import Loopback, running, serving, status
from tests.kit.world import World

Payload = dict[str, Any]


class German(app_commands.Translator):
    """Translates each description, and nothing else."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        named = "name" in context.location.name
        return None if named or locale is not discord.Locale.german else f"{string}, bitte"[:100]


class Translated(ThreadBot):
    """Another version of the program: one with other translations."""

    async def setup_hook(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bot.client.Translator", German)
            await super().setup_hook()


async def start(app: App, loopback: Loopback, kind: type[ThreadBot] = ThreadBot) -> tuple[int, int]:
    """Start a bot once; return how often it looked at Discord's list, and how often it sent its."""
    before = len(loopback.requests)
    async with running(loopback, kind(app, shard_count=1)):
        pass
    asked = [m for m, path, _ in loopback.requests[before:] if path.endswith("/commands")]
    return asked.count("GET"), asked.count("PUT")


@pytest.mark.parametrize("kind", [ThreadBot, Translated])
async def test_what_discord_has_is_not_sent_again(app: App, kind: type[ThreadBot]):
    async with serving(Loopback()) as loopback:
        assert await start(app, loopback, kind) == (0, 1)
        assert await start(app, loopback, kind) == (1, 0)
        assert await start(app, loopback, kind) == (1, 0)


def lost(commands: list[Payload]) -> None:
    commands.clear()


def one_lost(commands: list[Payload]) -> None:
    commands.pop()


def foreign_one_added(commands: list[Payload]) -> None:
    commands.append(commands[0] | {"name": "play"})


def other_words(commands: list[Payload]) -> None:
    commands[0]["description"] = "Something else"


def option_renamed(commands: list[Payload]) -> None:
    next(c for c in commands if c["name"] == "ask")["options"][0]["name"] = "query"


def for_everybody(commands: list[Payload]) -> None:
    named(commands, "settings")["default_member_permissions"] = None


def not_in_servers(commands: list[Payload]) -> None:
    named(commands, "ask")["contexts"] = [1]


def choice_lost(commands: list[Payload]) -> None:
    channel = named(named(commands, "settings")["options"], "channel")
    named(channel["options"], "mode")["choices"].pop()


def named(commands: list[Payload], name: str) -> Payload:
    return next(c for c in commands if c["name"] == name)


CHANGES = [
    lost,
    one_lost,
    foreign_one_added,
    other_words,
    option_renamed,
    for_everybody,
    not_in_servers,
    choice_lost,
]


@pytest.mark.parametrize("change", CHANGES)
async def test_what_another_program_changed_is_mended_at_the_next_start(
    app: App, change: Callable[[list[Payload]], None]
):
    async with serving(Loopback()) as loopback:
        await start(app, loopback)
        sent = shapes(loopback)
        changed = copy.deepcopy(loopback.commands)
        change(changed)
        for each in changed:  # as Discord does with what was changed
            each["version"] = each["version"] + "1"
        loopback.commands = changed
        assert await start(app, loopback) == (1, 1)
        assert shapes(loopback) == sent
        assert await start(app, loopback) == (1, 0)


async def test_lost_translations_are_sent_again(app: App):
    async with serving(Loopback()) as loopback:
        await start(app, loopback, Translated)
        ask = named(loopback.commands, "ask")
        assert "bitte" in ask["description_localizations"]["de"]
        german = ask["options"][0]["description_localizations"]["de"]
        loopback.commands = copy.deepcopy(loopback.commands)
        named(loopback.commands, "ask")["options"][0]["description_localizations"] = {}
        named(loopback.commands, "ask")["version"] = "2"
        assert await start(app, loopback, Translated) == (1, 1)
        ask = named(loopback.commands, "ask")
        assert ask["options"][0]["description_localizations"]["de"] == german


async def test_a_former_version_and_its_successor_each_send_theirs(app: App):
    async with serving(Loopback()) as loopback:
        await start(app, loopback)
        assert await start(app, loopback, Translated) == (0, 1)
        assert await start(app, loopback) == (0, 1)


async def test_a_downgrade_with_another_database_is_noticed(app: App):
    async with serving(Loopback()) as loopback:
        await start(app, loopback)
        here = await app.guilds.tree_hash()
        await start(app, loopback, Translated)
        await app.guilds.set_tree_hash(here or "")
        assert await start(app, loopback) == (1, 1)


async def test_a_form_of_discords_that_we_do_not_know_is_not_sent_for_ever(app: App):
    """What came of our own sending is kept by its versions, whatever it looks like."""
    async with serving(Loopback()) as loopback:
        await start(app, loopback)
        named(loopback.commands, "ask")["description"] = "Ask a question in your own words."
        assert await start(app, loopback) == (1, 0)


async def test_a_list_that_cannot_be_read_is_left_as_it_is(
    app: App, caplog: pytest.LogCaptureFixture
):
    async with serving(Loopback()) as loopback:
        await start(app, loopback)
        loopback.faults.fail("GET", "/commands$", status(403, {"code": 0, "message": "no"}))
        assert await start(app, loopback) == (1, 0)
    assert "can't be read" in caplog.text


async def test_what_we_leave_to_discord_and_what_it_makes_itself_is_no_difference(
    world: World,
):
    ours = await payload_of(world.bot.tree)
    theirs = copy.deepcopy(ours)
    assert named(ours, "settings")["integration_types"] is None
    named(theirs, "settings")["integration_types"] = [0, 1]
    theirs.append({"type": 4, "name": "launch", "handler": 2})
    theirs.reverse()
    assert is_same(ours, theirs)
    named(theirs, "settings")["dm_permission"] = True  # of no effect where contexts are given
    assert is_same(ours, theirs)
    named(theirs, "ask")["integration_types"] = [0]
    assert not is_same(ours, theirs)


def test_an_order_that_people_see_counts():
    choices = [{"name": "a", "value": 0}, {"name": "b", "value": 1}]
    option = {"name": "y", "type": 4, "choices": choices}
    one: Payload = {"name": "x", "type": 1, "options": [option]}
    other = copy.deepcopy(one)
    other["options"][0]["choices"].reverse()
    assert normalised(one) != normalised(other)
    assert normalised(one)["options"][0]["choices"][0] == {"name": "a", "value": 0}


def shapes(loopback: Loopback) -> list[Payload]:
    """The commands without what Discord numbers anew."""
    return [{k: v for k, v in c.items() if k not in ("id", "version")} for c in loopback.commands]
