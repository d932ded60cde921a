"""What others would use instead, each with the defaults that its users have.

A peer is built in one process and asked in another, so that memory is only what
answering needs. It is given titles and bodies where it can search both.
"""

from __future__ import annotations

import re
import sqlite3
import time
from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.corpus import beginnings, library, questions
from benchmarks.timing import disk_mb, found, memory_mb, timed

LIMIT = 5
"""Threads that are asked for, as the bot does."""

Figures = dict[str, Any]


class Skipped(Exception):
    """This peer can't be measured here; the text says why."""


class Peer(ABC):
    """One way to find threads; lives in ``place`` between building and asking."""

    label: str
    """How it is called in the tables."""

    completes = False
    """Whether it would be used for autocomplete too."""

    built = True
    """Whether there is something to build before it is asked."""

    def __init__(self, place: Path, patience: float):
        self.place, self.patience = place, patience

    def check(self) -> None:
        """Raise Skipped when this machine lacks something that it needs."""
        return

    @abstractmethod
    def build(self) -> None:
        """Make what is searched."""

    @abstractmethod
    def open(self) -> None:
        """Get ready to be asked, in another process than that of ``build``."""

    @abstractmethod
    def ask(self, question: str) -> list[int]:
        """The numbers of the first threads for a question."""

    def close(self) -> None:
        """Leave nothing behind outside of ``place``."""
        return

    def memory_mb(self) -> float | None:
        """What answering takes; ``None`` where that is in another program."""
        return memory_mb()

    def disk_mb(self) -> float | None:
        """What lies on the disk; ``None`` if nothing does."""
        return disk_mb(self.folder)

    @property
    def folder(self) -> Path:
        """Where it may keep files."""
        return self.place / type(self).__name__


class Extract(Peer):
    """``rapidfuzz.process.extract`` over a list of the titles in memory."""

    label = "rapidfuzz process.extract, WRatio"
    completes = True
    built = False
    scorer = "WRatio"

    def build(self) -> None:
        """Nothing: the list is read at every start."""
        return

    def open(self) -> None:
        """Read the titles."""
        from rapidfuzz import fuzz, process

        self._extract, self._scorer = process.extract, getattr(fuzz, self.scorer)
        self._titles = [doc.title for doc in library(self.place)]

    def ask(self, question: str) -> list[int]:
        """Compare the question with every title."""
        best = self._extract(question, self._titles, scorer=self._scorer, limit=LIMIT)
        return [number for _, _, number in best]

    def disk_mb(self) -> None:
        """Nothing on the disk."""
        return


class ExtractTokenSet(Extract):
    """The same with the scorer that does best on questions."""

    label = "rapidfuzz process.extract, token_set_ratio"
    scorer = "token_set_ratio"


class Fts5(Peer):
    """SQLite's own full-text search, stemmed, by bm25 of title and body."""

    label = "SQLite FTS5, bm25"

    def check(self) -> None:
        """SQLite may have been built without it."""
        try:
            sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(a)")
        except sqlite3.OperationalError as error:
            raise Skipped(str(error)) from None

    def build(self) -> None:
        """One table, filled in one transaction."""
        self.folder.mkdir()
        self.open()
        self._database.execute(
            "CREATE VIRTUAL TABLE threads USING fts5(title, body, tokenize='porter unicode61')"
        )
        rows = ((doc.title, doc.body) for doc in library(self.place))
        self._database.executemany("INSERT INTO threads VALUES (?, ?)", rows)
        self._database.commit()
        self._database.close()

    def open(self) -> None:
        """Open the file."""
        self._database = sqlite3.connect(self.folder / "threads.db")

    def ask(self, question: str) -> list[int]:
        """Any of the words; ``rank`` is bm25, sorted the quick way."""
        words = " OR ".join(f'"{word}"' for word in words_of(question)) or '""'
        rows = self._database.execute(
            "SELECT rowid, title FROM threads WHERE threads MATCH ? ORDER BY rank LIMIT ?",
            (words, LIMIT),
        )
        return [rowid - 1 for rowid, _ in rows]


class Bm25s(Peer):
    """bm25s: BM25 scores worked out beforehand, in numpy's sparse arrays."""

    label = "bm25s"

    def check(self) -> None:
        """It comes with the ``bench`` extra."""
        need("bm25s")

    def build(self) -> None:
        """Titles and bodies as one text."""
        import bm25s

        texts = [f"{doc.title} {doc.body}" for doc in library(self.place)]
        tokens = bm25s.tokenize(texts, stopwords="en", show_progress=False)
        index = bm25s.BM25(backend="numpy")
        index.index(tokens, show_progress=False)
        index.save(self.folder)

    def open(self) -> None:
        """Load the arrays."""
        import bm25s

        self._tokenize = bm25s.tokenize
        self._index = bm25s.BM25.load(self.folder)

    def ask(self, question: str) -> list[int]:
        """The best scores of all."""
        tokens = self._tokenize(question, stopwords="en", return_ids=False, show_progress=False)
        best = self._index.retrieve(tokens, k=LIMIT, show_progress=False)
        return [int(number) for number in best.documents[0]]


class Tantivy(Peer):
    """Plain tantivy, which Threadwise is built on: no repair, no ranker, no database."""

    label = "tantivy alone, BM25"

    def build(self) -> None:
        """Two stemmed fields."""
        import tantivy

        builder = tantivy.SchemaBuilder()
        builder.add_integer_field("number", stored=True)
        builder.add_text_field("title", tokenizer_name="en_stem")
        builder.add_text_field("body", tokenizer_name="en_stem")
        self.folder.mkdir()
        index = tantivy.Index(builder.build(), str(self.folder))
        writer = index.writer(64_000_000, num_threads=1)
        for doc in library(self.place):
            document = tantivy.Document()
            document.add_integer("number", doc.number)
            document.add_text("title", doc.title)
            document.add_text("body", doc.body)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()

    def open(self) -> None:
        """Open the folder."""
        import tantivy

        self._index = tantivy.Index.open(str(self.folder))
        self._searcher = self._index.searcher()

    def ask(self, question: str) -> list[int]:
        """Any of the words in either field."""
        query = self._index.parse_query(" ".join(words_of(question)), ["title", "body"])
        hits = self._searcher.search(query, LIMIT, count=False).hits
        return [self._searcher.doc(address)["number"][0] for _, address in hits]


def words_of(question: str) -> list[str]:
    """A question's words, without anything that a query language gives a meaning."""
    return re.findall(r"\w+", question.lower())


def need(package: str) -> None:
    """Raise Skipped where a package is missing."""
    if find_spec(package) is None:
        raise Skipped(f"{package} is not installed (pip install 'threadwise[bench]')")


def build_peer(peer: Peer) -> Figures:
    """How long it takes to make what is searched."""
    peer.check()
    started = time.perf_counter()
    peer.build()
    return {"build_s": time.perf_counter() - started}


async def ask_peer(peer: Peer, seconds: float) -> Figures:
    """The same questions as ours, one at a time."""

    async def ask(text: str) -> list[int]:
        return peer.ask(text)

    started = time.perf_counter()
    peer.open()
    figures: Figures = {"start_s": time.perf_counter() - started}
    try:
        asked, meant = questions(peer.place)
        figures["ask"], given = await timed(ask, asked, seconds)
        figures["found"] = found(given, meant)
        if peer.completes:
            figures["complete"], _ = await timed(ask, beginnings(peer.place), seconds)
        return figures | {"memory_mb": peer.memory_mb(), "disk_mb": peer.disk_mb()}
    finally:
        peer.close()
