"""The text index of one scope: a tantivy index in a folder of its own.

Word counts, document frequencies and lengths are of this scope's threads alone, so nothing
that is indexed elsewhere changes what is found here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from heapq import nsmallest
from pathlib import Path

from tantivy import DocAddress, Index, Order, Query, Schema, Searcher

from bot.errors import SearchError
from bot.search import vocabulary
from bot.search.documents import Hit, hit_of, schema
from bot.search.integrity import Checker
from bot.search.text import LETTERS, PLAIN, STEMMED
from bot.search.vocabulary import Vocabulary

MAX_TIES = 2_000
"""Threads of one score that are looked at, so that the oldest of them are taken."""

CHECKED_AT_ONCE = 16_000_000
"""Bytes whose checksums are looked at when an index is opened, which takes some 10 ms."""

ScoredDoc = tuple[float, int, DocAddress]
"""A thread that was found: its score, its id, and where it stands in the index."""


class IndexDamaged(SearchError):
    """Files of a scope's index are missing or not what was written; ``problem`` says which."""

    def __init__(self, scope: int, folder: Path, problem: str):
        self.scope, self.problem = scope, problem
        super().__init__(
            f"the search index in {folder} is damaged ({problem}); it is made anew from the "
            "library: ask again in a moment"
        )


@cache
def fields() -> Schema:
    """Return the schema that every scope's index has."""
    return schema()


def configured(index: Index) -> Index:
    """Let an index know how texts are cut into words, and read anew only when it is asked to."""
    index.config_reader("manual")
    index.register_tokenizer("letters", LETTERS)
    index.register_tokenizer("plain", PLAIN)
    index.register_tokenizer("stemmed", STEMMED)
    return index


def foreign_threads(searcher: Searcher, scope: int) -> str | None:
    """Return what is wrong with an index that holds threads of another scope.

    None if it doesn't.
    """
    holds_others = searcher.doc_freq("scope", str(scope)) < searcher.num_docs
    return "it holds threads of another server" if holds_others else None


class Snapshot:
    """The state of a scope's index after one commit, with the words of its threads.

    ``threads`` is their number; ``documents`` also counts those that were replaced and not
    yet merged away, as tantivy's BM25 does.
    """

    def __init__(self, index: ScopeIndex, searcher: Searcher, words: Vocabulary):
        self.scope, self.words = index.scope, words
        self.threads = int(searcher.num_docs)
        self.documents = int(searcher.doc_freq("scope", str(index.scope)))
        self._index, self._searcher = index, searcher

    def doc_freq(self, field: str, stem: str) -> int:
        """In how many threads a stem occurs in a field."""
        return int(self._searcher.doc_freq(field, stem))

    def best(self, query: Query, limit: int) -> list[ScoredDoc]:
        """Return the threads with the highest scores; of equal ones, the oldest."""
        wanted = limit + 1
        with self._index.reading():
            hits = self._searcher.search(query, wanted, count=False).hits
            while _ends_in_ties(hits, limit) and len(hits) == wanted < MAX_TIES:
                wanted *= 4
                hits = self._searcher.search(query, wanted, count=False).hits
            least = hits[min(limit, len(hits)) - 1][0] if hits else 0.0
            hits = [hit for hit in hits if hit[0] >= least]
            ids = self._searcher.fast_field_values("id", [address for _, address in hits])
        found = [(score, int(i or 0), at) for (score, at), i in zip(hits, ids, strict=True)]
        return nsmallest(limit, found, key=by_score)

    def first(self, limit: int) -> list[ScoredDoc]:
        """Return the oldest threads, with a score of 1."""
        return self._oldest(Query.all_query(), limit)

    def with_answers(self, digest: str, limit: int) -> list[int]:
        """Return the ids of the oldest threads whose answers have a digest."""
        wanted = Query.term_query(fields(), "answers", digest)
        return [thread_id for _, thread_id, _ in self._oldest(wanted, limit)]

    def overridden(self) -> frozenset[int]:
        """Return the ids of the shared threads that threads of this scope stand in for."""
        query = Query.exists_query("overrides")
        with self._index.reading():
            found = self._searcher.search(query, max(self.documents, 1), count=False).hits
            documents = [self._searcher.doc(address) for _, address in found]
        return frozenset(int(i) for document in documents for i in document["overrides"])

    def _oldest(self, query: Query, limit: int) -> list[ScoredDoc]:
        with self._index.reading():
            hits = self._searcher.search(
                query, limit, count=False, order_by_field="id", order=Order.Asc
            ).hits
            return [(1.0, int(thread_id), address) for thread_id, address in hits]

    def hits(self, found: Sequence[ScoredDoc]) -> list[Hit]:
        """Return what the index keeps of threads that were found."""
        with self._index.reading():
            return [hit_of(self._searcher.doc(at), i, score) for score, i, at in found]


def by_score(found: ScoredDoc) -> tuple[float, int]:
    """Order what was found: the highest score first, of equal ones the oldest thread."""
    return -found[0], found[1]


def _ends_in_ties(hits: Sequence[tuple[float, DocAddress]], limit: int) -> bool:
    """Return whether more may follow that score as much as the last of ``limit``."""
    return len(hits) > limit and hits[-1][0] == hits[limit - 1][0]


class ScopeIndex:
    """The open index of a scope, for reading; safe from any thread.

    ``is_current`` says whether the files are still those of the index that was opened:
    another process may have made it anew. ``report`` is told the scope of what is damaged.
    """

    def __init__(
        self,
        folder: Path,
        scope: int,
        is_current: Callable[[], bool],
        report: Callable[[int], object],
    ):
        """Open the index in ``folder``. Raises IndexDamaged, and SearchError."""
        self.folder, self.scope = folder, scope
        self.used = time.monotonic()
        self._is_current, self._report = is_current, report
        self._checker, self._checking = Checker(folder), threading.Lock()
        with self.reading():
            self._checker.remember_sizes()
            self._raise_if_damaged(self.problem(CHECKED_AT_ONCE))
            self._index = configured(Index.open(str(folder)))
            searcher = self._index.searcher()
            self._raise_if_damaged(foreign_threads(searcher, scope))
            self.snapshot = Snapshot(self, searcher, Vocabulary(self._words(searcher)))

    def reload(self, *, words: bool = True) -> None:
        """See what was committed since; without ``words``, these are left as they were.

        Raises IndexDamaged, and SearchError.
        """
        self.check_sizes()
        self._checker.remember_sizes()
        with self.reading():
            self._index.reload()
            searcher = self._index.searcher()
            known = Vocabulary(self._words(searcher)) if words else self.snapshot.words
            self.snapshot = Snapshot(self, searcher, known)

    def check_sizes(self) -> None:
        """Raise IndexDamaged if an open file was cut short since it was opened.

        To be called before anything is read, since reading the lost part ends the process.
        That stays possible for what is cut between this check and the reading.
        """
        self._raise_if_damaged(self._checker.shrunk())

    def problem(self, most_bytes: int | None = None) -> str | None:
        """Return what is damaged in the files; None if nothing is. Raises SearchError.

        With ``most_bytes``, about so much is read that was not checked before.
        """
        with self._checking:
            try:
                return self._checker.problem(most_bytes)
            except OSError as error:
                raise unreadable(self.folder, error) from None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Tell damage from other errors in what is read. Raises IndexDamaged for it."""
        try:
            yield
        except BaseException as error:
            if not may_be_damage(error):
                raise
            problem = self.problem()
            if problem is None and not self._is_current():
                problem = "it was made anew by another program"
            self._raise_if_damaged(problem)
            if isinstance(error, OSError | ValueError):
                raise unreadable(self.folder, error) from error
            if not isinstance(error, Exception):  # tantivy panicked
                raise SearchError(f"the search index in {self.folder} fails: {error}") from None
            raise

    def _raise_if_damaged(self, problem: str | None) -> None:
        """Raise IndexDamaged if there is a problem."""
        if problem is not None:
            self._report(self.scope)
            raise IndexDamaged(self.scope, self.folder, problem) from None

    def _words(self, searcher: Searcher) -> Iterator[tuple[str, int]]:
        """Yield every word of the threads with the number of threads that use it.

        In pieces and no certain order, so that no step holds the interpreter for long.
        """
        for piece in vocabulary.counted(searcher):
            yield from piece


def unreadable(folder: Path, error: BaseException) -> SearchError:
    """Return what to say of an index that can't be read for another reason than damage."""
    return SearchError(
        f"the search index in {folder} can't be read ({error}); check that DATA_DIR and what is "
        "in it may be read, and that its disk works"
    )


def may_be_damage(error: BaseException) -> bool:
    """Return whether tantivy may complain of its files: of some it panics, which is no
    ``Exception``.
    """
    if isinstance(error, SearchError):
        return False
    panicked = type(error).__name__ == "PanicException"
    return panicked or isinstance(error, ValueError | LookupError | OSError)
