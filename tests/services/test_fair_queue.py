"""Questions that wait: in which order they are answered, how many may, and who is turned away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from bot.app import App
from bot.services import queues
from bot.services.queues import Busy, FairQueue
from tests.kit.library import BREAD, HERE, THERE
from tests.kit.waiting import HANG, until

A, B, C = 1, 2, 3


class Works:
    """A queue whose only place is held by one piece of work until it is let go."""

    def __init__(self, most: int):
        self.queue = FairQueue(at_once=1, most=most)
        self.order: list[str] = []
        self.held = threading.Event()
        self.tasks: list[asyncio.Task[None]] = []

    async def begin(self) -> None:
        """Take the only place."""
        self.put(0, "first", self.held.wait)
        await asyncio.sleep(0)

    def put(self, scope: int, name: str, work: object = None) -> asyncio.Task[None]:
        def done() -> None:
            if callable(work):
                work()
            self.order.append(name)

        task = asyncio.create_task(self.queue.run(scope, done))
        self.tasks.append(task)
        return task

    async def end(self) -> list[BaseException | None]:
        """Let it go and wait for all."""
        self.held.set()
        return await asyncio.wait_for(asyncio.gather(*self.tasks, return_exceptions=True), HANG)


@pytest.fixture
async def works() -> AsyncIterator[Works]:
    made = Works(most=6)
    await made.begin()
    yield made
    await made.end()
    made.queue.close()


async def test_servers_take_turns(works: Works) -> None:
    for name in ("a1", "a2", "a3", "a4"):
        works.put(A, name)
    works.put(B, "b1")
    works.put(C, "c1")
    await asyncio.sleep(0)
    assert len(works.queue) == 6
    await works.end()
    assert works.order == ["first", "a1", "b1", "c1", "a2", "a3", "a4"]


async def test_when_it_is_full_the_server_with_most_waits_no_more(works: Works) -> None:
    tasks = [works.put(A, f"a{n}") for n in range(6)]
    await asyncio.sleep(0)
    assert works.queue.is_full
    with pytest.raises(Busy, match="a lot of questions"):
        await works.put(A, "a6")
    other = works.put(B, "b1")
    await asyncio.sleep(0)
    await works.end()
    assert works.order == ["first", "a0", "b1", "a1", "a2", "a3", "a4"]
    assert isinstance(tasks[5].exception(), Busy)
    assert other.exception() is None


async def test_all_alone_are_turned_away_in_the_end(works: Works) -> None:
    for scope in range(10, 16):
        works.put(scope, str(scope))
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await works.put(16, "16")


async def test_whoever_leaves_gives_the_place_back(works: Works) -> None:
    leaving = [works.put(A, "a1"), works.put(B, "b1")]
    staying = works.put(A, "a2")
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    await asyncio.wait(leaving)
    assert len(works.queue) == 1
    await works.end()
    assert works.order == ["first", "a2"]
    assert staying.exception() is None
    works.put(B, "b2")
    await works.end()
    assert works.order[-1] == "b2"


async def test_a_place_is_free_only_when_its_work_is_done(works: Works) -> None:
    works.tasks[0].cancel()
    await asyncio.wait([works.tasks[0]])
    works.put(A, "a1")
    await asyncio.sleep(0)
    assert len(works.queue) == 1  # a thread can't be stopped, and there is but one
    await works.end()
    assert works.order == ["first", "a1"]


async def test_whoever_leaves_just_when_it_is_their_turn_hands_it_on(works: Works) -> None:
    leaving, staying = works.put(A, "a1"), works.put(B, "b1")
    await asyncio.sleep(0)
    works.queue._next()  # as when the first is done
    leaving.cancel()
    await asyncio.wait([leaving])
    assert works.order == []
    await works.end()
    assert "b1" in works.order
    assert staying.exception() is None


async def test_what_fails_tells_whoever_asked_and_frees_its_place(works: Works) -> None:
    def fails() -> None:
        raise ValueError("no")

    task = works.put(A, "a1", fails)
    works.put(A, "a2")
    await asyncio.sleep(0)
    await works.end()
    assert isinstance(task.exception(), ValueError)
    assert works.order == ["first", "a2"]


async def test_closed_it_takes_nothing() -> None:
    queue = FairQueue()
    queue.close()
    with pytest.raises(Busy):
        await queue.run(A, lambda: None)


async def test_closed_it_turns_away_whoever_waits(works: Works) -> None:
    await works.begin()
    waiting = [works.put(A, "a"), works.put(B, "b"), works.put(B, "b2")]
    await asyncio.sleep(0)
    works.queue.close()
    done = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), HANG)
    assert all(isinstance(error, Busy) for error in done)
    await works.end()


async def test_two_hundred_questions_at_once_are_answered_by_a_few_threads(app: App) -> None:
    await app.library.add([BREAD])
    asked = [app.answering.ask("sourdough bread", guild_id=HERE) for _ in range(200)]
    replies = await asyncio.gather(*asked, app.answering.ask("sourdough", guild_id=THERE))
    assert {reply.matches[0].key for reply in replies} == {"bread"}
    names = [t.name for t in threading.enumerate() if t.name.startswith("search")]
    assert 0 < len(names) <= queues.WORKERS


async def test_more_are_turned_away_and_another_server_is_not(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    await app.library.add([BREAD])
    held, search = threading.Event(), app.engine.search
    asking: list[asyncio.Task[object]] = []

    def waits(*arguments: object) -> object:
        held.wait(HANG)
        return search(*arguments)  # type: ignore[arg-type]

    def ask(guild: int) -> asyncio.Task[object]:
        task: asyncio.Task[object] = asyncio.create_task(
            app.answering.ask("sourdough", guild_id=guild)
        )
        asking.append(task)
        return task

    monkeypatch.setattr(app.engine, "search", waits)
    for _ in range(queues.WORKERS + queues.QUESTIONS_WAITING + 40):
        ask(HERE)
    await until(lambda: app.answering.is_busy and sum(task.done() for task in asking) >= 40)
    other = ask(THERE)
    # One of the others goes instead.
    await until(lambda: sum(task.done() for task in asking) >= 41)
    held.set()
    done = await asyncio.gather(*asking, return_exceptions=True)
    assert sum(isinstance(reply, Busy) for reply in done) == 41
    assert other.exception() is None
