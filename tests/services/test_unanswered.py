"""Questions without an answer are forgotten when their time is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.app import App
from bot.message_records import UnansweredQuestion
from bot.services import hourly
from bot.services.unanswered import KEPT_DAYS
from tests.kit.waiting import until


def question(message_id: int, days: float) -> UnansweredQuestion:
    """A question that was asked so many days ago."""
    return UnansweredQuestion(
        message_id=message_id,
        channel_id=2,
        guild_id=3,
        asker_id=4,
        asked_at=datetime.now(UTC) - timedelta(days=days),
        emoji="👀",
    )


async def test_old_ones_go_though_nobody_asks_any_more(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    await app.unanswered.note(question(1, KEPT_DAYS + 1))
    await app.unanswered.note(question(2, KEPT_DAYS - 1))
    monkeypatch.setattr(hourly, "PURGE_SECONDS", 0.01)
    purge, failures = app.unanswered.purge, [OSError("the disk is gone")]

    async def fails_once() -> None:
        if failures:
            raise failures.pop()
        await purge()

    monkeypatch.setattr(app.unanswered, "purge", fails_once)
    app.follow()

    async def is_gone() -> bool:
        return await app.unanswered.get(1) is None

    await until(is_gone)
    assert await app.unanswered.get(2) is not None
