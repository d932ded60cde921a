"""Any sequence of changes leaves what a plain model of threads, votes and acceptance says.

Changes are drawn by a fixed seed: adding, editing, answering, taking out, merging, undoing,
going back, voting, accepting, importing again, removing and restoring; and versions of shared
threads, which are merged like others.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from bot.app import App
from bot.curation import ThreadState
from bot.models import Answer, Thread, Vote
from bot.services.curating import Curating
from bot.services.guild_library import GuildLibrary
from bot.services.index_sync import IndexSync
from bot.store import overrides, thread_states
from tests.kit.library import HERE, THERE
from tests.kit.revisions import kept
from tests.kit.votes import press_button

SEEDS, STEPS, CHECKED, MEMBERS = 4, 48, 8, 3
TEXTS = [f"Text number {n}." for n in range(12)]
"""Few, so that merged threads often have answers in common."""


class NoIndex:
    """In place of the index, which is not looked at here."""

    async def catch_up(self) -> bool:
        return True


@dataclass(frozen=True)
class State:
    """What the model knows of a thread: its answers as pairs of an id and a text."""

    title: str
    answers: tuple[tuple[int, str], ...]
    retired: bool = False
    merged: frozenset[int] = frozenset()
    change: int = 0
    gone_to: int = 0


Given = tuple[int, tuple[int, ...]]


@dataclass
class Model:
    """Threads by id, with all their states; acceptances; and what members gave to answers.

    That is by answer, member and value: when, and which answers it came from by merging.
    """

    now: dict[int, State] = field(default_factory=dict)
    states: dict[int, list[State]] = field(default_factory=dict)
    merged_into: dict[int, int] = field(default_factory=dict)
    unmerged: dict[int, State] = field(default_factory=dict)
    removed: dict[int, int] = field(default_factory=dict)
    votes: dict[tuple[int, int, int], Given] = field(default_factory=dict)
    accepted: dict[int, int] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    clock: int = 0
    change: int = 0

    def own(self) -> list[int]:
        """The threads that can be changed."""
        return [i for i in self.now if i not in self.merged_into and i not in self.removed]

    def age(self, thread_id: int) -> int:
        """A version of a shared thread is as old as that one."""
        return self.versions.get(thread_id, thread_id)

    def hidden_by(self, thread_id: int) -> set[int]:
        """The shared threads that a thread stands in for, however often they were merged."""
        mine = {self.versions[thread_id]} if thread_id in self.versions else set()
        return mine.union(
            *(self.hidden_by(i) for i, to in self.merged_into.items() if to == thread_id)
        )

    def in_force(self) -> list[int]:
        return [i for i in self.own() if not self.now[i].retired]

    def put(self, thread_id: int, state: State) -> None:
        state = replace(state, change=self.change)
        self.now[thread_id] = state
        self.states.setdefault(thread_id, []).append(state)
        given = {answer_id for answer_id, _ in state.answers}
        for other, answer_id in [*self.accepted.items()]:
            if other != thread_id and answer_id in given:
                del self.accepted[other]
                self.accepted.setdefault(thread_id, answer_id)

    def in_vote(self, answer_id: int, user_id: int) -> int:
        """The value of a member's vote on an answer: the newest that they gave; 0 without one."""
        given = {v: self.votes.get((answer_id, user_id, v), (0, ()))[0] for v in (-1, 1)}
        newest = max(given, key=lambda value: (given[value], value))
        return newest if given[newest] else 0

    def vote(self, answer_id: int, user_id: int, value: int) -> None:
        self.clock += 1
        if self.in_vote(answer_id, user_id) == value:  # the second press takes all back
            for each in (-1, 1):
                self.votes.pop((answer_id, user_id, each), None)
        else:
            self.votes[answer_id, user_id, value] = (self.clock, ())

    def merge(self, kept: int, gone: int) -> None:
        before, other = self.now[kept], self.now[gone]
        texts = {text: answer_id for answer_id, text in before.answers}
        more = tuple(pair for pair in other.answers if pair[1] not in texts)
        for answer_id, text in other.answers:
            if text in texts:
                self._same(answer_id, texts[text], kept, gone)
        merged = before.merged | {gone}
        self.put(kept, replace(before, answers=(*before.answers, *more), merged=merged))
        self._retire_into(gone, kept)

    def _same(self, old: int, new: int, kept: int, gone: int) -> None:
        """One answer has the text of another: of two alike that a member gave, the last is left."""
        for (answer_id, user_id, value), (at, way) in [*self.votes.items()]:
            if answer_id == old:
                del self.votes[old, user_id, value]
                if at > self.votes.get((new, user_id, value), (0, ()))[0]:
                    self.votes[new, user_id, value] = (at, (*way, old))
        if self.accepted.get(gone) == old:
            del self.accepted[gone]
            self.accepted.setdefault(kept, new)

    def restore(self, thread_id: int, state: State) -> None:
        if state.gone_to:  # its merging is done again
            kept = [s for s in self.states[state.gone_to] if s.change == state.change]
            self.restore(state.gone_to, kept[-1])
            return
        there = self.now[thread_id]
        self.put(thread_id, state)
        for other in sorted(there.merged - state.merged):
            del self.merged_into[other]
            self.put(other, self.unmerged[other])
            self.give_back({answer_id for answer_id, _ in self.unmerged[other].answers})
        for other in sorted(state.merged - there.merged):
            texts = {text: answer_id for answer_id, text in state.answers}
            for answer_id, text in self.now[other].answers:
                if texts.get(text, answer_id) != answer_id:
                    self._same(answer_id, texts[text], thread_id, other)
            self._retire_into(other, thread_id)

    def give_back(self, answer_ids: set[int]) -> None:
        """Answers have again what came from them by merging."""
        for (answer_id, user_id, value), (at, way) in [*self.votes.items()]:
            if way and way[-1] in answer_ids:
                del self.votes[answer_id, user_id, value]
                self.votes[way[-1], user_id, value] = (at, way[:-1])

    def undo(self, thread_id: int) -> None:
        states = self.states[thread_id]
        earlier = [state for state in states if state.change < states[-1].change]
        self.restore(thread_id, earlier[-1] if earlier else replace(states[-1], retired=True))

    def _retire_into(self, gone: int, kept: int) -> None:
        self.unmerged[gone] = self.now[gone]
        self.merged_into[gone] = kept
        self.put(gone, replace(self.now[gone], answers=(), retired=True, gone_to=kept))

    def shown(self, thread_id: int) -> dict[int, tuple[str, int, bool]] | None:
        """Text, votes and acceptance of a thread's answers by id; None if it is not served."""
        state = self.now[thread_id]
        if state.retired or thread_id in self.removed:
            return None
        sums = dict.fromkeys((answer_id for answer_id, _ in state.answers), 0)
        for answer_id, user_id in {(answer_id, user) for answer_id, user, _ in self.votes}:
            if answer_id in sums:
                sums[answer_id] += self.in_vote(answer_id, user_id)
        chosen = self.accepted.get(thread_id)
        return {i: (text, sums[i], chosen == i) for i, text in state.answers}


class Player:
    """Makes one change after the other, in the library and in the model."""

    def __init__(self, app: App, seed: int):
        self.app, self.model, self.random = app, Model(), random.Random(seed)
        index = cast(IndexSync, NoIndex())
        self.curating = Curating(app.database, index)
        self.guild_library = GuildLibrary(app.database, index, app.library)
        self.count = 0

    async def step(self) -> str:
        changes: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self.add, self.edit, self.answer, self.take_out, self.merge, self.undo, self.undo,
            self.go_back, self.vote, self.vote, self.accept, self.import_again, self.remove,
            self.override, self.override, self.merge,
        ]  # fmt: skip
        self.model.change += 1
        change = self.random.choice(changes if self.model.in_force() else [self.add])
        await change()
        return change.__name__

    def thread(self) -> int:
        return self.random.choice(self.model.in_force())

    async def state_of(self, thread_id: int) -> tuple[tuple[int, str], ...]:
        thread = await self.app.answering.serve(thread_id, guild_id=HERE)
        assert thread is not None
        return tuple(sorted((answer.id, answer.body) for answer in thread.answers))

    async def add(self) -> None:
        self.count += 1
        texts = self.random.sample(TEXTS, self.random.randint(1, 3))
        answers = tuple(Answer(body=text, key=f"{self.count}/{text}") for text in texts)
        thread = Thread(key=f"key {self.count}", title=f"Title {self.count}", answers=answers)
        done = await self.curating.add(HERE, 1, thread)
        self.model.put(done.thread_id, State(thread.title, await self.state_of(done.thread_id)))

    async def override(self) -> None:
        """Edit a shared thread: the guild has its own version of it, and what undoes that."""
        self.count += 1
        texts = self.random.sample(TEXTS, 2)
        answers = tuple(Answer(body=text, key=f"{self.count}/{text}") for text in texts)
        thread = Thread(key=f"shared {self.count}", title=f"Title {self.count}", answers=answers)
        await self.app.library.add([thread])
        shared = await self.app.answering.find(thread.key, guild_id=HERE)
        assert shared is not None
        title = f"Edited {self.count}"
        done = await self.curating.edit(HERE, 1, shared.id, lambda s: _titled(s, title))
        self.model.versions[done.thread_id] = shared.id
        copied = State(thread.title, await self.state_of(done.thread_id))
        change, self.model.change = self.model.change, 0
        self.model.put(done.thread_id, replace(copied, retired=True))
        self.model.change = change
        self.model.put(done.thread_id, copied)
        self.model.put(done.thread_id, replace(copied, title=title))

    async def edit(self) -> None:
        thread_id, self.count = self.thread(), self.count + 1
        title = f"Edited {self.count}"
        await self.curating.edit(HERE, 1, thread_id, lambda s: _titled(s, title))
        self.model.put(thread_id, replace(self.model.now[thread_id], title=title))

    async def answer(self) -> None:
        thread_id, self.count = self.thread(), self.count + 1
        have = {text for _, text in self.model.now[thread_id].answers}
        text = self.random.choice([text for text in TEXTS if text not in have] or ["One more."])
        await self.curating.add_answer(HERE, 1, thread_id, Answer(body=text, key=f"a{self.count}"))
        given = await self.state_of(thread_id)
        self.model.put(thread_id, replace(self.model.now[thread_id], answers=given))

    async def take_out(self) -> None:
        thread_id = self.thread()
        now = self.model.now[thread_id]
        if not now.answers:
            return
        gone, _ = self.random.choice(now.answers)
        await self.curating.edit(HERE, 1, thread_id, lambda s: s.without({gone}))
        kept = tuple(pair for pair in now.answers if pair[0] != gone)
        self.model.put(thread_id, replace(now, answers=kept, retired=not kept))

    async def merge(self) -> None:
        if len(self.model.in_force()) < 2:
            return
        first, second = self.random.sample(self.model.in_force(), 2)
        done = await self.curating.merge(HERE, 1, first, second)
        kept, gone = sorted((first, second), key=self.model.age)
        assert done.thread_id == kept
        self.model.merge(kept, gone)

    async def undo(self) -> None:
        thread_id = self.random.choice(self.model.own())
        await self.curating.undo(HERE, 1, thread_id)
        self.model.undo(thread_id)

    async def go_back(self) -> None:
        thread_id = self.random.choice(self.model.own())
        history = await kept(self.app, HERE, thread_id, proposed=False)
        place = self.random.randrange(len(history))
        await self.curating.restore(HERE, 1, history[place].id)
        self.model.restore(thread_id, self.model.states[thread_id][-1 - place])

    async def vote(self) -> None:
        answers = self.model.now[self.thread()].answers
        if answers:
            answer_id, user_id = self.random.choice(answers)[0], self.random.randint(1, MEMBERS)
            value = self.random.choice([Vote.UP, Vote.DOWN])
            await press_button(
                self.app.voting, answer_id=answer_id, guild_id=HERE, user_id=user_id, value=value
            )
            self.model.vote(answer_id, user_id, int(value))

    async def accept(self) -> None:
        thread_id = self.thread()
        answers = self.model.now[thread_id].answers
        if not answers:
            return
        answer_id, _ = self.random.choice(answers)
        if self.model.accepted.get(thread_id) == answer_id:
            await self.app.accepting.withdraw(HERE, answer_id)
            del self.model.accepted[thread_id]
        else:
            await self.app.accepting.accept(HERE, answer_id, 1)
            self.model.accepted[thread_id] = answer_id

    async def import_again(self) -> None:
        thread_id = self.random.choice([*self.model.in_force(), *self.model.merged_into])
        async with self.app.database.read() as connection:
            state = await thread_states.read(connection, thread_id)
        assert state is not None
        new = Thread(key=state.thread.key, title="Imported", answers=(Answer(body="Imported."),))
        report = await self.app.library.add([new], scope=HERE)
        assert report.unchanged == 1

    async def remove(self) -> None:
        if self.model.removed and self.random.random() < 0.7:
            thread_id, moment = self.model.removed.popitem()
            await self.guild_library.restore(HERE, moment)
            return
        thread_id = self.thread()
        target = await self.guild_library.find(HERE, thread_id)
        removal = await self.guild_library.remove(HERE, target)
        self.model.removed[thread_id] = removal.moment

    async def check(self) -> None:
        for thread_id in self.model.now:
            if thread_id in self.model.merged_into:
                continue  # the one that it was merged into is served in its place
            thread = await self.app.answering.serve(thread_id, guild_id=HERE)
            expected = self.model.shown(thread_id)
            if thread is None:
                assert expected is None, thread_id
                continue
            assert thread.title == self.model.now[thread_id].title
            assert {a.id: (a.body, a.votes, a.accepted) for a in thread.answers} == expected
            assert await self.app.answering.serve(thread_id, guild_id=THERE) is None
        in_force = self.model.in_force()
        hidden = await self.app.database.reading(overrides.of_threads, in_force)
        assert {i: set(hidden.get(i, ())) for i in in_force} == {
            i: self.model.hidden_by(i) for i in in_force
        }


def _titled(state: ThreadState, title: str) -> ThreadState:
    return replace(state, thread=replace(state.thread, title=title))


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_any_sequence_leaves_what_the_model_says(app: App, seed: int) -> None:
    player = Player(app, seed)
    made = list[str]()
    for number in range(1, STEPS + 1):
        made.append(await player.step())
        if number % CHECKED == 0:
            await player.check()
    assert {"merge", "override", "undo", "vote"} <= set(made)
