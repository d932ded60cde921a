"""Columns and JSON follow from the fields of threads and answers."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

import pytest

from bot.models import THREAD_FIELDS, Answer, Thread, stored_fields
from bot.sources.json_thread import thread_from, thread_to
from bot.store.columns import columns_of
from bot.store.rows import Columns, answer_columns, answer_fields, columns, digest_of, thread_fields
from bot.store.tables import answers, threads
from tests.sources.test_jsonl import FULL_THREAD

SAID_BY_GUILDS = ("tallies", "accepted_in")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class WiderThread(Thread):
    """A thread with fields that there are none of yet, one of each kind that can be added."""

    language: str | None = None
    views: int = 0
    locked: bool = False
    editors: tuple[str, ...] = ()
    edited_at: datetime | None = None


def test_a_new_field_is_a_column_and_survives_a_row() -> None:
    stored = stored_fields(WiderThread)
    added = [column for column in columns_of(stored) if column.name not in threads.c]
    assert [column.name for column in added] == [
        "language", "views", "locked", "editors", "edited_at",
    ]  # fmt: skip
    assert [column.nullable for column in added] == [True, False, False, False, True]
    wide = WiderThread(
        key="k", title="t", language="eo", views=7, locked=True, editors=("a", "b"), edited_at=NOON
    )
    row = Columns(stored).of(wide)
    assert row["editors"] == ["a", "b"]
    assert WiderThread(**Columns(stored).fields(row)) == wide


def test_rows_have_every_column_that_a_source_fills() -> None:
    filled = columns(FULL_THREAD)
    others = {"id", "scope", "content_hash", "revision", "fingerprint", "retired_at", "removed"}
    others |= {"curated", "overrides", "merged_into"}
    assert {column.name for column in threads.c} - set(filled) == others
    assert Thread(**thread_fields(filled)) == replace(FULL_THREAD, answers=(), phrasings=())
    first = FULL_THREAD.answers[0]
    row = answer_columns(first, 0)
    assert {column.name for column in answers.c} - set(row) == {"id", "thread_id", "overrides"}
    assert Answer(**answer_fields(row)) == first


def test_json_has_every_field() -> None:
    unknown = list[str]()
    there = thread_to(FULL_THREAD)
    assert thread_from(there, unknown.append) == FULL_THREAD
    assert unknown == []
    assert [*there] == [*(field.json for field in THREAD_FIELDS), "answers"]


@pytest.mark.parametrize("name", [f.name for f in fields(Thread)])
def test_the_digest_is_of_all_that_a_thread_says_but_not_of_where_it_is_from(name: str) -> None:
    bare = Thread(key="k", title="t")
    other = replace(bare, **{name: getattr(replace(FULL_THREAD, former_key="f"), name)})
    is_content = name not in ("source", "former_key", "made_of")
    assert (digest_of(other) != digest_of(bare)) is is_content


@pytest.mark.parametrize("name", [f.name for f in fields(Answer) if f.name not in SAID_BY_GUILDS])
def test_the_digest_is_of_all_that_an_answer_says(name: str) -> None:
    full = replace(FULL_THREAD.answers[0], key="k", license="CC0", answered_at=NOON)
    bare = Thread(key="k", title="t", answers=(Answer(body=""),))
    other = replace(bare, answers=(replace(bare.answers[0], **{name: getattr(full, name)}),))
    assert digest_of(other) != digest_of(bare)
