"""Random reactions and presses, compared with a model that is too simple to be wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bot.models import SHARED, Answer, Posting, Thread, Vote
from bot.services.postings import Postings
from bot.services.voting import Voting
from bot.store import threads
from bot.store.database import Database
from bot.store.packing import pack

GUILDS = (11, 22)
BUTTON = 0
MESSAGES = {m: (1 + m % 2, GUILDS[m // 2 % 2]) for m in range(101, 109)}
"""Message id -> the answer it shows and the guild it is in."""

T = TypeVar("T")
Ballot = tuple[int, int, int]
messages = st.sampled_from(sorted(MESSAGES))
users = st.integers(1, 3)
values = st.sampled_from(Vote)


class VotingIsLikeTheModel(RuleBasedStateMachine):
    """The model: for each ballot, the member's standing signs, the newest last."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.signs: dict[Ballot, list[tuple[int, Vote]]] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def open(self) -> None:
        self.run(self._open())

    async def _open(self) -> None:
        self.database = await Database.open("sqlite+aiosqlite://")
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
        self.runner.close()

    def of(self, message: int, user: int) -> list[tuple[int, Vote]]:
        return self.signs.setdefault((*MESSAGES[message], user), [])

    def give(self, signs: list[tuple[int, Vote]], sign: tuple[int, Vote]) -> None:
        if sign in signs:
            signs.remove(sign)
        signs.append(sign)

    @rule(message=messages, user=users, value=values)
    def react(self, message: int, user: int, value: Vote) -> None:
        self.give(self.of(message, user), (message, value))
        assert self.run(self.voting.react(message_id=message, user_id=user, value=value))

    @rule(message=messages, user=users, value=values)
    def unreact(self, message: int, user: int, value: Vote) -> None:
        signs = self.of(message, user)
        stood = (message, value) in signs
        if stood:
            signs.remove((message, value))
        did = self.run(self.voting.unreact(message_id=message, user_id=user, value=value))
        assert did is stood

    @rule(message=messages, value=st.none() | values)
    def clear(self, message: int, value: Vote | None) -> None:
        gone = {(message, v) for v in Vote if value in (None, v)}
        for signs in self.signs.values():
            signs[:] = [sign for sign in signs if sign not in gone]
        self.run(self.voting.clear(message_id=message, value=value))

    @rule(answer=st.integers(1, 2), guild=st.sampled_from(GUILDS), user=users, value=values)
    def press(self, answer: int, guild: int, user: int, value: Vote) -> None:
        signs = self.signs.setdefault((answer, guild, user), [])
        if signs and signs[-1][1] is value:
            signs[:] = [sign for sign in signs if sign[0] != BUTTON]
        else:
            self.give(signs, (BUTTON, value))
        now = self.run(
            self.voting.press(answer_id=answer, guild_id=guild, user_id=user, value=value)
        )
        assert now is (signs[-1][1] if signs else None)

    @rule(message=messages, shown=st.dictionaries(users, st.frozensets(values)))
    def reconcile(self, message: int, shown: dict[int, frozenset[Vote]]) -> None:
        changed = 0
        for user in range(1, 4):
            signs, there = self.of(message, user), shown.get(user, frozenset())
            for value in sorted(Vote):
                stood = (message, value) in signs
                changed += stood is not (value in there)
                if stood and value not in there:
                    signs.remove((message, value))
                elif value in there and not stood:
                    signs.append((message, value))
        assert self.run(self.voting.reconcile(message_id=message, reactions=shown)) == changed

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
                assert self.run(self.voting.tally(answer, guild)) == expected


VotingIsLikeTheModel.TestCase.settings = settings(
    max_examples=8, stateful_step_count=20, deadline=None
)
TestVotingIsLikeTheModel = VotingIsLikeTheModel.TestCase
