"""Threads as the store takes them in: the rows that its tables get, ready for the driver.

Making them is work that needs no database, so that another process can do it.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from bot.models import Answer, Thread
from bot.store.rows import Tallies, answer_columns, columns, digest_of, from_micros

THREAD = tuple(columns(Thread(key="", title="")))
"""The columns that ``Packed.row`` has, in order."""

ANSWER = tuple(answer_columns(Answer(body=""), 0))
"""The columns that each of ``Packed.answers`` has, in order."""


class Packed(NamedTuple):
    """A thread's rows, with what tells its version.

    ``fingerprint`` is that of what it was made of, if it was a draft; then there is no
    ``digest``, which takes time and is seldom asked for. Lists are JSON in text, as
    ``bulk.add`` wants them. ``tallies`` are those of each answer, or nothing where none
    brought any.
    """

    key: str
    source: str | None
    digest: str
    fingerprint: str | None
    row: tuple[Any, ...]
    answers: tuple[tuple[Any, ...], ...]
    phrasings: tuple[str, ...]
    tallies: tuple[Tallies, ...]
    former_key: str | None = None


def pack(thread: Thread, fingerprint: str | None = None) -> Packed:
    """A thread's rows."""
    values = columns(thread).values()
    brought = any(answer.tallies for answer in thread.answers)
    return Packed(
        key=thread.key,
        source=thread.source,
        digest="" if fingerprint else digest_of(thread),
        fingerprint=fingerprint,
        row=tuple([json.dumps(v) if isinstance(v, list) else v for v in values]),
        answers=tuple([tuple(answer_columns(a, i).values()) for i, a in enumerate(thread.answers)]),
        phrasings=thread.phrasings,
        tallies=tuple([answer.tallies for answer in thread.answers]) if brought else (),
        former_key=thread.former_key,
    )


def unpack(packed: Packed) -> Thread:
    """The thread that was packed."""
    values = dict(zip(THREAD, packed.row, strict=True))
    for name in ("tags", "related"):
        values[name] = tuple(json.loads(values[name]))
    for name in ("asked_at", "closed_at"):
        values[name] = from_micros(values[name])
    tallies = packed.tallies or ((),) * len(packed.answers)
    answers = tuple(map(_answer, packed.answers, tallies))
    return Thread(
        phrasings=packed.phrasings, answers=answers, former_key=packed.former_key, **values
    )


def _answer(row: tuple[Any, ...], tallies: Tallies) -> Answer:
    values = dict(zip(ANSWER, row, strict=True))
    values["answered_at"] = from_micros(values["answered_at"])
    del values["position"], values["retired"]
    return Answer(tallies=tallies, **values)
