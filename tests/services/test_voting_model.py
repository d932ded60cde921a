"""Random reactions and presses, compared with a model that is too simple to be wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bot.models import SHARED, Answer, Posting, Reaction, ReactionKind, Thread, Vote
from bot.services.postings import Postings
from bot.services.voting import Added, Cleared, Pressed, Removed, VoteChange, Voting
from bot.store import threads
from bot.store.database import Database
from bot.store.rows import pack
from tests.kit import postgres
from tests.kit.vote_model import Card, Forgotten, ModelState, Operation, Reconciled, after
from tests.kit.votes import tally_of

GUILDS = (11, 22)
MESSAGES = {m: Card(1 + m % 2, GUILDS[m // 2 % 2]) for m in range(101, 109)}

T = TypeVar("T")
messages = st.sampled_from(sorted(MESSAGES))
users = st.integers(1, 3)
values = st.sampled_from(Vote)
reactions = st.builds(Reaction, users, values, st.sampled_from(ReactionKind))
changes = st.one_of(
    st.builds(Added, message_id=messages, reaction=reactions),
    st.builds(Removed, message_id=messages, reaction=reactions),
    st.builds(Cleared, message_id=messages, value=st.none() | values),
    st.builds(
        Pressed,
        answer_id=st.integers(1, 2),
        guild_id=st.sampled_from(GUILDS),
        user_id=users,
        value=values,
    ),
)
events = st.lists(st.tuples(st.sampled_from((Added, Removed)), reactions), max_size=4)


class Live:
    """The signs that events were about since Discord was asked."""

    def __init__(self, signs: frozenset[Reaction]):
        self.signs = signs

    def decides(self, sign: Reaction) -> bool:
        return sign in self.signs

    def has_events_of(self, user_id: int) -> bool:
        return any(sign.user_id == user_id for sign in self.signs)


def now() -> int:
    return time.time_ns() // 1000


class VotingIsLikeTheModel(RuleBasedStateMachine):
    """Each operation does what it does in the model, and tallies are those of the model."""

    server: postgres.Server | None = None
    """Where the library is, unless in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self.runner = asyncio.Runner()
        self.state = ModelState(cards=MESSAGES)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        self.run(self._open())

    async def _open(self) -> None:
        url = "sqlite+aiosqlite://"
        if self.server is not None:
            self.name = await self.server.take()
            url = self.server.url(self.name)
        self.database = await Database.open(url)
        self.voting = Voting(self.database)
        async with self.database.write() as connection:
            thread = Thread(key="k", title="t", answers=(Answer(body="a"), Answer(body="b")))
            await threads.put(connection, SHARED, [pack(thread)])
        for message, (answer, guild) in MESSAGES.items():
            await Postings(self.database).record(
                Posting(
                    message_id=message,
                    channel_id=1,
                    guild_id=guild,
                    thread_id=1,
                    answer_id=answer,
                    asker_id=9,
                )
            )

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.run(self.database.close())
        if self.server is not None:
            self.server.give_back(self.name)
        self.runner.close()

    def come_to(self, operation: Operation) -> object:
        """Do an operation in the model; return its outcome there."""
        self.state, outcome = after(operation, self.state)
        return outcome

    @rule(change=changes)
    def change(self, change: VoteChange) -> None:
        assert self.run(self.voting.apply([change])) == [self.come_to(change)]

    @rule(message=messages, shown=st.frozensets(reactions), meanwhile=events)
    def reconcile(
        self,
        message: int,
        shown: frozenset[Reaction],
        meanwhile: list[tuple[type[Added | Removed], Reaction]],
    ) -> None:
        """Discord shows something, events come, then what it showed is taken in."""
        since = now()
        for what, reaction in meanwhile:
            self.change(what(message_id=message, reaction=reaction))
        live = frozenset(reaction for _, reaction in meanwhile)
        did = self.voting.reconcile(
            message_id=message, reactions=shown, live=Live(live), since=since
        )
        assert self.run(did) == self.come_to(Reconciled(message, shown, live))

    @rule(user=users)
    def forget(self, user: int) -> None:
        assert self.run(self.voting.forget_user(user)) == self.come_to(Forgotten(user))

    @invariant()
    def tallies_agree(self) -> None:
        for answer in (1, 2):
            for guild in GUILDS:
                expected = self.state.tally(answer, guild)
                assert self.run(tally_of(self.database, answer, guild)) == expected


def compare(machine: type[VotingIsLikeTheModel], examples: int) -> None:
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=20, deadline=None)
    )


def test_voting_is_like_the_model() -> None:
    compare(VotingIsLikeTheModel, 10)


def test_voting_is_like_the_model_on_postgres(postgres_server: postgres.Server) -> None:
    class OnPostgres(VotingIsLikeTheModel):
        server = postgres_server

    compare(OnPostgres, 6)
