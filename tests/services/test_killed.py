from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.models import Posting, StoredAnswer
from bot.services import health
from bot.services.house import House
from bot.settings import Settings
from bot.store import threads

from .conftest import BREAD, HERE

ROOT = Path(__file__).parents[2]
MESSAGES = {501: 1, 502: 2}
"""Message -> the number of BREAD's answer that it shows."""


async def prepare(settings: Settings) -> None:
    house = await House.open(settings)
    await house.library.add([BREAD])
    for message, number in MESSAGES.items():
        await house.postings.record(
            Posting(
                message_id=message,
                channel_id=1,
                guild_id=HERE,
                thread_id=1,
                answer_id=number,
                asker_id=9,
            )
        )
    await house.close()


async def work_and_be_killed(folder: Path, lines: int) -> list[list[str]]:
    """Let another process vote and import, kill it in the middle; returns what it was told."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.services.voter", str(folder), cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    said = [await process.stdout.readline() for _ in range(lines)]
    process.kill()
    said += (await process.stdout.read()).splitlines(keepends=True)
    assert await process.wait() == -signal.SIGKILL
    assert said[0] == b"ready\n"
    return [line.decode().split() for line in said[1:] if line.endswith(b"\n")]


def expected_tallies(votes: Sequence[list[str]]) -> dict[int, set[int]]:
    """Each answer's tally by what was acknowledged; one more vote may have been on its way."""
    standing: dict[tuple[str, str], int] = {}
    for _, user, number, value in votes:
        standing[user, number] = int(value)
    sums = {n: sum(v for (_, a), v in standing.items() if a == str(n)) for n in (1, 2)}
    return {n: {sums[n] + more for more in range(-2, 3)} for n in (1, 2)}


@pytest.mark.parametrize("lines", [40, 161])
async def test_nothing_that_was_acknowledged_is_lost(settings: Settings, lines: int) -> None:
    await prepare(settings)
    told = await work_and_be_killed(settings.data_dir, lines)
    votes = [line for line in told if line[0] == "vote"]
    imports = [line for line in told if line[0] == "import"]
    assert votes
    assert imports

    house = await House.open(settings)
    try:
        thread = await house.answering.find("bread", guild_id=HERE)
        assert thread is not None
        await every_vote_stands(house, votes, thread.answers)
        for _, n, size in imports:
            for i in range(int(size)):
                found = await house.answering.find(f"k{n}-{i}")
                assert found is not None, f"k{n}-{i}"
        await index_agrees(house)
    finally:
        await house.close()


async def every_vote_stands(
    house: House, votes: Sequence[list[str]], answers: Sequence[StoredAnswer]
) -> None:
    allowed = expected_tallies(votes)
    for answer in answers:
        assert answer.votes in allowed[answer.id]
        assert await house.voting.tally(answer.id, HERE) == answer.tally
    last = {(user, number): value for _, user, number, value in votes[:-97]}
    later = {(user, number) for _, user, number, _ in votes[-97:]}
    async with house.database.read() as connection:
        rows = (await connection.exec_driver_sql("SELECT user_id, answer_id, value FROM votes"))
        stored = {(str(user), str(answer)): str(value) for user, answer, value in rows}
    assert stored.keys() >= last.keys() | later
    # A member's newest sign on an answer may be the one that was on its way.
    unlike = [k for k in last if k not in later and stored[k] != last[k]]
    assert len(unlike) <= 1


async def index_agrees(house: House) -> None:
    async with house.database.read() as connection:
        assert house.engine.seq == await threads.last_change(connection)
        everything = await threads.page(connection, 0, 100_000)
    assert len(house.engine) == len(everything)
    for thread in everything[:: max(1, len(everything) // 50)]:
        keys = [m.key for m in (await house.answering.ask(thread.title, limit=3)).matches]
        assert thread.key in keys
    state = await health.examine(house)
    assert state.problems == ()
    assert state.indexed == state.counts.threads == len(everything)
