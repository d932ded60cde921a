"""Threads packed for the store, and unpacked again."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.models import Answer, Thread
from bot.store.packing import pack, unpack
from bot.store.rows import digest_of

MOMENT = datetime(2020, 5, 17, 3, 4, 5, 678_000, tzinfo=UTC)
ANSWER = Answer(
    body="Yes.",
    score=3,
    accepted=True,
    key="a1",
    author="joe",
    url="https://example.org/a1",
    license="CC BY-SA 4.0",
    answered_at=MOMENT,
    tallies=((7, 2), (8, -1)),
)
THREAD = Thread(
    key="k",
    title="Why? »é« \U0001f355",
    body="Because of this.",
    score=-4,
    tags=("a", 'b "c"'),
    url="https://example.org/k",
    author="ann",
    license="CC BY-SA 3.0",
    asked_at=MOMENT,
    closed_at=MOMENT,
    source="example.org",
    phrasings=("How?", "When?"),
    related=("l", "m"),
    answers=(ANSWER, Answer(body="No.")),
)


@pytest.mark.parametrize("thread", [THREAD, Thread(key="k", title="Why?")])
def test_packed_and_unpacked_they_are_the_same(thread: Thread) -> None:
    packed = pack(thread)
    assert unpack(packed) == thread
    assert packed[:4] == (thread.key, thread.source, digest_of(thread), None)
    assert pickle.loads(pickle.dumps(packed)) == packed
    assert pack(thread, "f") == packed._replace(digest="", fingerprint="f")


def test_tallies_are_there_where_any_answer_has_one() -> None:
    assert pack(THREAD).tallies == (ANSWER.tallies, ())
    assert pack(replace(THREAD, answers=(Answer(body="No."),))).tallies == ()
