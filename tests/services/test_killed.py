"""A program that is killed while it votes and imports loses nothing that it acknowledged."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bot.app import App
from bot.models import Posting
from bot.settings import Settings
from bot.store import change_feed, threads
from tests.kit import programs
from tests.kit.library import BREAD, HERE
from tests.kit.votes import tally_of
from tests.kit.voting_program import MESSAGES, vote_number

pytestmark = pytest.mark.both_databases

LINES = 60


async def prepare(settings: Settings) -> None:
    app = await App.open(settings)
    await app.library.add([BREAD])
    for message, answer in MESSAGES.items():
        posting = Posting(
            message_id=message,
            channel_id=1,
            guild_id=HERE,
            thread_id=1,
            answer_id=answer,
            asker_id=9,
        )
        await app.postings.record(posting)
    await app.close()


async def work_and_be_killed(folder: Path) -> list[str]:
    """Let another process vote and import, kill it in the middle; returns what it was told."""
    process = await programs.start("-m", "tests.kit.voting_program", folder)
    said = b"".join([await process.stdout.readline() for _ in range(LINES)]).decode()
    process.signal(signal.SIGKILL)
    code, out, _ = await process.end()
    assert code == -signal.SIGKILL
    return [line.strip() for line in (said + out).splitlines(keepends=True) if line.endswith("\n")]


def votes_after(count: int) -> set[tuple[int, int, int]]:
    """The (member, answer, value) that hold after so many votes, by a plain count."""
    standing = {}
    for n in range(count):
        message, user, value = vote_number(n)
        standing[user, MESSAGES[message]] = int(value)
    return {(user, answer, value) for (user, answer), value in standing.items()}


async def test_nothing_that_was_acknowledged_is_lost(settings: Settings) -> None:
    await prepare(settings)
    told = await work_and_be_killed(settings.data_dir)
    votes = sum(line.startswith("vote") for line in told)
    imports = sum(line.startswith("import") for line in told)
    assert votes > 20
    assert imports > 0

    app = await App.open(settings)
    try:
        await votes_and_tallies_stand(app, votes)
        await every_thread_is_found(app, {f"k{n}-{i}" for n in range(imports) for i in range(40)})
    finally:
        await app.close()


async def votes_and_tallies_stand(app: App, acknowledged: int) -> None:
    async with app.database.read() as connection:
        rows = await connection.exec_driver_sql("SELECT user_id, answer_id, value FROM votes")
        stored = {(row.user_id, row.answer_id, row.value) for row in rows}
    # One more may have been written whose word we never got.
    assert stored in (votes_after(acknowledged), votes_after(acknowledged + 1))
    thread = await app.answering.find("bread", guild_id=HERE)
    assert thread is not None
    for answer in thread.answers:
        assert answer.votes == sum(value for _, a, value in stored if a == answer.id)
        assert await tally_of(app.database, answer.id, HERE) == answer.tally


async def every_thread_is_found(app: App, keys: set[str]) -> None:
    async with app.database.read() as connection:
        assert app.engine.seq == await change_feed.last_change(connection)
        everything = await threads.page(connection, 0, 100_000)
    assert {thread.key for thread in everything} >= keys
    assert len(app.engine) == len(everything)
    for thread in everything[:: max(1, len(everything) // 30)]:
        reply = await app.answering.ask(thread.title)
        assert thread.key in [match.key for match in reply.matches]
    state = await app.examine()
    assert state.problems == ()
    assert state.indexed == state.counts.threads == len(everything)
