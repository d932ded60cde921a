"""Programs that share a library on a PostgreSQL server: who is told of what, what idling costs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from bot.app import App
from bot.models import Thread
from bot.services import guilds, index_sync
from tests.kit.library import BREAD, titles
from tests.kit.waiting import HANG, until


@pytest.fixture
def kind() -> str:
    return "postgres"


async def test_what_another_program_imports_is_found_at_once(
    app: App, second: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_sync, "INTERVAL", HANG)  # nobody looks by the clock
    app.follow()
    await second.library.add([BREAD])

    async def is_found() -> bool:
        return await titles(app) == [BREAD.title]

    await until(is_found)
    await second.library.add([Thread(key="k", title="Why is the sky blue?")])

    async def both_are() -> bool:
        return len(await titles(app)) == 2

    await until(both_are)


async def test_who_has_nothing_to_do_asks_nothing(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_sync, "INTERVAL", 0.005)
    monkeypatch.setattr(guilds, "POLL_SECONDS", 0.005)
    looks, statements = list[int](), list[str]()
    verify = app.engine.verify

    def look(most: int) -> Any:
        looks.append(len(statements))
        return verify(most)

    def note(*about: Any) -> None:
        statements.append(about[2])

    monkeypatch.setattr(app.engine, "verify", look)
    for engine in (app.database.backend.writer, app.database.backend.readers):
        event.listen(engine.sync_engine, "before_cursor_execute", note)
    app.follow()
    await until(lambda: statements and len(looks) > 40 and looks[-20] == looks[-1])
