"""Postings: messages of the bot that show an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.app import App
from bot.models import Posting, StoredAnswer
from tests.kit.library import HERE
from tests.kit.waiting import HANG

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
async def library(bread: Sequence[StoredAnswer]) -> None:
    """Two answers to post: 1 and 2."""


def posting(
    message: int, answer: int = 1, *, channel: int = 5, ago: float | None = None
) -> Posting:
    return Posting(
        message_id=message,
        channel_id=channel,
        guild_id=HERE,
        thread_id=1,
        answer_id=answer,
        asker_id=7,
        alternatives=(3, 1, 2),
        posted_at=None if ago is None else datetime.now(UTC) - timedelta(seconds=ago),
    )


async def test_a_posting_comes_back_as_it_was(app: App) -> None:
    sent = posting(2**63 - 1, ago=60)
    await app.postings.record(sent)
    assert await app.postings.get(sent.message_id) == sent
    assert await app.postings.get(1) is None


async def test_the_time_is_now_unless_told(app: App) -> None:
    await app.postings.record(posting(1))
    found = await app.postings.get(1)
    assert found is not None
    assert found.posted_at is not None
    assert timedelta() <= datetime.now(UTC) - found.posted_at < timedelta(minutes=1)


async def test_a_message_that_shows_another_answer_now(app: App) -> None:
    await app.postings.record(posting(1, answer=1))
    await app.postings.record(posting(1, answer=2))
    found = await app.postings.get(1)
    assert found is not None
    assert found.answer_id == 2


async def test_deleted_messages_are_forgotten(app: App) -> None:
    for message in (1, 2, 3):
        await app.postings.record(posting(message))
    await app.postings.forget([1, 3, 99])
    await app.postings.forget([])
    assert [p.message_id for p in await app.postings.recent(9)] == [2]


async def test_the_newest_come_first(app: App) -> None:
    for message, ago in ((1, 30), (2, 10), (3, 20), (4, 10)):
        await app.postings.record(posting(message, ago=ago))
    assert [p.message_id for p in await app.postings.recent(3)] == [4, 2, 3]
    assert await app.postings.recent(0) == []


async def test_the_latest_of_an_answer_in_a_channel(app: App) -> None:
    for message, answer, channel, ago in (
        (1, 1, 5, 50), (2, 1, 5, 30), (3, 1, 5, 90), (4, 2, 5, 10), (5, 1, 6, 10),
    ):  # fmt: skip
        await app.postings.record(posting(message, answer, channel=channel, ago=ago))

    async def latest(channel: int, answer: int, seconds: float) -> int | None:
        found = await app.postings.latest_in(channel, answer, seconds)
        return found.message_id if found else None

    assert await latest(5, 1, 120) == 2
    assert await latest(5, 2, 120) == 4
    assert await latest(6, 1, 120) == 5
    assert await latest(5, 1, 5) is None
    assert await latest(7, 1, 120) is None


class TestInFlight:
    """Whoever meets a message that is no posting yet can wait until that is certain."""

    async def test_only_those_of_the_channel_and_the_moment_are_waited_for(self, app: App):
        postings = app.postings
        await postings.settled(1)  # nothing is on its way
        with postings.posting_in(1):
            await postings.settled(2)
            waiting = asyncio.create_task(postings.settled(1))
            await asyncio.sleep(0)
            with postings.posting_in(1):  # began later
                assert not waiting.done()
            await asyncio.sleep(0.01)
            assert not waiting.done()
        await asyncio.wait_for(waiting, HANG)
        assert postings._in_flight == {}

    async def test_one_that_fails_is_over(self, app: App):
        async def fail() -> None:
            with app.postings.posting_in(1):
                await asyncio.sleep(0)
                raise RuntimeError

        failing = asyncio.create_task(fail())
        await asyncio.sleep(0)
        await asyncio.wait_for(app.postings.settled(1), HANG)
        with pytest.raises(RuntimeError):
            await failing

    async def test_the_wait_has_an_end(self, app: App, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("bot.services.postings.SETTLE_SECONDS", 0.01)
        with app.postings.posting_in(1):
            await asyncio.wait_for(app.postings.settled(1), HANG)
