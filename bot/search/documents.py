"""The documents of the text index: made of threads, and read back as hits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from tantivy import Document, Schema, SchemaBuilder

from bot.models import StoredThread, Thread
from bot.search.text import Name, spaced

FORMAT = 9
"""Raised when the fields, their analysis or the files change: an older index is rebuilt."""

TITLE_BOOST = 0.5
"""What a title's own BM25 adds to that of the whole text (where it counts twice)."""

MAX_TEXT = 20_000
"""Characters of a body or an answer that are indexed; the topic is clear by then."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A candidate: what the ranker and a reader need to know of a thread.

    ``names`` are its title and, after that, its phrasings. ``answers`` is the same for threads
    with the same answers, and empty for a thread without any.
    """

    thread_id: int
    key: str
    names: tuple[Name, ...]
    bm25: float
    answers: str = ""

    @property
    def title(self) -> str:
        """The thread's title."""
        return self.names[0].text


def schema() -> Schema:
    """Return the fields of the index."""
    builder = SchemaBuilder()
    # Signed, because deleting by term takes every number for a signed one.
    builder.add_integer_field("id", indexed=True, fast=True)
    # The threads of the shared library that one of a guild stands in for.
    builder.add_integer_field("overrides", stored=True, fast=True)
    builder.add_text_field("scope", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("answers", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("title", tokenizer_name="stemmed", index_option="freq")
    builder.add_text_field("text", tokenizer_name="stemmed", index_option="freq")
    builder.add_text_field("words", tokenizer_name="plain", index_option="basic")
    # The characters beyond ASCII, by which terms.py reads all words in pieces.
    builder.add_text_field("letters", tokenizer_name="letters", index_option="basic")
    # Bytes are stored without being indexed a second time.
    builder.add_bytes_field("card", stored=True)
    return builder.build()


class Pieces(NamedTuple):
    """The texts of a thread that are searched, ready for the index.

    ``names`` are its title and phrasings in one text, ``said`` its other texts, ``card`` what
    a ``Hit`` has of it, ``answers`` the digest of its answers, ``overrides`` the shared threads
    that it stands in for. Making them is work; they can be
    handed from process to process.
    """

    names: str
    said: tuple[str, ...]
    card: bytes
    answers: str = ""
    overrides: tuple[int, ...] = ()


Indexed = tuple[int, int, Pieces]
"""A thread's id, its scope, and what is searched of it."""


def pieces_of(thread: Thread) -> Pieces:
    """Return what is searched of a thread."""
    said = [thread.body, *[answer.body for answer in thread.answers], *thread.tags]
    names = (thread.title, *thread.phrasings)
    cut = [[name.text, " ".join(name.stems), name.content] for name in map(Name.of, names)]
    answers = answers_digest(thread)
    return Pieces(
        names=spaced(" \n".join(names)),
        said=tuple([spaced(part[:MAX_TEXT]) for part in said]),
        card=json.dumps([thread.key, answers, *cut], ensure_ascii=False).encode(),
        answers=answers,
    )


def answers_digest(thread: Thread) -> str:
    """Return what threads have in common whose answers are the same, in whatever order.

    Empty for a thread without answers.
    """
    bodies = sorted({folded(answer.body[:MAX_TEXT]) for answer in thread.answers})
    return blake2b("\n".join(bodies).encode(), digest_size=8).hexdigest() if bodies else ""


def folded(answer: str) -> str:
    """Return what is the same for the texts of answers that differ in case and spaces alone."""
    return " ".join(answer.casefold().split())


def indexed(thread: StoredThread) -> Indexed:
    """Return a thread that was read back, as the index takes it in."""
    pieces = pieces_of(thread)._replace(overrides=thread.overrides)
    return thread.id, thread.scope, pieces


def document_of(thread_id: int, scope: int, pieces: Pieces) -> Document:
    """Return what the index keeps of a thread."""
    document = Document()
    document.add_integer("id", thread_id)
    document.add_text("scope", str(scope))
    for shared_id in pieces.overrides:
        document.add_integer("overrides", shared_id)
    if pieces.answers:
        document.add_text("answers", pieces.answers)
    names, text = pieces.names, " \n".join((pieces.names, *pieces.said))
    document.add_text("title", names)
    document.add_text("text", f"{names} \n{text}")
    document.add_text("words", text)
    if not text.isascii():
        document.add_text("letters", "".join({c for c in set(text) if not c.isascii()}))
    document.add_bytes("card", pieces.card)
    return document


def hit_of(document: Document, thread_id: int, score: float) -> Hit:
    """Return a document that was found, as what it was made of."""
    key, answers, *names = json.loads(bytes(document["card"][0]).decode())
    cut = tuple(Name(text, tuple(stems.split()), content) for text, stems, content in names)
    return Hit(thread_id, key, cut, score, answers)


def without(key: str | None, hits: Sequence[Hit]) -> list[Hit]:
    """Leave out the thread with a key, if one is given."""
    return [hit for hit in hits if hit.key != key]
