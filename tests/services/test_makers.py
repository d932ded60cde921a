"""Making threads of drafts: here or in other processes, with the same result."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial

import psutil
import pytest

from bot.models import Thread
from bot.services import makers
from bot.services.makers import Made, Makers
from bot.sources import Draft
from bot.store.rows import digest_of


def draft(n: int) -> Draft:
    make = partial(Thread, key=str(n), title=f"Number {n}?")
    return Draft(key=str(n), source="some", fingerprint=str(n), make=make)


def broken(kind: str) -> Draft:
    # Something that both processes have, and that fails.
    make = {"ValueError": partial(int, "x"), "exit": partial(os._exit, 3)}[kind]
    return Draft(key=kind, source="some", fingerprint="f", make=make)  # type: ignore[arg-type]


DRAFTS = [draft(n) for n in range(50)]
MADE = [Made(thread, digest_of(thread)) for thread in (d.make() for d in DRAFTS)]


@pytest.fixture
def some() -> Iterator[Makers]:
    opened = Makers()
    yield opened
    opened.close()
    assert psutil.Process().children() == []


def test_a_few_are_made_here(some: Makers) -> None:
    assert some.make(DRAFTS) == MADE
    assert psutil.Process().children() == []


class TestMany:
    @pytest.fixture(autouse=True)
    def soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(makers, "FEW", 10)

    def test_are_made_by_others(self, some: Makers) -> None:
        for _ in range(3):
            assert some.make(DRAFTS) == MADE
        assert 1 <= len(psutil.Process().children()) <= makers.MOST

    def test_one_that_cant_be_made_costs_only_itself(self, some: Makers) -> None:
        made = some.make([*DRAFTS, broken("ValueError"), draft(1)])
        assert made == [*MADE, "its text can't be read (ValueError)", MADE[1]]

    def test_are_made_here_when_the_others_are_gone(self, some: Makers) -> None:
        some.make(DRAFTS)
        for child in psutil.Process().children():
            child.kill()
            child.wait()
        for _ in range(2):
            assert some.make(DRAFTS) == MADE

    def test_end_with_whoever_started_them(self, some: Makers) -> None:
        some.make(DRAFTS)
        children = psutil.Process().children()
        some.close()
        assert psutil.wait_procs(children, timeout=30)[1] == []
