"""Threads pass from process to process as they are."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest

from bot.models import Answer, Entry, StoredAnswer, StoredThread, Thread

MOMENT = datetime(2020, 5, 17, tzinfo=UTC)
ANSWER = Answer(body="Yes.", score=3, accepted=True, answered_at=MOMENT, tallies=((7, 2),))
STORED = StoredAnswer(id=4, votes=-1, body="No.")


@pytest.mark.parametrize(
    "value",
    [
        ANSWER,
        STORED,
        Thread(key="k", title="Why?", tags=("a", "b"), asked_at=MOMENT, answers=(ANSWER,)),
        Entry(id=1, scope=7, key="k", title="Why?", phrasings=("How?",)),
        StoredThread(id=1, scope=7, key="k", title="Why?", answers=(STORED,)),
    ],
)
def test_pickled_and_back_they_are_the_same(value: object) -> None:
    again = pickle.loads(pickle.dumps(value))
    assert again == value
    assert type(again) is type(value)
