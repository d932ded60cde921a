"""Thousands of reactions are compared in transactions that are short."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.app import App
from bot.errors import NotFound
from bot.models import Reaction, ReactionKind, StoredAnswer, Vote
from bot.services import reconciling
from bot.services.voting import Added, Cleared, Deleted, Pressed, Removed, VoteChange
from bot.store import votes
from bot.store.votes import VotePlace
from tests.kit.library import BREAD, HERE, THERE, post
from tests.kit.votes import (
    clear_votes,
    give_reaction,
    press_button,
    reconcile_votes,
    take_reaction,
    tally_of,
)
from tests.kit.waiting import HANG
from tests.services.test_voting import ALICE, BOB, CAROL, DOWN, UP, tally

Answers = Sequence[StoredAnswer]
SUPER = ReactionKind.SUPER
MANY = 1500


class Live:
    """Events of some signs, and of all of one value."""

    def __init__(self, *signs: Reaction, cleared: Vote | None = None):
        self.signs, self.cleared = set(signs), cleared

    def decides(self, sign: Reaction) -> bool:
        return sign in self.signs or sign.value is self.cleared

    def has_events_of(self, user_id: int) -> bool:
        return any(sign.user_id == user_id for sign in self.signs)


@pytest.fixture
def writes(app: App, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A growing list with one item for each write transaction."""
    begun, write = list[int](), app.database.write

    @asynccontextmanager
    async def counting() -> AsyncIterator[AsyncConnection]:
        begun.append(len(begun))
        async with write() as connection:
            yield connection

    monkeypatch.setattr(app.database, "write", counting)
    return begun


@pytest.mark.sqlite_only  # elsewhere votes are written beside what is written in turns
class TestSlices:
    async def test_many_members_are_many_transactions(
        self, app: App, bread: Answers, writes: list[int]
    ) -> None:
        message = await post(app, bread[0])
        writes.clear()
        shown = {user: frozenset({UP if user % 3 else DOWN}) for user in range(1, MANY + 1)}
        assert await reconcile_votes(app.voting, message_id=message, reactions=shown) == MANY
        assert await tally(app, bread[0]) == 3 + MANY - 2 * (MANY // 3)
        assert MANY / reconciling.LARGEST <= len(writes) <= MANY / reconciling.SMALLEST
        writes.clear()
        assert await reconcile_votes(app.voting, message_id=message, reactions=shown) == 0
        assert writes == []

    async def test_another_program_comes_in_between(
        self, app: App, bread: Answers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reconciling, "LARGEST", 100)
        message = await post(app, bread[0])
        shown = {user: frozenset({UP}) for user in range(1, MANY + 1)}
        work = asyncio.create_task(reconcile_votes(app.voting, message_id=message, reactions=shown))
        came = await asyncio.to_thread(self._write_until, app, work)
        assert await work == MANY
        assert came > 0

    def _write_until(self, app: App, work: asyncio.Task[int]) -> int:
        """Write as another program while votes are; how often some, not all, were there."""
        came = 0
        with closing(sqlite3.connect(app.database.path or "", timeout=HANG)) as other:
            other.isolation_level = None
            while not work.done():
                other.execute("BEGIN IMMEDIATE")
                (count,) = other.execute("SELECT count(*) FROM votes").fetchone()
                other.execute("COMMIT")
                came += 0 < count < MANY
        return came

    async def test_clearing_is_in_slices_too(
        self, app: App, bread: Answers, writes: list[int]
    ) -> None:
        message = await post(app, bread[0])
        shown = {user: frozenset({UP, DOWN}) for user in range(1, MANY + 1)}
        await reconcile_votes(app.voting, message_id=message, reactions=shown)
        writes.clear()
        await clear_votes(app.voting, message_id=message, value=UP)
        assert len(writes) >= MANY / reconciling.LARGEST
        assert await tally(app, bread[0]) == 3 - MANY
        await clear_votes(app.voting, message_id=message)
        assert await tally(app, bread[0]) == 3

    async def test_clearing_gives_back_nothing_that_was_deleted_meanwhile(
        self, app: App, bread: Answers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reconciling, "FIRST", 2)
        message = await post(app, bread[0])
        shown = {user: frozenset({UP, DOWN}) for user in range(1, 10)}
        await reconcile_votes(app.voting, message_id=message, reactions=shown)
        real, forgotten = asyncio.sleep, list[int]()

        async def pause(seconds: float) -> None:
            if not forgotten:
                forgotten.append(await app.voting.forget_user(9))
            await real(seconds)

        monkeypatch.setattr("bot.services.reconciling.asyncio.sleep", pause)
        await clear_votes(app.voting, message_id=message, value=UP)
        assert forgotten == [1]
        assert await tally(app, bread[0]) == 3 - 8


class Clock:
    """Seconds that go up by as much as the rows cost that are written meanwhile."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class TestBudget:
    """A transaction holds the write lock no longer than other programs can bear."""

    @pytest.fixture
    async def rows(self, app: App, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """How many reactions each transaction adds; one takes as long as ``cost`` says."""
        add = votes.add
        self.clock, self.cost = Clock(), 0.001
        written: list[int] = []

        async def counting(
            connection: AsyncConnection, place: VotePlace, new: list[tuple[Reaction, int]]
        ):
            written.append(len(new))
            self.clock.seconds += len(new) * self.cost
            await add(connection, place, new)

        monkeypatch.setattr(votes, "add", counting)
        return written

    async def compare(self, app: App, answer: StoredAnswer, members: int) -> None:
        message = await post(app, answer)
        shown = [Reaction(user, UP) for user in range(1, members + 1)]
        compared = reconciling.Reconciling(app.database, self.clock)
        done = await compared.compare(message, shown)
        assert done == members

    @pytest.mark.parametrize("cost", [0.00003, 0.0003, 0.001])
    async def test_slices_follow_what_they_take(
        self, app: App, bread: Answers, rows: list[int], cost: float
    ) -> None:
        self.cost = cost
        await self.compare(app, bread[0], MANY)
        assert sum(rows) == MANY
        assert max(rows) * cost <= reconciling.BUDGET
        assert max(rows[1:-1]) * cost >= min(reconciling.BUDGET / 6, 200 * cost)

    async def test_one_that_took_too_long_is_followed_by_short_ones(
        self, app: App, bread: Answers, rows: list[int]
    ) -> None:
        self.cost = 0.004
        await self.compare(app, bread[0], 200)
        assert rows[0] == reconciling.FIRST
        assert max(rows[1:]) * self.cost <= reconciling.BUDGET

    @pytest.mark.sqlite_only  # elsewhere votes are written beside what is written in turns
    async def test_nothing_is_read_under_the_lock_but_the_posting(
        self, app: App, bread: Answers, rows: list[int]
    ) -> None:
        statements: list[str] = []

        def note(connection, cursor, statement, *_: object) -> None:
            statements.append(" ".join(statement.split()))

        engine = app.database._writer.sync_engine
        message = await post(app, bread[0])
        event.listen(engine, "before_cursor_execute", note)
        shown = {user: frozenset({UP}) for user in range(1, MANY + 1)}
        await reconcile_votes(app.voting, message_id=message, reactions=shown)
        event.remove(engine, "before_cursor_execute", note)
        reads = [statement for statement in statements if statement.startswith("SELECT")]
        assert len(reads) == len(rows)
        assert all("FROM postings" in read for read in reads)


class TestLiveEvents:
    async def test_decide_for_what_they_are_about(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        live = Live(Reaction(ALICE, UP), Reaction(BOB, UP))
        shown = {BOB: frozenset({UP}), CAROL: frozenset({DOWN})}
        changed = await reconcile_votes(app.voting, message_id=message, reactions=shown, live=live)
        assert changed == 1
        assert await tally(app, bread[0]) == 3 + 1 - 1

    async def test_are_newer_than_what_was_shown(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        await give_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        shown = {ALICE: frozenset({UP, DOWN})}
        live = Live(Reaction(ALICE, UP))
        await reconcile_votes(app.voting, message_id=message, reactions=shown, live=live, since=1)
        assert await tally(app, bread[0]) == 3 + 1
        await take_reaction(app.voting, message_id=message, user_id=ALICE, value=UP)
        assert await tally(app, bread[0]) == 3 - 1

    async def test_of_clearing_are_about_everybody(self, app: App, bread: Answers) -> None:
        message = await post(app, bread[0])
        shown = {ALICE: frozenset({UP}), BOB: frozenset({DOWN})}
        live = Live(cleared=UP)
        await reconcile_votes(app.voting, message_id=message, reactions=shown, live=live)
        assert await tally(app, bread[0]) == 3 - 1


class TestSuperReactions:
    async def test_are_kept_apart_and_either_holds_the_vote(self, app: App, bread: Answers) -> None:
        message, voting = await post(app, bread[0]), app.voting
        await give_reaction(voting, message_id=message, user_id=ALICE, value=UP)
        await give_reaction(voting, message_id=message, user_id=ALICE, value=UP, kind=SUPER)
        assert await tally(app, bread[0]) == 3 + 1
        assert await take_reaction(voting, message_id=message, user_id=ALICE, value=UP)
        assert not await take_reaction(voting, message_id=message, user_id=ALICE, value=UP)
        assert await tally(app, bread[0]) == 3 + 1
        assert await take_reaction(voting, message_id=message, user_id=ALICE, value=UP, kind=SUPER)
        assert await tally(app, bread[0]) == 3

    async def test_are_reconciled_apart(self, app: App, bread: Answers) -> None:
        message, voting = await post(app, bread[0]), app.voting
        await give_reaction(voting, message_id=message, user_id=ALICE, value=UP, kind=SUPER)
        ups = {ALICE: frozenset({UP})}
        assert await reconcile_votes(voting, message_id=message, reactions={}, supers=ups) == 0
        assert await reconcile_votes(voting, message_id=message, reactions=ups, supers=ups) == 1
        assert await reconcile_votes(voting, message_id=message, reactions=ups) == 1
        assert await tally(app, bread[0]) == 3 + 1

    async def test_are_cleared_with_the_others(self, app: App, bread: Answers) -> None:
        message, voting = await post(app, bread[0]), app.voting
        for kind in ReactionKind:
            await give_reaction(voting, message_id=message, user_id=ALICE, value=UP, kind=kind)
        await clear_votes(voting, message_id=message, value=UP)
        assert await tally(app, bread[0]) == 3


class TestApplying:
    async def applied(self, app: App, changes: Sequence[VoteChange]) -> list[object]:
        outcomes = list[object]()
        while len(outcomes) < len(changes):
            outcomes += await app.voting.apply(changes[len(outcomes) :])
        return outcomes

    async def test_changes_are_made_in_order(self, app: App, bread: Answers) -> None:
        message, other = await post(app, bread[0]), await post(app, bread[0])
        press = Pressed(answer_id=bread[0].id, guild_id=HERE, user_id=ALICE, value=UP)
        outcomes = await self.applied(
            app,
            [
                Added(message_id=message, reaction=Reaction(ALICE, UP)),
                Added(message_id=1, reaction=Reaction(ALICE, UP)),
                Removed(message_id=message, reaction=Reaction(BOB, UP)),
                press,
                Added(message_id=message, reaction=Reaction(BOB, DOWN)),
                Cleared(message_id=message, value=DOWN),
                Added(message_id=other, reaction=Reaction(ALICE, DOWN)),
                press,
                press,
                Deleted(message_id=other),
                Added(message_id=other, reaction=Reaction(BOB, DOWN)),
            ],
        )
        expected = [True, False, False, UP, True, True, True, UP, DOWN, True, False]
        assert outcomes == expected
        assert await tally(app, bread[0]) == 3 - 1

    @pytest.mark.sqlite_only  # elsewhere votes are written beside what is written in turns
    async def test_a_transaction_takes_in_so_many_as_there_is_time_for(
        self, app: App, bread: Answers, writes: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = await post(app, bread[0])
        changes = [Added(message_id=message, reaction=Reaction(user, UP)) for user in range(1, 9)]
        writes.clear()
        monkeypatch.setattr("bot.services.voting.HOLD_SECONDS", 3600.0)
        assert len(await app.voting.apply(changes)) == 8
        monkeypatch.setattr("bot.services.voting.HOLD_SECONDS", -1.0)
        assert len(await app.voting.apply(changes)) == 1
        assert len(writes) == 2

    async def test_one_that_is_late_is_older_than_what_came_since(
        self, app: App, bread: Answers
    ) -> None:
        message, other = await post(app, bread[0]), await post(app, bread[0])
        await give_reaction(app.voting, message_id=other, user_id=ALICE, value=DOWN)
        late = Added(message_id=message, reaction=Reaction(ALICE, UP), at=1)
        assert await app.voting.apply([late]) == [True]
        assert await tally(app, bread[0]) == 3 - 1
        await take_reaction(app.voting, message_id=other, user_id=ALICE, value=DOWN)
        assert await tally(app, bread[0]) == 3 + 1


class TestScope:
    async def test_a_press_counts_only_where_the_answer_is_seen(
        self, app: App, bread: Answers
    ) -> None:
        await app.library.add([replace(BREAD, key="own")], scope=HERE)
        thread = await app.answering.find("own", guild_id=HERE)
        assert thread is not None
        for guild in (THERE, 0):
            with pytest.raises(NotFound, match="not in the library any more"):
                await press_button(
                    app.voting,
                    answer_id=thread.answers[0].id,
                    guild_id=guild,
                    user_id=ALICE,
                    value=UP,
                )
            assert await tally_of(app.database, thread.answers[0].id, guild) is None
        assert (await app.library.count()).votes == 0
        assert UP is await press_button(
            app.voting, answer_id=thread.answers[0].id, guild_id=HERE, user_id=ALICE, value=UP
        )
