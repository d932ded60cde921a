"""What the text index keeps of a thread, and what it gives back of one that is found."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tantivy import Document, Schema, SchemaBuilder

from bot.models import Entry
from bot.search.text import Name, spaced

FORMAT = 3
"""Raised when the fields or their analysis change: an older index is rebuilt."""

MAX_TEXT = 20_000
"""Characters of a body or an answer that are indexed; the topic is clear by then."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A candidate: what the ranker and a reader need to know of a thread.

    ``names`` are its title and, after that, its phrasings.
    """

    thread_id: int
    key: str
    names: tuple[Name, ...]
    bm25: float

    @property
    def title(self) -> str:
        """The thread's title."""
        return self.names[0].text


def schema() -> Schema:
    """The fields of the index."""
    builder = SchemaBuilder()
    # Signed, because deleting by term takes every number for a signed one.
    builder.add_integer_field("id", indexed=True, fast=True)
    builder.add_text_field("scope", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("title", tokenizer_name="stemmed", index_option="freq")
    builder.add_text_field("text", tokenizer_name="stemmed", index_option="freq")
    builder.add_text_field("words", tokenizer_name="plain", index_option="basic")
    # Bytes are stored without being indexed a second time.
    builder.add_bytes_field("card", stored=True)
    return builder.build()


def document_of(thread: Entry) -> Document:
    """What the index keeps of a thread."""
    document = Document()
    document.add_integer("id", thread.id)
    document.add_text("scope", str(thread.scope))
    names = spaced(" \n".join((thread.title, *thread.phrasings)))
    said = [thread.body, *(answer.body for answer in thread.answers), *thread.tags]
    text = " \n".join([names, *(spaced(part[:MAX_TEXT]) for part in said)])
    document.add_text("title", names)
    document.add_text("text", f"{names} \n{text}")
    document.add_text("words", text)
    cut = [Name.of(name) for name in (thread.title, *thread.phrasings)]
    card = [thread.key, *([n.text, " ".join(n.stems), n.content] for n in cut)]
    document.add_bytes("card", json.dumps(card, ensure_ascii=False).encode())
    return document


def hit_of(document: Document, thread_id: int, score: float) -> Hit:
    """A document that was found, as what it was made of."""
    key, *names = json.loads(bytes(document["card"][0]).decode())
    cut = tuple(Name(text, tuple(stems.split()), content) for text, stems, content in names)
    return Hit(thread_id, key, cut, score)
