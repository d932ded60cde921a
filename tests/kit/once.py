"""What a process of the tests does once, though each bot or database would do it anew."""

from __future__ import annotations

import asyncio
from functools import cache
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from discord.ext import commands
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import LRUCache

from bot.client import COGS
from bot.store import sqlite_backend

STATEMENTS = 2000
"""How many compiled statements are kept; the program has a few hundred."""


class _Executed(Loader):
    """Loads a module that was imported before, as it is."""

    def __init__(self, module: ModuleType):
        self._module, self._spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Execute nothing; the module keeps the spec that it was imported by."""
        module.__spec__ = self._spec


def execute_cogs_once() -> None:
    """Give the first bot of each test the modules of the cogs that the tests import.

    discord.py executes a cog's module again for each bot. The second bot of a test, and a cog
    that is loaded again, still have it executed anew: what a module holds is gone after a restart.
    """
    load = commands.Bot._load_from_module_spec
    imported = cache(import_module)
    loaded: WeakKeyDictionary[asyncio.AbstractEventLoop, set[str]] = WeakKeyDictionary()

    async def load_once(self: Any, spec: ModuleSpec, key: str) -> None:
        mine = loaded.setdefault(asyncio.get_running_loop(), set())
        if key in COGS and key not in mine:
            spec = ModuleSpec(key, _Executed(imported(key)))
        mine.add(key)
        await load(self, spec, key)

    commands.bot.BotBase._load_from_module_spec = load_once  # type: ignore[method-assign]


def compile_statements_once() -> None:
    """Compile each SQL statement once a process, not once for each engine.

    SQLAlchemy's key of a statement holds the engine's dialect; all of ours are the same.
    """
    compiled: LRUCache[Any, Any] = LRUCache(STATEMENTS)
    dialects: tuple[Any, ...] = (SQLiteDialect_aiosqlite, PGDialect_asyncpg)
    for dialect in dialects:
        dialect.__eq__ = lambda self, other: type(self) is type(other)
        dialect.__hash__ = lambda self: hash(type(self))

    def create(url: Any, **options: Any) -> Any:
        return create_async_engine(url, execution_options={"compiled_cache": compiled}, **options)

    sqlite_backend.create_async_engine = create  # type: ignore[attr-defined]
    if find_spec("asyncpg") is not None:
        from bot.store import postgres_backend

        postgres_backend.create_async_engine = create  # type: ignore[attr-defined]
