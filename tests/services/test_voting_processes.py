"""Three processes on one library, which are killed now and then, compared with a plain model.

Some operations are done by two or three of them at once: then what comes of these must be what
some order of them gives in the model. One that a process was killed in has happened as a whole,
or not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bot.app import App
from bot.models import Answer, Mode, Policy, Reaction, ReactionKind, Thread, Vote
from bot.services.voting import Added, Cleared, Deleted, Pressed, Removed
from bot.settings import Settings
from tests.kit import postgres
from tests.kit.library import at
from tests.kit.peers import Died, GuildSeen, Inspect, Peer, Snapshot
from tests.kit.vote_model import (
    Changed,
    Forgotten,
    ModelState,
    ModeSet,
    Operation,
    Reconciled,
    Shown,
    after,
)
from tests.kit.waiting import until

PROCESSES = 3
ANSWERS, GUILDS, USERS, MESSAGES = (1, 2), (1, 2), (1, 2, 3), (1, 2, 3, 4)
"""Of the first example; in each further one all but the answers are higher by ``APART``."""
APART = 100

answers, guilds, users, messages = map(st.sampled_from, (ANSWERS, GUILDS, USERS, MESSAGES))
values = st.sampled_from(Vote)
reactions = st.builds(Reaction, users, values, st.sampled_from(ReactionKind))
votes = st.one_of(
    st.builds(Added, message_id=messages, reaction=reactions),
    st.builds(Removed, message_id=messages, reaction=reactions),
    st.builds(Pressed, answer_id=answers, guild_id=guilds, user_id=users, value=values),
)
policies, thresholds = st.none() | st.sampled_from(Policy), st.sampled_from((None, 0.9, 0.95))
settings_changes = st.one_of(
    st.builds(Changed, guilds, st.just("answer_policy"), policies),
    st.builds(Changed, guilds, st.just("answer_threshold"), thresholds),
    st.builds(ModeSet, guilds, messages, st.none() | st.sampled_from(Mode)),
)
deletions = st.one_of(
    st.builds(Cleared, message_id=messages, value=st.none() | values), st.builds(Forgotten, users)
)
anything = votes | settings_changes | deletions
message_changes = st.one_of(
    st.builds(Shown, messages, answers, guilds),
    st.builds(Deleted, message_id=messages),
    st.builds(Reconciled, messages, st.frozensets(reactions)),
)
"""These one process alone does at a time: the one with the message's shard."""


class Done(NamedTuple):
    """What a process was told, and what it answered, if it lived to do so."""

    operation: Operation
    outcome: object = None
    died: bool = False


def states_after(states: Sequence[ModelState], done: Sequence[Done]) -> list[ModelState]:
    """Return the states that are possible after operations that were done at once."""
    found = dict[object, ModelState]()
    for order in permutations(done):
        possible = list(states)
        for each in order:
            possible = [new for state in possible for new in possible_after(state, each)]
        found |= {state.key: state for state in possible}
    return list(found.values())


def possible_after(state: ModelState, done: Done) -> list[ModelState]:
    """Return the states that are possible after an operation; none if its outcome is not so."""
    new, outcome = after(done.operation, state)
    if done.died:
        return [state, new]
    return [new] if outcome == done.outcome else []


@dataclass(frozen=True)
class Step:
    """What processes are to do, one each, at once: the first of them, and those after it.

    With ``dies_at`` the first is killed at that step of what it does in the database; if it has
    fewer, when it is done. Another takes its place.
    """

    operations: list[Operation]
    first: int
    dies_at: int | None = None


def presses_of(answer: int, guild: int, user: int, pressed: list[Vote]) -> list[Operation]:
    """Return presses of vote buttons that are about one ballot."""
    return [
        Pressed(answer_id=answer, guild_id=guild, user_id=user, value=value) for value in pressed
    ]


def two_settings(guild: int, policy: Policy | None, threshold: float | None) -> list[Operation]:
    """Return changes of two settings of one guild."""
    changes = {"answer_policy": policy, "answer_threshold": threshold}
    return [Changed(guild, name, value) for name, value in changes.items()]


same_ballot = st.builds(
    presses_of, answers, guilds, users, st.lists(values, min_size=2, max_size=3)
)
same_guild = st.builds(two_settings, guilds, policies, thresholds)
just_one, up_to_three = (partial(st.lists, min_size=1, max_size=most) for most in (1, 3))
numbers, deaths = st.integers(0, PROCESSES - 1), st.integers(1, 8)
steps = st.one_of(
    st.builds(Step, same_ballot | same_guild, numbers),
    st.builds(Step, up_to_three(votes) | up_to_three(anything), numbers),
    st.builds(Step, just_one(message_changes), numbers, st.none() | deaths),
    st.builds(Step, up_to_three(anything), numbers, deaths),
)


class Processes:
    """The processes, which outlive an example, and the states of the model that are possible."""

    def __init__(self, url: str, folder: Path):
        self.url, self.folder = url, folder
        self.defaults = Settings(_env_file=None).guild_defaults
        self.peers = [self.started(number) for number in range(PROCESSES)]
        self.apart = 0
        self.states = [ModelState()]

    def started(self, number: int) -> Peer:
        """Start a process; it has the data folder of the one before it."""
        return Peer(self.url, self.folder / str(number))

    def begin(self) -> None:
        """Begin an example: with guilds, messages and members of its own."""
        self.apart += APART
        self.states = [ModelState()]
        for message in MESSAGES[:3]:
            self.do(Step([Shown(message, 1 + message % 2, 1 + message // 3)], 0))

    def do(self, step: Step) -> None:
        """Have processes do something, and compare what comes of it with the model."""
        done = self.done(step)
        self.states = states_after(self.states, done)
        assert self.states, f"no order of these gives such outcomes: {done}"
        self.compare()

    def done(self, step: Step) -> list[Done]:
        """Have processes do something at once; return what each answered."""
        told = dict[int, Operation]()
        for n, operation in enumerate(step.operations):
            number = (step.first + n) % PROCESSES
            told[number] = self.of_this_example(operation)
            dies_at = step.dies_at if number == step.first else None
            self.peers[number].tell(told[number], dies_at)
        done = list[Done]()
        for number, operation in told.items():
            try:
                done.append(Done(operation, self.peers[number].answer()))
            except Died:
                assert step.dies_at is not None
                assert number == step.first
                done.append(Done(operation, died=True))
        if step.dies_at is not None:
            self.peers[step.first].kill()
            self.peers[step.first] = self.started(step.first)
        return done

    def of_this_example(self, operation: Any) -> Operation:
        """Return an operation on guilds, messages and members that no other example has."""

        def moved(value: Any) -> Any:
            if isinstance(value, frozenset):
                return frozenset(map(moved, value))
            if isinstance(value, Reaction):
                return value._replace(user_id=moved(value.user_id))
            return value + self.apart

        names = ("guild_id", "message_id", "user_id", "channel_id", "reaction", "shown")
        changed = {n: moved(getattr(operation, n)) for n in names if hasattr(operation, n)}
        done: Operation = replace(operation, **changed)
        return done

    def compare(self) -> None:
        """Compare what every process sees with the states that are possible."""
        seen = self.snapshots()
        first = replace(seen[0], in_force={})
        assert all(replace(each, in_force={}) == first for each in seen)
        self.states = [state for state in self.states if self.seen_in(state) == first]
        assert self.states, f"not what the model says: {first}"
        if any(each.in_force != each.kept for each in seen):
            asyncio.run(until(self.settings_are_in_force))

    def settings_are_in_force(self) -> bool:
        """Return whether every process goes by the settings that are kept."""
        return all(each.in_force == each.kept for each in self.snapshots())

    def snapshots(self) -> list[Snapshot]:
        """Return what each process sees."""
        guild_ids, message_ids = self.ids(GUILDS), self.ids(MESSAGES)
        for peer in self.peers:
            peer.tell(Inspect(1, guild_ids, message_ids))
        return [peer.answer() for peer in self.peers]

    def seen_in(self, state: ModelState) -> Snapshot:
        """Return what is to be seen in a state; the model knows of nothing but what is kept."""
        here = self.ids(GUILDS)
        return Snapshot(
            votes=state.votes,
            tallies={(a, g): state.tally(a, g) for a in ANSWERS for g in here},
            cards=dict(state.cards),
            kept={guild_id: self.kept_in(state, guild_id) for guild_id in here},
            in_force={},
        )

    def kept_in(self, state: ModelState, guild_id: int) -> GuildSeen:
        """Return a guild's settings in a state: those by name, and the modes by channel."""
        own = {name: value for (of, name), value in state.settings.items() if of == guild_id}
        named = {name: value for name, value in own.items() if isinstance(name, str)}
        modes = {channel: mode for channel, mode in own.items() if isinstance(channel, int)}
        return self.defaults.model_copy(update=named), modes

    def ids(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """Return ids of this example."""
        return tuple(number + self.apart for number in numbers)


@pytest.fixture(scope="module")
def three(
    postgres_server: postgres.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Processes]:
    """Three processes on a library with one thread, for all examples."""
    folder, name = tmp_path_factory.mktemp("three"), asyncio.run(postgres_server.take())
    url = postgres_server.url(name)

    async def prepare() -> None:
        app = await App.open(at(folder, "off").model_copy(update={"database_url": url}))
        said = tuple(Answer(body=text) for text in ("This one.", "The other."))
        await app.library.add([Thread(key="poll", title="Which one is it?", answers=said)])
        await app.close()

    asyncio.run(prepare())
    processes = Processes(url, folder)
    yield processes
    for peer in processes.peers:
        peer.kill()
    postgres_server.give_back(name)


# Failures are not shrunk: the processes have gone on.
@settings(max_examples=4, deadline=None, phases=[Phase.generate])
@given(steps=st.lists(steps, min_size=10, max_size=14))
def test_processes_are_like_the_model(three: Processes, steps: list[Step]) -> None:
    three.begin()
    for step in steps:
        three.do(step)
