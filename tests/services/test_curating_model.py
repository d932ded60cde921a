"""Any sequence of changes leaves what a plain model of threads, votes and acceptance says.

Changes are drawn by a fixed seed: adding, editing, answering, taking out, merging, undoing,
going back, voting, accepting, importing again, removing and restoring; shared threads, versions
of them, and merging of either, which makes versions by itself.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from sqlalchemy import select

from bot.app import App
from bot.curation import ThreadState
from bot.models import Answer, Thread, Vote
from bot.services.curating import Curating
from bot.services.guild_library import GuildLibrary
from bot.services.index_sync import IndexSync
from bot.store import overrides, thread_states
from bot.store.tables import answers as answer_table
from bot.store.tables import threads as thread_table
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
    """What the model knows of a thread: its answers as pairs of an id and a text.

    ``change`` is the number of the change that made the state, and ``gone_to`` the thread that it
    was merged into by that.
    """

    title: str
    answers: tuple[tuple[int, str], ...]
    retired: bool = False
    merged: frozenset[int] = frozenset()
    change: int = 0
    gone_to: int = 0


Given = tuple[int, tuple[int, ...]]
"""When a member gave something, and the roots that it came from by merging, the last at the end."""


@dataclass
class Model:
    """Threads by id, with all their states; acceptances; and what members gave to answers.

    That is by root, member and value. The root of an answer is the shared one that it stands in
    for, else itself: of both, one is seen. ``unmerged`` are the states that merged threads had
    before, ``removed`` the moments of removals, ``versions`` shared threads by their versions.
    """

    now: dict[int, State] = field(default_factory=dict)
    states: dict[int, list[State]] = field(default_factory=dict)
    merged_into: dict[int, int] = field(default_factory=dict)
    unmerged: dict[int, State] = field(default_factory=dict)
    removed: dict[int, int] = field(default_factory=dict)
    votes: dict[tuple[int, int, int], Given] = field(default_factory=dict)
    accepted: dict[int, int] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)
    shared: dict[int, State] = field(default_factory=dict)
    roots: dict[int, int] = field(default_factory=dict)
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

    def seen(self) -> dict[int, State]:
        """The shared threads that nothing hides."""
        hidden = set[int]().union(*map(self.hidden_by, self.in_force()))
        return {i: state for i, state in self.shared.items() if i not in hidden}

    def changeable(self) -> dict[int, State]:
        """Those of them whose version is not among what was removed, or merged into that.

        Changing one would bring its version back, and restoring the removal as well.
        """
        removed = set[int]().union(*map(self.hidden_by, self.removed))
        return {i: state for i, state in self.seen().items() if i not in removed}

    def merged(self, thread_id: int) -> frozenset[int]:
        """The threads that are merged into one now."""
        return frozenset(i for i, to in self.merged_into.items() if to == thread_id)

    def kept(self, thread_id: int) -> int:
        """The thread that has what a merged one had."""
        while thread_id in self.merged_into:
            thread_id = self.merged_into[thread_id]
        return thread_id

    def root(self, answer_id: int) -> int:
        return self.roots.get(answer_id, answer_id)

    def put(self, thread_id: int, state: State) -> None:
        state = replace(state, change=self.change)
        self.now[thread_id] = state
        # It may have been removed, or merged, and what was merged into it is restored.
        self.removed.pop(thread_id, None)
        self.merged_into.pop(thread_id, None)
        self.states.setdefault(thread_id, []).append(state)
        given = {answer_id for answer_id, _ in state.answers}
        for other, there in self.now.items():
            if other != thread_id:
                left = tuple(pair for pair in there.answers if pair[0] not in given)
                self.now[other] = replace(there, answers=left)
        for other, answer_id in [*self.accepted.items()]:
            if other != thread_id and answer_id in given:
                del self.accepted[other]
                self.accepted.setdefault(thread_id, answer_id)

    def override(self, version_id: int, shared_id: int, copied: State) -> None:
        """A guild's version of a shared thread is made, or comes back as that is now."""
        if version_id not in self.now:
            self.versions[version_id] = shared_id
            change, self.change = self.change, 0
            self.put(version_id, replace(copied, retired=True))
            self.change = change
        self.unmerge(self.merged(version_id))
        self.put(version_id, copied)

    def unmerge(self, others: Iterable[int]) -> None:
        """Threads that were merged have what they had before."""
        for other in sorted(others):
            self.put(other, self.unmerged[other])
            self.give_back({answer_id for answer_id, _ in self.unmerged[other].answers})

    def in_vote(self, root: int, user_id: int) -> int:
        """The value of a member's vote on an answer: the newest that they gave; 0 without one."""
        given = {v: self.votes.get((root, user_id, v), (0, ()))[0] for v in (-1, 1)}
        newest = max(given, key=lambda value: (given[value], value))
        return newest if given[newest] else 0

    def vote(self, answer_id: int, user_id: int, value: int) -> None:
        self.clock += 1
        root = self.root(answer_id)
        if self.in_vote(root, user_id) == value:  # the second press takes all back
            for each in (-1, 1):
                self.votes.pop((root, user_id, each), None)
        else:
            self.votes[root, user_id, value] = (self.clock, ())

    def merge(self, kept: int, gone: int) -> None:
        before, other = self.now[kept], self.now[gone]
        texts = {text: answer_id for answer_id, text in before.answers}
        more = tuple(pair for pair in other.answers if pair[1] not in texts)
        for answer_id, text in other.answers:
            if text in texts:
                self._same(answer_id, texts[text], kept, gone)
        merged = self.merged(kept) | {gone}
        self.put(kept, replace(before, answers=(*before.answers, *more), merged=merged))
        self._retire_into(gone, kept)

    def _same(self, old: int, new: int, kept: int, gone: int) -> None:
        """One answer has the text of another: of two alike that a member gave, the last is left."""
        source, target = self.root(old), self.root(new)
        for (root, user_id, value), (at, way) in [*self.votes.items()]:
            if root == source:
                del self.votes[source, user_id, value]
                if at > self.votes.get((target, user_id, value), (0, ()))[0]:
                    self.votes[target, user_id, value] = (at, (*way, source))
        if self.accepted.get(gone) == old:
            del self.accepted[gone]
            self.accepted.setdefault(kept, new)

    def restore(self, thread_id: int, state: State) -> None:
        if state.gone_to:  # its merging is done again
            kept = [s for s in self.states[state.gone_to] if s.change == state.change]
            self.restore(state.gone_to, kept[-1])
            return
        there = self.merged(thread_id)
        self.unmerge(there - state.merged)
        self.put(thread_id, state)
        for other in sorted(state.merged - there):
            texts = {text: answer_id for answer_id, text in state.answers}
            for answer_id, text in self.now[other].answers:
                if texts.get(text, answer_id) != answer_id:
                    self._same(answer_id, texts[text], thread_id, other)
            self._retire_into(other, thread_id)

    def give_back(self, answer_ids: set[int]) -> None:
        """Answers have again what came from them by merging."""
        roots = set(map(self.root, answer_ids))
        for (root, user_id, value), (at, way) in [*self.votes.items()]:
            if way and way[-1] in roots:
                del self.votes[root, user_id, value]
                self.votes[way[-1], user_id, value] = (at, way[:-1])

    def undo(self, thread_id: int) -> None:
        states = self.states[thread_id]
        earlier = [state for state in states if state.change < states[-1].change]
        self.restore(thread_id, earlier[-1] if earlier else replace(states[-1], retired=True))

    def _retire_into(self, gone: int, kept: int) -> None:
        before = [state for state in self.states[gone] if state.change < self.change]
        self.unmerged[gone] = before[-1]
        self.put(gone, replace(self.now[gone], answers=(), retired=True, gone_to=kept))
        self.merged_into[gone] = kept

    def shown(self, thread_id: int) -> dict[int, tuple[str, bool]] | None:
        """Text and acceptance of a thread's answers by id; None if it is not served."""
        state = self.now[thread_id]
        if state.retired or thread_id in self.removed:
            return None
        chosen = self.accepted.get(thread_id)
        return {i: (text, chosen == i) for i, text in state.answers}

    def answers(self) -> list[int]:
        """The answers that are seen."""
        states = [*map(self.now.__getitem__, self.in_force()), *self.seen().values()]
        return [answer_id for state in states for answer_id, _ in state.answers]

    def sums(self) -> dict[int, int]:
        """The sums of the votes on the answers that are seen, by root."""
        sums = dict.fromkeys(map(self.root, self.answers()), 0)
        for root, user_id in {(root, user) for root, user, _ in self.votes}:
            if root in sums:
                sums[root] += self.in_vote(root, user_id)
        return sums


class Player:
    """Makes one change after the other, in the library and in the model."""

    def __init__(self, app: App, seed: int):
        self.app, self.model, self.random = app, Model(), random.Random(seed)
        index = cast(IndexSync, NoIndex())
        self.curating = Curating(app.database, index)
        self.guild_library = GuildLibrary(app.database, index, app.library)
        self.count = 0

    async def begin(self) -> None:
        """Make some threads, so that there is something to merge from the start."""
        for change in (self.share, self.share, self.add, self.add):
            self.model.change += 1
            await change()

    async def step(self) -> str:
        changes: list[Callable[[], Coroutine[Any, Any, None]]] = [
            self.add, self.edit, self.answer, self.take_out, self.merge, self.undo, self.undo,
            self.go_back, self.vote, self.vote, self.accept, self.import_again, self.remove,
            self.share, self.override, self.merge, self.merge,
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

    async def share(self) -> None:
        """Add a shared thread."""
        self.count += 1
        texts = self.random.sample(TEXTS, 2)
        answers = tuple(Answer(body=text, key=f"{self.count}/{text}") for text in texts)
        thread = Thread(key=f"shared {self.count}", title=f"Title {self.count}", answers=answers)
        await self.app.library.add([thread])
        shared = await self.app.answering.find(thread.key, guild_id=HERE)
        assert shared is not None
        self.model.shared[shared.id] = State(thread.title, await self.state_of(shared.id))

    async def override(self) -> None:
        """Edit a shared thread: the guild has its own version of it, and what undoes that."""
        if not (shared := self.model.changeable()):
            return
        shared_id, self.count = self.random.choice(list(shared)), self.count + 1
        known, title = await self.stand_ins(), f"Edited {self.count}"
        done = await self.curating.edit(HERE, 1, shared_id, lambda s: _titled(s, title))
        copied = await self.made_version(shared_id, known)
        self.model.put(done.thread_id, replace(copied, title=title))

    async def stand_ins(self) -> set[tuple[int, int, int]]:
        """The answers that stand in for shared ones: which, for which, and in which thread."""
        a = answer_table.c
        query = select(a.id, a.overrides, a.thread_id).where(a.overrides.is_not(None))
        async with self.app.database.read() as connection:
            return {(row[0], row[1], row[2]) for row in await connection.execute(query)}

    async def made_version(self, shared_id: int, known: set[tuple[int, int, int]]) -> State:
        """Note that a shared thread has a version of the guild's own now; return its state."""
        query = select(thread_table.c.id).where(thread_table.c.overrides == shared_id)
        async with self.app.database.read() as connection:
            version_id = int(await connection.scalar(query) or 0)
        now = await self.stand_ins()
        self.model.roots |= {answer_id: root for answer_id, root, _ in now}
        shared, answers = self.model.shared[shared_id], list[tuple[int, str]]()
        for shared_answer, text in shared.answers:
            mine = [i for i, root, at in known if (root, at) == (shared_answer, version_id)]
            made = [i for i, root, at in now if root == shared_answer and not mine]
            answers.append(((mine or sorted(made))[-1], text))
        self.model.override(version_id, shared_id, State(shared.title, tuple(answers)))
        return self.model.now[version_id]

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
        """Merge two threads; a shared one becomes a version of the guild's own by that."""
        seen = self.model.changeable()
        these = [*self.model.in_force(), *seen]
        if len(these) < 2:
            return
        first, second = self.random.sample(these, 2)
        known = await self.stand_ins()
        done = await self.curating.merge(HERE, 1, first, second)
        for shared_id in sorted({first, second} & seen.keys()):
            await self.made_version(shared_id, known)
        version = {shared_id: i for i, shared_id in self.model.versions.items()}
        own = [version[i] if i in seen else i for i in (first, second)]
        kept, gone = sorted(own, key=self.model.age)
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
        if answers := self.model.answers():
            answer_id, user_id = self.random.choice(answers), self.random.randint(1, MEMBERS)
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
        in_force = self.model.in_force()
        # Out of one that is out of force, an import takes what was merged into it.
        merged = [i for i in self.model.merged_into if self.model.kept(i) in in_force]
        thread_id = self.random.choice([*in_force, *merged])
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
        votes: Counter[int] = Counter()
        for thread_id in self.model.now:
            if thread_id in self.model.merged_into:
                continue  # the one that it was merged into is served in its place
            thread = await self.app.answering.serve(thread_id, guild_id=HERE)
            expected = self.model.shown(thread_id)
            if thread is None:
                assert expected is None, thread_id
                continue
            assert expected is not None, thread_id
            assert thread.title == self.model.now[thread_id].title
            shown = {a.id: (a.body, a.accepted) for a in thread.answers}
            if any(self.model.root(answer_id) != answer_id for answer_id in shown):
                # Acceptances move to the shared thread and back, which the model doesn't follow.
                shown = {
                    i: (text, expected.get(i, (text, False))[1]) for i, (text, _) in shown.items()
                }
            assert shown == expected
            votes.update({self.model.root(a.id): a.votes for a in thread.answers})
            assert await self.app.answering.serve(thread_id, guild_id=THERE) is None
        for shared_id, state in self.model.seen().items():
            thread = await self.app.answering.serve(shared_id, guild_id=HERE)
            assert thread is not None, shared_id
            assert {(a.id, a.body) for a in thread.answers} == set(state.answers)
            votes.update({a.id: a.votes for a in thread.answers})
        assert dict(votes) == self.model.sums()
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
    await player.begin()
    for number in range(1, STEPS + 1):
        made.append(await player.step())
        if number % CHECKED == 0:
            await player.check()
    assert {"merge", "undo", "vote"} <= set(made)
    versions = player.model.versions.keys()
    assert versions & player.model.unmerged.keys(), "no version was merged"
