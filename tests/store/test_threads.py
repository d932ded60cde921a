"""Threads in the store: added, updated, retired, read."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from bot.models import SHARED, Answer, StoredThread, Thread, plain_key
from bot.store import change_feed, stats, threads
from bot.store.database import Database
from bot.store.rows import digest_of, pack
from bot.store.stats import Counts
from bot.store.tables import answers as answer_table
from bot.store.tables import changes as feed
from bot.store.tables import threads as thread_table
from bot.store.tables import votes
from bot.store.threads import PutOutcome

HERE, THERE = 111, 222

BREAD = Thread(
    key="bread",
    title="Why does my bread not rise?",
    body="It stays flat.",
    tags=("baking",),
    phrasings=("My dough stays flat", "Flat bread"),
    answers=(
        Answer(key="a1", body="The starter is too young; feed it for a week.", score=3),
        Answer(body="The kitchen is too cold for the dough to rise at all.", score=1),
        Answer(body="You forgot the salt.", accepted=True),
    ),
)


async def put(database: Database, *batch: Thread, scope: int = SHARED) -> list[PutOutcome]:
    async with database.write() as connection:
        return (await threads.put(connection, scope, [*map(pack, batch)])).outcomes


async def get(database: Database, key: str, guild: int = SHARED) -> StoredThread | None:
    async with database.read() as connection:
        found = await threads.id_of(connection, key, guild)
        return (await threads.fetch(connection, [found], guild))[found] if found else None


async def read(database: Database, key: str = "bread", guild: int = SHARED) -> StoredThread:
    thread = await get(database, key, guild)
    assert thread is not None
    return thread


async def vote(database: Database, answer_id: int, guild: int = SHARED, user: int = 1) -> None:
    row = {"answer_id": answer_id, "guild_id": guild, "user_id": user, "value": 1, "posting_id": 0}
    async with database.write() as connection:
        await connection.execute(insert(votes).values(row))


async def changes(database: Database, after: int = 0, limit: int = 100) -> tuple[int, list[int]]:
    async with database.read() as connection:
        seq, changed = await change_feed.changed_after(connection, after, limit)
        return seq, [*changed]


def plain(thread: StoredThread) -> Thread:
    """The thread as a source would give it."""
    given = tuple(Answer(**{f: getattr(a, f) for f in ANSWER}) for a in thread.answers)
    return Thread(**{f: getattr(thread, f) for f in THREAD} | {"answers": given})


ANSWER = "body score accepted key author url answered_at".split()
THREAD = "key title body score tags url author license asked_at phrasings".split()


def bodies(found: Sequence[Answer]) -> list[str]:
    return [answer.body.split()[0] for answer in found]


class TestPutting:
    async def test_adds_updates_or_leaves_alone_by_source_key(self, database: Database) -> None:
        other = replace(BREAD, key="other")
        assert await put(database, BREAD) == [PutOutcome.ADDED]
        assert await put(database, replace(BREAD, body="!"), other, BREAD) == [
            PutOutcome.UPDATED,
            PutOutcome.ADDED,
            PutOutcome.UNCHANGED,
        ]

    async def test_nothing_changes_nothing(self, database: Database) -> None:
        assert await put(database) == []
        assert await changes(database) == (0, [])

    async def test_every_field_counts_as_a_change(self, database: Database) -> None:
        moment = datetime(2020, 1, 1, tzinfo=UTC)
        first = Answer(body="The starter is too young; feed it for a week.", key="a1", score=3)
        versions = [
            replace(BREAD, title="Bread?"),
            replace(BREAD, score=1),
            replace(BREAD, tags=()),
            replace(BREAD, url="https://example.org/"),
            replace(BREAD, author="mina"),
            replace(BREAD, license="CC0"),
            replace(BREAD, asked_at=moment),
            replace(BREAD, phrasings=("Flat bread", "My dough stays flat")),
            replace(BREAD, answers=()),
            replace(BREAD, answers=(first,)),
            replace(BREAD, answers=(replace(first, score=4),)),
            replace(BREAD, answers=(replace(first, accepted=True),)),
            replace(BREAD, answers=(replace(first, author="joe"),)),
            replace(BREAD, answers=(replace(first, url="https://example.org/a"),)),
            replace(BREAD, answers=(replace(first, answered_at=moment),)),
        ]
        await put(database, BREAD)
        for version in versions:
            assert await put(database, version) == [PutOutcome.UPDATED]
            assert plain(await read(database)) == version

    async def test_an_update_raises_the_revision_and_keeps_the_id(
        self, database: Database, other_program: sqlite3.Connection
    ) -> None:
        await put(database, BREAD)
        before = await read(database)
        for _ in range(2):
            await put(database, BREAD)
        await put(database, replace(BREAD, body="New."))
        assert (await read(database)).id == before.id
        assert other_program.execute("SELECT revision FROM threads").fetchall() == [(2,)]

    async def test_a_thousand_at_once(self, database: Database) -> None:
        many = [replace(BREAD, key=f"k{n}", title=f"Question {n}") for n in range(1000)]
        assert await put(database, *many) == [PutOutcome.ADDED] * 1000
        assert await put(database, *many) == [PutOutcome.UNCHANGED] * 1000
        for n in (0, 499, 999):
            assert plain(await read(database, f"k{n}")) == many[n]
        async with database.read() as connection:
            assert await stats.count(connection) == Counts(1000, 3000, 0)

    async def test_an_id_is_never_given_twice(self, database: Database) -> None:
        await put(database, BREAD)
        old = (await read(database)).id
        async with database.write() as connection:
            await connection.execute(delete(thread_table))
            gone = (await connection.execute(select(answer_table))).all()
        assert gone == []  # they go with their thread
        await put(database, BREAD)
        assert (await read(database)).id > old


class TestVotesOnAReimport:
    async def votes_after(self, database: Database, voted: int, *new: Answer) -> dict[str, int]:
        """Vote on BREAD's answer number ``voted``, then import these answers instead."""
        await put(database, BREAD)
        await vote(database, (await read(database)).answers[voted].id)
        await put(database, replace(BREAD, answers=new))
        return {a.body: a.votes for a in (await read(database)).answers}

    async def test_stay_with_the_answers_source_key(self, database: Database) -> None:
        new = Answer(key="a1", body="Entirely rewritten: use more yeast.")
        assert await self.votes_after(database, 0, new) == {new.body: 1}

    async def test_stay_with_the_same_body(self, database: Database) -> None:
        _, cold, salt = BREAD.answers
        found = await self.votes_after(database, 1, replace(salt, score=9), cold)
        assert found == {cold.body: 1, salt.body: 0}

    async def test_stay_with_an_edited_body(self, database: Database) -> None:
        edited = Answer(body="Your kitchen is much too cold for a dough to rise at all.", score=4)
        other = Answer(body="Ask a baker in your street.")
        assert await self.votes_after(database, 1, other, edited) == {other.body: 0, edited.body: 1}

    async def test_stay_when_the_source_begins_to_name_answers(self, database: Database) -> None:
        named = replace(BREAD.answers[1], key="a2")
        assert await self.votes_after(database, 1, named) == {named.body: 1}

    async def test_dont_go_to_another_answer(self, database: Database) -> None:
        other = Answer(body="Ask a baker in your street.")
        assert await self.votes_after(database, 2, other) == {other.body: 0}

    async def test_dont_follow_a_body_to_another_key(self, database: Database) -> None:
        other = replace(BREAD.answers[0], key="a9")
        assert await self.votes_after(database, 0, other) == {other.body: 0}

    async def test_come_back_with_an_answer_that_was_gone(self, database: Database) -> None:
        await put(database, BREAD)
        await vote(database, (await read(database)).answers[2].id)
        await put(database, replace(BREAD, answers=BREAD.answers[:2]))
        assert [a.votes for a in (await read(database)).answers] == [0, 0]
        async with database.read() as connection:
            assert await stats.count(connection) == Counts(1, 2, 1)
        await put(database, BREAD)
        assert [a.votes for a in (await read(database)).answers] == [0, 0, 1]

    async def test_stay_with_the_answer_that_is_shown_of_two_alike(
        self, database: Database
    ) -> None:
        first, second = (Answer(key=key, body="Wait.") for key in ("a1", "a2"))
        await put(database, replace(BREAD, answers=(first,)))
        await put(database, replace(BREAD, answers=(second,)))
        shown = (await read(database)).answers[0]
        await vote(database, shown.id)
        await put(database, replace(BREAD, answers=(Answer(body="Wait."),)))
        assert [(a.id, a.votes) for a in (await read(database)).answers] == [(shown.id, 1)]

    async def test_answers_stand_in_the_order_of_the_source(self, database: Database) -> None:
        await put(database, BREAD)
        await put(database, replace(BREAD, answers=BREAD.answers[::-1]))
        assert bodies((await read(database)).answers) == ["You", "The", "The"]
        assert (await read(database)).answers[2].key == "a1"


class TestGuilds:
    async def test_see_the_shared_threads_and_their_own(self, database: Database) -> None:
        await put(database, replace(BREAD, key="shared"))
        await put(database, replace(BREAD, key="here"), scope=HERE)
        await put(database, replace(BREAD, key="there"), scope=THERE)

        async def seen(guild: int) -> list[str]:
            return [k for k in ("shared", "here", "there") if await get(database, k, guild)]

        assert await seen(SHARED) == ["shared"]
        assert await seen(HERE) == ["shared", "here"]
        assert await seen(THERE) == ["shared", "there"]

    async def test_cant_fetch_anothers_thread_by_its_id(self, database: Database) -> None:
        await put(database, BREAD, scope=THERE)
        hidden = (await read(database, guild=THERE)).id
        async with database.read() as connection:
            for guild in (SHARED, HERE):
                assert await threads.fetch(connection, [hidden], guild) == {}
            assert list(await threads.fetch(connection, [hidden], None)) == [hidden]

    async def test_have_their_own_thread_before_a_shared_one_of_that_key(
        self, database: Database
    ) -> None:
        await put(database, replace(BREAD, title="Shared"))
        assert await put(database, replace(BREAD, title="Ours"), scope=HERE) == [PutOutcome.ADDED]
        titles = [(await read(database, guild=g)).title for g in (SHARED, HERE, THERE)]
        assert titles == ["Shared", "Ours", "Shared"]
        assert await put(database, replace(BREAD, title="New"), scope=HERE) == [PutOutcome.UPDATED]
        assert (await read(database)).title == "Shared"

    async def test_see_their_own_votes_only(self, database: Database) -> None:
        await put(database, BREAD)
        first = (await read(database)).answers[0]
        await vote(database, first.id, HERE, user=1)
        await vote(database, first.id, HERE, user=2)
        await vote(database, first.id, THERE, user=1)
        tallies = [(await read(database, guild=g)).answers[0].tally for g in (SHARED, HERE, THERE)]
        assert tallies == [3, 5, 4]
        async with database.read() as connection:
            found = await threads.fetch(connection, [1], None)
        assert found[1].answers[0].votes == 0

    async def test_export_page_by_page_in_the_order_of_coming(self, database: Database) -> None:
        for n in range(5):
            await put(database, replace(BREAD, key=f"k{n}"), scope=HERE if n % 2 else SHARED)
        async with database.read() as connection:
            first = await threads.page(connection, 0, 2)
            rest = await threads.page(connection, first[-1].id, 9)
            ours = await threads.page(connection, 0, 9, HERE)
        assert [t.key for t in first + rest] == ["k0", "k1", "k2", "k3", "k4"]
        assert [(t.key, t.scope) for t in ours] == [("k1", HERE), ("k3", HERE)]


class TestFeedOfChanges:
    async def test_names_what_was_added_or_updated_and_nothing_else(
        self, database: Database
    ) -> None:
        await put(database, BREAD, replace(BREAD, key="other"))
        seq, ids = await changes(database)
        await put(database, BREAD, replace(BREAD, key="other", body="New."))
        later, changed = await changes(database, after=seq)
        assert changed == [(await read(database, "other")).id]
        assert set(ids) > set(changed)
        assert later == seq + 1

    async def test_names_a_thread_once_and_is_read_in_parts(self, database: Database) -> None:
        for n in range(3):
            await put(database, replace(BREAD, body=f"Version {n}."))
        assert await changes(database) == (3, [1])
        assert await changes(database, after=3) == (3, [])
        await put(database, replace(BREAD, key="other"))
        assert await changes(database, after=1, limit=1) == (3, [1])
        assert await changes(database, after=3) == (4, [2])

    async def test_holds_one_change_of_a_thread_however_often_it_is_changed(
        self, database: Database
    ) -> None:
        many = [replace(BREAD, key=f"k{n}") for n in range(5)]
        for night in range(30):
            await put(database, *(replace(t, body=f"Night {night}.") for t in many))
            async with database.write() as connection:
                await change_feed.note(connection, [1, 2], text=False)
        async with database.read() as connection:
            rows = (await connection.execute(select(feed).order_by(feed.c.seq))).all()
        assert [(row.thread_id, row.text) for row in rows] == [
            *((n, True) for n in range(1, 6)), (1, False), (2, False),
        ]  # fmt: skip

    async def test_forgets_who_was_deleted_long_ago_and_says_what_that_takes(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await put(database, *(replace(BREAD, key=f"k{n}") for n in range(4)))

        async def delete(thread_id: int) -> tuple[list[int], int]:
            async with database.write() as connection:
                await change_feed.note(connection, [thread_id], is_deleted=True)
                _, changed = await change_feed.changed_after(connection, 0, 100)
                return [*changed], await change_feed.floor(connection)

        assert await delete(1) == ([2, 3, 4, 1], 0)
        assert await delete(2) == ([3, 4, 1, 2], 0)
        month = 30 * 24 * 3600 * 10**9
        at = time.time_ns()
        monkeypatch.setattr(time, "time_ns", lambda: at + month - 10**9)
        assert await delete(3) == ([4, 1, 2, 3], 0)
        monkeypatch.setattr(time, "time_ns", lambda: at + month + 60 * 10**9)
        assert await delete(4) == ([3, 4], 6)

    async def test_says_how_far_it_goes(self, database: Database) -> None:
        async with database.read() as connection:
            assert await change_feed.last_change(connection) == 0
            assert await threads.newest(connection) == 0
        await put(database, BREAD)
        async with database.read() as connection:
            assert await change_feed.last_change(connection) == 1
            assert await threads.newest(connection) == 1


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
BIG = st.integers(-(2**63), 2**63 - 1)
ZONES = st.sampled_from(
    [UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=8))]
)
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)
OPTIONAL = st.none() | TEXT
ANSWERS = st.builds(
    Answer,
    body=TEXT,
    score=BIG,
    accepted=st.booleans(),
    key=OPTIONAL,
    author=OPTIONAL,
    url=OPTIONAL,
    answered_at=st.none() | MOMENTS,
)
THREADS = st.builds(
    Thread,
    key=TEXT.filter(lambda key: plain_key(key) == key),  # as readers give them
    title=TEXT,
    body=TEXT,
    score=BIG,
    tags=st.lists(TEXT, max_size=3).map(tuple),
    url=OPTIONAL,
    author=OPTIONAL,
    license=OPTIONAL,
    asked_at=st.none() | MOMENTS,
    phrasings=st.lists(TEXT, max_size=3).map(tuple),
    answers=st.lists(ANSWERS, max_size=4).map(tuple),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batch=st.lists(THREADS, max_size=4, unique_by=lambda thread: thread.key))
async def test_any_thread_comes_back_equal(database: Database, batch: list[Thread]) -> None:
    # Between examples the library stays: most keys are updated again and again.
    await put(database, *batch)
    assert [plain(await read(database, thread.key)) for thread in batch] == batch
    assert await put(database, *batch) == [PutOutcome.UNCHANGED] * len(batch)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(before=st.lists(ANSWERS, max_size=5), after=st.lists(ANSWERS, max_size=5))
async def test_no_answer_is_lost_or_doubled_by_an_update(
    database: Database, before: list[Answer], after: list[Answer]
) -> None:
    await put(database, replace(BREAD, answers=tuple(before)))
    await put(database, replace(BREAD, answers=tuple(after)))
    found = (await read(database)).answers
    assert plain(await read(database)).answers == tuple(after)
    assert len({answer.id for answer in found}) == len(after)


async def test_a_draft_made_in_another_manner_is_compared(database: Database) -> None:
    """Drafts have no digests: that of what is there is made when it is needed."""

    async def take(thread: Thread, fingerprint: str | None) -> tuple[PutOutcome, str | None]:
        async with database.write() as connection:
            (outcome,) = (
                await threads.put(connection, SHARED, [pack(thread, fingerprint)])
            ).outcomes
            now = await threads.known_by_key(connection, SHARED, [thread.key])
        return outcome, now[thread.key].fingerprint

    newer = replace(BREAD, body="New.")
    assert await take(BREAD, "one") == (PutOutcome.ADDED, "one")
    assert await take(BREAD, "two") == (PutOutcome.UNCHANGED, "two")
    assert await take(BREAD, None) == (PutOutcome.UNCHANGED, "two")
    assert await take(newer, "three") == (PutOutcome.UPDATED, "three")
    assert await take(newer, "four") == (PutOutcome.UNCHANGED, "four")
    assert await take(BREAD, None) == (PutOutcome.UPDATED, None)
    assert await take(BREAD, "five") == (PutOutcome.UNCHANGED, "five")
    assert await take(newer, "six") == (PutOutcome.UPDATED, "six")


def test_a_thread_keeps_the_digest_that_earlier_versions_gave_it() -> None:
    """Otherwise a library would be taken in anew, and all its vectors made again."""
    thread = Thread(
        key="k",
        title="T",
        body="B",
        score=2,
        tags=("a",),
        url="https://example.org",
        phrasings=("p",),
        answers=(Answer(body="A", score=1, accepted=True, key="1", author="y"), Answer(body="C")),
    )
    assert digest_of(thread) == "79c66556c2ba7d83b28466ee3b18592a0095153dd33774c6f6a35e6af154a078"
    assert digest_of(replace(thread, source="elsewhere")) == digest_of(thread)
    assert digest_of(replace(thread, related=("other",))) != digest_of(thread)
