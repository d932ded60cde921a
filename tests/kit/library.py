"""One thread, two guilds, and what tests of a library ask of an open ``App``."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from bot.app import App
from bot.models import SHARED, Answer, Posting, StoredAnswer, Thread
from bot.settings import Settings

HERE, THERE = 111, 222
"""Two guilds."""

BREAD = Thread(
    key="bread",
    title="Why does my sourdough bread not rise?",
    body="It stays flat, whatever I do.",
    answers=(
        Answer(body="The starter is too young.", score=3, author="joe"),
        Answer(body="The kitchen is too cold.", score=1),
    ),
)


def at(folder: Path, model: str | None = None) -> Settings:
    """Settings for a folder; the model as the environment names it, unless it is given."""
    settings = Settings(data_dir=folder, seeds_dir=folder / "no seeds", _env_file=None)
    return settings if model is None else settings.model_copy(update={"embedding_model": model})


def another_at(folder: Path) -> Settings:
    """Settings of another library, in SQLite in a folder, whatever database the test's is in."""
    return at(folder).model_copy(update={"database_url": ""})


_numbers = count(1000)


def forget_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take no settings from outside; the model is off, as most tests need none."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("EMBEDDING_MODEL", "off")


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
"""When a member joined whose teaching counts."""


async def post(
    app: App, answer: StoredAnswer, guild: int = HERE, channel: int = 5, asker: int = 77
) -> int:
    """Let a message show an answer of thread 1; returns the message's id."""
    message = next(_numbers)
    posting = Posting(
        message_id=message,
        channel_id=channel,
        guild_id=guild,
        thread_id=1,
        answer_id=answer.id,
        asker_id=asker,
    )
    await app.postings.record(posting)
    return message


async def titles(app: App, guild: int = SHARED) -> list[str]:
    """Every title that can be found in a guild, in order of the alphabet."""
    return sorted(m.title for m in await app.answering.complete("", guild_id=guild, limit=9999))
