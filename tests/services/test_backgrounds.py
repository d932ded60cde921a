"""Measuring backgrounds: while nothing else is asked, once, and never in an asker's way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.app import App
from bot.errors import ModelError
from bot.models import SHARED, Thread
from bot.search.background import Background
from bot.search.index import IndexDamaged
from bot.services.backgrounds import STEPS, UNREADABLE, Backgrounds
from bot.services.queues import FairQueue
from tests.kit.waiting import until

HERE = 111


class FakeEngine:
    """Has no background until it has done a number of steps, and records them.

    Every server has asked it something.
    """

    def __init__(self, steps: int = 5 * STEPS, error: Exception | None = None):
        self.steps, self.error = steps, error
        self.done: list[str] = []
        self.measured: dict[int, Background] = {}

    @property
    def unmeasured(self) -> set[int]:
        return {SHARED, HERE, 5, 6} - self.measured.keys()

    def background(self, guild_id: int) -> Background | None:
        assert threading.current_thread() is not threading.main_thread()  # it reads files
        return self.measured.get(guild_id)

    def measure_background(self, guild_id: int) -> Iterator[None]:
        for _ in range(self.steps):
            self.done.append(f"step for {guild_id}")
            yield
        if self.error is not None:
            raise self.error
        self.measured[guild_id] = Background(0.2, 0.3, readable=guild_id != HERE)


def made(engine: FakeEngine) -> tuple[Backgrounds, FairQueue]:
    queue = FairQueue(at_once=1)
    return Backgrounds(engine, queue), queue  # type: ignore[arg-type]


async def test_a_question_waits_for_a_few_steps_only() -> None:
    engine = FakeEngine(steps=1_000 * STEPS)
    backgrounds, queue = made(engine)
    backgrounds.look(SHARED)
    await until(lambda: bool(engine.done))
    await queue.run(HERE, engine.done.append, "question")
    assert len(engine.done) < 900 * STEPS  # long before its end
    await backgrounds.stop()
    queue.close()


async def test_each_server_is_measured_once_one_after_the_other() -> None:
    engine = FakeEngine()
    backgrounds, queue = made(engine)
    for guild_id in (SHARED, 5, SHARED, 5):
        backgrounds.look(guild_id)
    await until(lambda: engine.measured.keys() == {SHARED, 5})
    backgrounds.look(5)
    await backgrounds.measure(5)
    assert engine.done == ["step for 0"] * engine.steps + ["step for 5"] * engine.steps
    await backgrounds.stop()
    queue.close()


@pytest.mark.parametrize("error", [ModelError("it is broken"), OSError("the disk is full")])
async def test_a_failure_is_said_once(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    engine = FakeEngine(error=error)
    backgrounds, queue = made(engine)
    for _ in range(3):
        await backgrounds.measure(SHARED)
        backgrounds.look(SHARED)
    assert len(engine.done) == engine.steps
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert str(error) in caplog.text
    await backgrounds.stop()
    queue.close()


async def test_a_library_that_the_model_cannot_read_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    backgrounds, queue = made(FakeEngine())
    await backgrounds.measure(SHARED)
    assert UNREADABLE not in caplog.text
    await backgrounds.measure(HERE)
    assert caplog.text.count(UNREADABLE) == 1
    queue.close()


async def test_after_a_full_queue_it_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    engine = FakeEngine()
    backgrounds, queue = made(engine)
    queue.close()
    await backgrounds.measure(SHARED)
    assert engine.done == []
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


async def test_a_question_has_what_its_server_sees_measured(app: App) -> None:
    await app.library.add([Thread(key="moss", title="Which moss?")])
    await app.answering.ask("which moss", guild_id=HERE)  # words alone: nothing to measure
    assert app.engine.background(HERE) is not None
    assert app.engine.unmeasured == set()


async def test_while_the_index_is_mended_it_waits(caplog: pytest.LogCaptureFixture) -> None:
    engine = FakeEngine(error=IndexDamaged(SHARED, Path("0"), "a file was cut short"))
    backgrounds, queue = made(engine)
    await backgrounds.measure(SHARED)
    assert engine.measured == {}
    engine.error = None
    backgrounds.look(SHARED)
    await until(lambda: SHARED in engine.measured)
    assert [r for r in caplog.records if r.levelno > logging.INFO] == []
    await backgrounds.stop()
    queue.close()


async def test_nobody_who_asks_learns_of_a_damaged_index_by_it() -> None:
    engine = FakeEngine()

    def damaged(guild_id: int) -> Background | None:
        raise IndexDamaged(guild_id, Path("0"), "a file was cut short")

    engine.background = damaged  # type: ignore[method-assign]
    backgrounds, queue = made(engine)
    backgrounds.look(SHARED)
    await backgrounds.measure(SHARED)
    assert await backgrounds.answered(SHARED, 0.6) is None
    await backgrounds.stop()
    queue.close()


async def test_an_unexpected_failure_holds_up_no_other_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = FakeEngine()
    measure = engine.measure_background

    def breaks(guild_id: int) -> Iterator[None]:
        yield from measure(guild_id)
        if guild_id == SHARED:
            del engine.measured[SHARED]
            raise RuntimeError("a bug")

    engine.measure_background = breaks  # type: ignore[method-assign]
    backgrounds, queue = made(engine)
    backgrounds.look(SHARED)
    backgrounds.look(5)
    await until(lambda: 5 in engine.measured)
    backgrounds.look(SHARED)
    backgrounds.look(6)
    await until(lambda: 6 in engine.measured)
    assert engine.done.count("step for 0") == engine.steps  # not tried again
    assert [r.levelname for r in caplog.records if r.levelno > logging.INFO] == ["ERROR"]
    await backgrounds.stop()
    queue.close()


async def test_it_can_be_stopped_in_the_middle(caplog: pytest.LogCaptureFixture) -> None:
    engine = FakeEngine(steps=100_000 * STEPS)
    backgrounds, queue = made(engine)
    backgrounds.look(SHARED)
    backgrounds.look(5)
    await until(lambda: bool(engine.done))
    await backgrounds.stop()
    queue.close()
    assert 0 < len(engine.done) < engine.steps
    assert engine.measured == {}
    assert "step for 5" not in engine.done
    assert [r for r in caplog.records if r.levelno > logging.INFO] == []
    await Backgrounds(engine, queue).stop()  # type: ignore[arg-type]  # nothing was begun
