"""Votes that came with an import: counted beside members' own, and taken in once."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from bot.models import SHARED, Answer, Reaction, StoredThread, Thread, Vote
from bot.store import threads, votes
from bot.store.database import Database
from bot.store.rows import pack
from bot.store.tables import carried_votes
from bot.store.threads import PutOutcome
from bot.store.votes import VotePlace

HERE, THERE = 111, 222

BREAD = Thread(
    key="bread",
    title="Why does my bread not rise?",
    answers=(
        Answer(body="The starter is too young.", score=1, tallies=((HERE, 5), (THERE, -2))),
        Answer(body="The kitchen is too cold.", score=3),
    ),
)


async def put(database: Database, thread: Thread = BREAD, scope: int = SHARED) -> PutOutcome:
    async with database.write() as connection:
        return (await threads.put(connection, scope, [pack(thread)])).outcomes[0]


async def seen(database: Database, guild: int) -> dict[str, int]:
    """Return the votes that count in a guild, by the first words of each answer."""
    async with database.read() as connection:
        found: dict[int, StoredThread] = await threads.fetch(connection, [1], guild)
    return {a.body.split()[1]: a.votes for a in found[1].answers}


async def vote(database: Database, answer: int, value: Vote = Vote.UP, guild: int = HERE) -> None:
    async with database.write() as connection:
        await votes.give(connection, VotePlace(answer, guild), Reaction(7, value))


async def kept(database: Database) -> list[tuple[int, int, int]]:
    async with database.read() as connection:
        rows = (await connection.execute(select(carried_votes))).all()
    return sorted((row.answer_id, row.guild_id, row.value) for row in rows)


def with_votes(*tallies: tuple[int, int]) -> Thread:
    first, second = BREAD.answers
    return replace(BREAD, answers=(replace(first, tallies=tallies), second))


async def test_they_count_in_their_guild_and_in_no_other(database: Database) -> None:
    assert await put(database) == PutOutcome.ADDED
    assert await seen(database, HERE) == {"starter": 5, "kitchen": 0}
    assert await seen(database, THERE) == {"starter": -2, "kitchen": 0}
    assert await seen(database, SHARED) == {"starter": 0, "kitchen": 0}
    async with database.read() as connection:
        assert await votes.tallies(connection, [1, 2], HERE) == {1: 6, 2: 3}


async def test_members_votes_come_on_top(database: Database) -> None:
    await put(database)
    await vote(database, 1)
    await vote(database, 2, Vote.DOWN)
    assert await seen(database, HERE) == {"starter": 6, "kitchen": -1}
    async with database.read() as connection:
        assert await votes.tallies_by_guild(connection, [1]) == {
            1: ((HERE, 6), (THERE, -2)),
            2: ((HERE, -1),),
        }


async def test_the_same_import_again_changes_nothing(database: Database) -> None:
    await put(database)
    before = await kept(database)
    assert await put(database) == PutOutcome.UNCHANGED
    assert await put(database, with_votes((HERE, 50))) == PutOutcome.UNCHANGED
    assert await kept(database) == before == [(1, HERE, 5), (1, THERE, -2)]


async def test_they_are_taken_by_threads_that_are_there_already(database: Database) -> None:
    await put(database, with_votes())
    assert await put(database) == PutOutcome.UNCHANGED
    assert await seen(database, HERE) == {"starter": 5, "kitchen": 0}


async def test_where_members_have_voted_they_are_left_out(database: Database) -> None:
    await put(database, with_votes())
    await vote(database, 1, Vote.DOWN)
    await put(database)
    assert await seen(database, HERE) == {"starter": -1, "kitchen": 0}
    assert await seen(database, THERE) == {"starter": -2, "kitchen": 0}


async def test_they_stay_with_an_answer_that_is_edited_or_gone_for_a_while(
    database: Database,
) -> None:
    await put(database)
    first, second = BREAD.answers
    edited = replace(first, body="The starter is too young still.", tallies=())
    assert await put(database, replace(BREAD, answers=(edited, second))) == PutOutcome.UPDATED
    assert (await seen(database, HERE))["starter"] == 5
    await put(database, replace(BREAD, answers=(second,)))
    assert await seen(database, HERE) == {"kitchen": 0}
    await put(database, replace(BREAD, answers=(second, edited)))
    assert (await seen(database, HERE))["starter"] == 5


async def test_a_guilds_own_library_takes_its_own_votes_only(database: Database) -> None:
    await put(database, scope=HERE)
    assert await kept(database) == [(1, HERE, 5)]


async def test_nothing_voted_is_nothing_to_keep(database: Database) -> None:
    await put(database, with_votes((HERE, 0)))
    assert await kept(database) == []


async def test_they_are_given_by_position_when_answers_are_new_or_moved(
    database: Database,
) -> None:
    first, second = BREAD.answers
    await put(database, replace(BREAD, answers=(second,)))
    await put(database, replace(BREAD, answers=(first, second)))
    assert await seen(database, HERE) == {"starter": 5, "kitchen": 0}
