"""Random reactions and presses, compared with a model that is too simple to be wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.models import SHARED, Answer, Posting, Reaction, ReactionKind, Thread, Vote
from bot.services.postings import Postings
from bot.services.voting import Voting
from bot.store import threads
from bot.store.database import Database
from bot.store.rows import pack
from tests.kit import postgres
from tests.kit.votes import (
    clear_votes,
    give_reaction,
    press_button,
    reconcile_votes,
    take_reaction,
    tally_of,
)

GUILDS = (11, 22)
BUTTON = 0
MESSAGES = {m: (1 + m % 2, GUILDS[m // 2 % 2]) for m in range(101, 109)}
"""Message id -> the answer it shows and the guild it is in."""

T = TypeVar("T")
Ballot = tuple[int, int, int]
Standing = tuple[int, Vote, ReactionKind]
messages = st.sampled_from(sorted(MESSAGES))
users = st.integers(1, 3)
values = st.sampled_from(Vote)
kinds = st.sampled_from(ReactionKind)
shown_votes = st.dictionaries(users, st.frozensets(values))
events = st.lists(st.tuples(st.booleans(), st.builds(Reaction, users, values, kinds)), max_size=4)


class Live:
    """The signs that events were about since Discord was asked."""

    def __init__(self, signs: set[Reaction]):
        self.signs = signs

    def decides(self, sign: Reaction) -> bool:
        return sign in self.signs

    def has_events_of(self, user_id: int) -> bool:
        return any(sign.user_id == user_id for sign in self.signs)


def now() -> int:
    return time.time_ns() // 1000


class VotingIsLikeTheModel(RuleBasedStateMachine):
    """The model: for each ballot, the member's standing signs, the newest last."""

    server: postgres.Server | None = None
    """Where the library is, unless in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        self.runner = asyncio.Runner()
        self.signs: dict[Ballot, list[Standing]] = {}

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

    def of(self, message: int, user: int) -> list[Standing]:
        return self.signs.setdefault((*MESSAGES[message], user), [])

    def give(self, signs: list[Standing], sign: Standing) -> None:
        if sign in signs:
            signs.remove(sign)
        signs.append(sign)

    @rule(message=messages, user=users, value=values, kind=kinds)
    def react(self, message: int, user: int, value: Vote, kind: ReactionKind) -> None:
        self.give(self.of(message, user), (message, value, kind))
        assert self.run(
            give_reaction(self.voting, message_id=message, user_id=user, value=value, kind=kind)
        )

    @rule(message=messages, user=users, value=values, kind=kinds)
    def unreact(self, message: int, user: int, value: Vote, kind: ReactionKind) -> None:
        signs = self.of(message, user)
        stood = (message, value, kind) in signs
        if stood:
            signs.remove((message, value, kind))
        did = self.run(
            take_reaction(self.voting, message_id=message, user_id=user, value=value, kind=kind)
        )
        assert did is stood

    @rule(message=messages, value=st.none() | values)
    def clear(self, message: int, value: Vote | None) -> None:
        for signs in self.signs.values():
            signs[:] = [s for s in signs if s[0] != message or value not in (None, s[1])]
        self.run(clear_votes(self.voting, message_id=message, value=value))

    @rule(answer=st.integers(1, 2), guild=st.sampled_from(GUILDS), user=users, value=values)
    def press(self, answer: int, guild: int, user: int, value: Vote) -> None:
        signs = self.signs.setdefault((answer, guild, user), [])
        if signs and signs[-1][1] is value:
            signs[:] = [sign for sign in signs if sign[0] != BUTTON]
        else:
            self.give(signs, (BUTTON, value, ReactionKind.NORMAL))
        now = self.run(
            press_button(self.voting, answer_id=answer, guild_id=guild, user_id=user, value=value)
        )
        assert now is (signs[-1][1] if signs else None)

    @rule(message=messages, normal=shown_votes, supers=shown_votes, meanwhile=events)
    def reconcile(
        self,
        message: int,
        normal: dict[int, frozenset[Vote]],
        supers: dict[int, frozenset[Vote]],
        meanwhile: list[tuple[bool, Reaction]],
    ) -> None:
        """Discord shows something, events come, then what it showed is taken in."""
        since, live, changed = now(), Live({sign for _, sign in meanwhile}), 0
        for comes, sign in meanwhile:
            (self.react if comes else self.unreact)(message, *sign)
        shown = {ReactionKind.NORMAL: normal, ReactionKind.SUPER: supers}
        for user in range(1, 4):
            signs = self.of(message, user)
            late = [s for s in signs if s[0] == message and live.decides(Reaction(user, *s[1:]))]
            signs[:] = [s for s in signs if s not in late]
            for value in sorted(Vote):
                for kind in ReactionKind:
                    this, there = (message, value, kind), value in shown[kind].get(user, ())
                    if live.decides(Reaction(user, value, kind)):
                        continue
                    changed += (this in signs) is not there
                    if this in signs and not there:
                        signs.remove(this)
                    elif there and this not in signs:
                        signs.append(this)
            signs += late
        did = reconcile_votes(
            self.voting, message_id=message, reactions=normal, supers=supers, live=live, since=since
        )
        assert self.run(did) == changed

    @rule(user=users)
    def forget(self, user: int) -> None:
        mine = [signs for ballot, signs in self.signs.items() if ballot[2] == user]
        assert self.run(self.voting.forget_user(user)) == sum(map(bool, mine))
        for signs in mine:
            signs.clear()

    @invariant()
    def tallies_agree(self) -> None:
        for answer in (1, 2):
            for guild in GUILDS:
                expected = sum(
                    signs[-1][1]
                    for (a, g, _), signs in self.signs.items()
                    if signs and (a, g) == (answer, guild)
                )
                assert self.run(tally_of(self.database, answer, guild)) == expected


class OnPostgres(VotingIsLikeTheModel):
    """The same in a database of a server."""


for machine, examples in ((VotingIsLikeTheModel, 10), (OnPostgres, 6)):
    machine.TestCase.settings = settings(
        max_examples=examples, stateful_step_count=20, deadline=None
    )

TestVotingIsLikeTheModel = VotingIsLikeTheModel.TestCase


class TestVotingIsLikeTheModelOnPostgres(OnPostgres.TestCase):
    @pytest.fixture(autouse=True)
    def on_the_server(self, postgres_server: postgres.Server) -> None:
        OnPostgres.server = postgres_server
