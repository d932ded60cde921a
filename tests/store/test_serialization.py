"""Threads packed for the store, and unpacked again."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest

from bot.models import Answer, Thread
from bot.store.rows import digest_of, pack, unpack
from tests.sources.test_jsonl import FULL_THREAD

FIRST, *REST = FULL_THREAD.answers
VOTED = replace(FIRST, tallies=((7, 2), (8, -1)))
THREAD = replace(FULL_THREAD, title="Why? »é« \U0001f355", answers=(VOTED, *REST))


@pytest.mark.parametrize("thread", [THREAD, Thread(key="k", title="Why?")])
def test_packed_and_unpacked_they_are_the_same(thread: Thread) -> None:
    packed = pack(thread)
    assert unpack(packed) == thread
    assert packed[:4] == (thread.key, thread.source, digest_of(thread), None)
    assert pickle.loads(pickle.dumps(packed)) == packed
    assert pack(thread, "f") == packed._replace(digest="", fingerprint="f")


def test_tallies_are_there_where_any_answer_has_one() -> None:
    assert pack(THREAD).tallies == (VOTED.tallies, ())
    assert pack(replace(THREAD, answers=(Answer(body="No."),))).tallies == ()
