"""What a process of the tests does once, though each bot or database would do it anew."""

from __future__ import annotations

import asyncio
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from discord.ext import commands
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import LRUCache

from bot.store import database

STATEMENTS = 2000
"""How many compiled statements are kept; the program has a few hundred."""


def execute_cogs_once() -> None:
    """Execute the module of each cog for the first bot of the process only.

    The second bot of a test, and a cog that is loaded again, execute it anew: what a module
    holds is gone after a restart.
    """
    execute = commands.Bot._load_from_module_spec
    executed: dict[str, ModuleType] = {}
    loaded: WeakKeyDictionary[asyncio.AbstractEventLoop, set[str]] = WeakKeyDictionary()

    async def load(self: Any, spec: ModuleSpec, key: str) -> None:
        mine = loaded.setdefault(asyncio.get_running_loop(), set())
        module = executed.get(key)
        if module is None or key in mine:
            await execute(self, spec, key)
            executed.setdefault(key, sys.modules[key])
        else:
            sys.modules[key] = module
            await module.setup(self)
            self._BotBase__extensions[key] = module
        mine.add(key)

    commands.bot.BotBase._load_from_module_spec = load  # type: ignore[method-assign]


def compile_statements_once() -> None:
    """Compile each SQL statement once a process, not once for each engine.

    SQLAlchemy's key of a statement holds the engine's dialect; all of ours are the same.
    """
    compiled: LRUCache[Any, Any] = LRUCache(STATEMENTS)
    dialect: Any = SQLiteDialect_aiosqlite
    dialect.__eq__ = lambda self, other: type(self) is type(other)
    dialect.__hash__ = lambda self: hash(type(self))

    def create(url: Any, **options: Any) -> Any:
        return create_async_engine(url, execution_options={"compiled_cache": compiled}, **options)

    database.create_async_engine = create  # type: ignore[attr-defined]
