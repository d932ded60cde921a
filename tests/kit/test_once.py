"""What is done once a process is done anew where a restart would do it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import event, select

from bot.client import COGS
from bot.store.database import Database
from bot.store.tables import facts
from cogs.voting import cog
from tests.kit.world import World

FIRST: list[ModuleType] = []


@pytest.mark.parametrize("n", [1, 2])
async def test_the_module_of_a_cog_is_another_after_a_restart(world: World, n: int) -> None:
    before = [world.bot.extensions[name] for name in COGS]
    assert before == (FIRST or before)
    FIRST[:] = before
    await world.restart()
    after = [world.bot.extensions[name] for name in COGS]
    assert not [each for each in after if each in before]
    assert after == [sys.modules[name] for name in COGS]


async def test_what_a_test_patches_in_a_cog_is_what_the_bot_uses(world: World) -> None:
    assert world.bot.extensions["cogs.voting.cog"] is cog
    assert cog.__spec__ is not None
    assert cog.__spec__.origin == cog.__file__


async def test_a_cog_that_is_loaded_again_is_executed_again(world: World) -> None:
    before = world.bot.extensions[COGS[0]]
    await world.bot.reload_extension(COGS[0])
    assert world.bot.extensions[COGS[0]] is not before


async def test_two_databases_share_compiled_statements_and_nothing_else(tmp_path: Path) -> None:
    compiled = set[int]()

    def note(*arguments: Any) -> None:
        if (statement := arguments[4].compiled) is not None:  # else one that begins a transaction
            compiled.add(id(statement))

    for name in "ab":
        database = await Database.open(f"sqlite+aiosqlite:///{tmp_path / name}.db")
        event.listen(database._readers.sync_engine, "after_cursor_execute", note)
        async with database.read() as connection:
            found = (await connection.execute(select(facts.c.value))).scalars().all()
        assert database.id in found
        await database.close()
    assert len(compiled) == 1
