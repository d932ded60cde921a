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
from tests.kit.peers import Died, Look, Peer, Seen
from tests.kit.vote_model import (
    Changed,
    Forgotten,
    ModeSet,
    Operation,
    Reconciled,
    Shown,
    World,
    after,
)
from tests.kit.waiting import until

PROCESSES = 3
ANSWERS, GUILDS, USERS, MESSAGES = (1, 2), (1, 2), (1, 2, 3), (1, 2, 3, 4)
"""Of one example; those of the next are higher by ``APART``, but for the answers."""
APART = 100

answers, guilds, users, messages = map(st.sampled_from, (ANSWERS, GUILDS, USERS, MESSAGES))
values = st.sampled_from(Vote)
reactions = st.builds(Reaction, users, values, st.sampled_from(ReactionKind))
cards = st.builds(Shown, messages, answers, guilds)
votes = st.one_of(
    st.builds(Added, message_id=messages, reaction=reactions),
    st.builds(Removed, message_id=messages, reaction=reactions),
    st.builds(Pressed, answer_id=answers, guild_id=guilds, user_id=users, value=values),
)
policies, thresholds = st.none() | st.sampled_from(Policy), st.sampled_from((None, 0.9, 0.95))
changes = st.one_of(
    st.builds(Changed, guilds, st.just("answer_policy"), policies),
    st.builds(Changed, guilds, st.just("answer_threshold"), thresholds),
    st.builds(ModeSet, guilds, messages, st.none() | st.sampled_from(Mode)),
)
whole = st.one_of(
    st.builds(Cleared, message_id=messages, value=st.none() | values), st.builds(Forgotten, users)
)
alone = st.one_of(
    cards,
    st.builds(Deleted, message_id=messages),
    st.builds(Reconciled, messages, st.frozensets(reactions)),
)
"""A message is compared, and shows something else, in one process: the one with its shard."""


class Done(NamedTuple):
    """What a process was told, and what it answered, if it lived to do so."""

    operation: Operation
    outcome: object = None
    died: bool = False


def worlds_after(worlds: Sequence[World], done: Sequence[Done]) -> list[World]:
    """Return the worlds that there may be after operations that were done at once."""
    found = dict[object, World]()
    for world in worlds:
        for order in permutations(done):
            possible = [world]
            for each in order:
                results = [(w, *after(each.operation, w)) for w in possible]
                possible = [new for _, new, gave in results if each.died or gave == each.outcome]
                possible += [old for old, _, _ in results if each.died]
            found |= {each.key: each for each in possible}
    return list(found.values())


@dataclass(frozen=True)
class Step:
    """What processes are to do, one each, at once: the first of them, and those after it.

    With ``dies_at`` the first is killed at that step of what it does in the database; if it has
    fewer, when it is done. Another takes its place.
    """

    operations: list[Operation]
    first: int
    dies_at: int | None = None


same_ballot = st.builds(
    lambda answer, guild, user, given: [
        Pressed(answer_id=answer, guild_id=guild, user_id=user, value=value) for value in given
    ],
    *(answers, guilds, users, st.lists(values, min_size=2, max_size=3)),
)
same_guild = st.builds(
    lambda guild, policy, threshold: [
        Changed(guild, "answer_policy", policy),
        Changed(guild, "answer_threshold", threshold),
    ],
    *(guilds, policies, thresholds),
)
mixed = votes | changes | whole
one, some = (partial(st.lists, min_size=1, max_size=most) for most in (1, 3))
numbers, deaths = st.integers(0, PROCESSES - 1), st.integers(1, 8)
steps = st.one_of(
    st.builds(Step, same_ballot | same_guild, numbers),
    st.builds(Step, some(votes) | some(mixed), numbers),
    st.builds(Step, one(alone), numbers, st.none() | deaths),
    st.builds(Step, some(mixed), numbers, deaths),
)


class Processes:
    """The processes, which outlive an example, and the worlds that there may be."""

    def __init__(self, url: str, folder: Path):
        self.url, self.folder = url, folder
        self.defaults = Settings(_env_file=None).guild_defaults
        self.peers = [self.started(number) for number in range(PROCESSES)]
        self.apart = 0
        self.worlds = [World()]

    def begin(self) -> None:
        """Begin an example: with guilds, messages and members of its own."""
        self.apart += APART
        self.worlds = [World()]
        for message in MESSAGES[:3]:
            self.do(Step([Shown(message, 1 + message % 2, 1 + message // 3)], 0))

    def do(self, step: Step) -> None:
        """Have processes do something, and compare what comes of it with the model."""
        moved = [self.of_this_example(operation) for operation in step.operations]
        chosen = [(step.first + n) % PROCESSES for n in range(len(moved))]
        for number, operation in zip(chosen, moved, strict=True):
            dies_at = step.dies_at if number == step.first else None
            self.peers[number].tell(operation, dies_at)
        done = [Done(operation, died=True) for operation in moved]
        for n, number in enumerate(chosen):
            try:
                done[n] = Done(moved[n], self.peers[number].answer())
            except Died:
                assert step.dies_at is not None
                assert number == step.first
        if step.dies_at is not None:
            self.peers[step.first].kill()
            self.peers[step.first] = self.started(step.first)
        self.worlds = worlds_after(self.worlds, done)
        assert self.worlds, f"no order of these gives such outcomes: {done}"
        self.all_see_what_the_model_says()

    def of_this_example(self, operation: Any) -> Operation:
        """Return an operation on guilds, messages and members that no other example has."""
        names = ("guild_id", "message_id", "user_id", "channel_id")
        moved = {n: getattr(operation, n) + self.apart for n in names if hasattr(operation, n)}
        theirs = partial(map, lambda r: r._replace(user_id=r.user_id + self.apart))
        if isinstance(operation, Added | Removed):
            (moved["reaction"],) = theirs([operation.reaction])
        if isinstance(operation, Reconciled):
            moved["shown"] = frozenset(theirs(operation.shown))
        done: Operation = replace(operation, **moved)
        return done

    def looks(self) -> list[Seen]:
        """Return what each process sees."""
        ids = (tuple(n + self.apart for n in some) for some in (GUILDS, MESSAGES))
        look = Look(1, *ids)
        for peer in self.peers:
            peer.tell(look)
        return [peer.answer() for peer in self.peers]

    def all_see_what_the_model_says(self) -> None:
        """Compare what every process sees with the worlds that there may be."""
        seen = self.looks()
        there = replace(seen[0], in_force={})
        assert all(replace(each, in_force={}) == there for each in seen)
        self.worlds = [world for world in self.worlds if self.seen_in(world) == there]
        assert self.worlds, f"not what the model says: {there}"
        if not all(each.in_force == each.kept for each in seen):
            asyncio.run(until(self.settings_are_in_force))

    def settings_are_in_force(self) -> bool:
        """Return whether every process goes by the settings that are kept."""
        return all(each.in_force == each.kept for each in self.looks())

    def seen_in(self, world: World) -> Seen:
        """Return what is seen where the model is so."""
        here = [guild + self.apart for guild in GUILDS]
        return Seen(
            votes=world.votes,
            tallies={(a, g): world.tally(a, g) for a in ANSWERS for g in here},
            cards=dict(world.cards),
            kept={
                guild: (
                    self.defaults.model_copy(update={k: v for k, v in own if isinstance(k, str)}),
                    {k: v for k, v in own if isinstance(k, int)},
                )
                for guild in here
                for own in [[(k, v) for (g, k), v in world.settings.items() if g == guild]]
            },
            in_force={},
        )

    def started(self, number: int) -> Peer:
        """Start a process; it has the data folder of the one before it."""
        return Peer(self.url, self.folder / str(number))


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


@settings(max_examples=4, deadline=None, phases=[Phase.generate])
@given(done=st.lists(steps, min_size=10, max_size=14))
def test_processes_are_like_the_model(three: Processes, done: list[Step]) -> None:
    three.begin()
    for step in done:
        three.do(step)
