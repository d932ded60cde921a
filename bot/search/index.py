"""The text index: a follower of the store, kept by tantivy in a folder of its own.

Losing it loses nothing. One process at a time writes it (tantivy's own lock);
any number read it. ``state.json`` beside it says which library it follows, in
which form, and up to which change.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tantivy import Index, IndexWriter, Occur, Order, Query, Searcher

from bot.errors import SearchError
from bot.search import terms
from bot.search.documents import FORMAT, Hit, Indexed, document_of, hit_of, schema
from bot.search.text import PLAIN, STEMMED

TITLE_BOOST = 0.5
"""What a title's own BM25 adds to that of the whole text (where it counts twice)."""

_HEAP = 64_000_000  # bytes that the writer may fill before it writes a segment


class IndexBusy(SearchError):
    """Another process is writing the index; its work will be seen when it is done."""


@dataclass(frozen=True, slots=True)
class State:
    """What the index holds: a library's changes up to ``seq``, in a form."""

    library: str
    seq: int = 0
    format: int = FORMAT


class TextIndex:
    """An open index. Reading is safe from any thread; writing is ``with index.writing()``."""

    def __init__(self, folder: Path, library: str):
        """Open the index in ``folder``, or start an empty one for ``library``.

        ``note`` then says why an index that was there could not be kept. Raises
        SearchError when the folder can't be written.
        """
        self.folder = folder
        self.note: str | None = None
        self._state_file = folder / "state.json"
        self._schema = schema()
        self._large = False
        self._open(library)

    @property
    def state(self) -> State:
        """What the files on disk hold now; another process may have moved it on."""
        return _read_state(self._state_file) or State(library="")

    @property
    def searcher(self) -> Searcher:
        """The snapshot that is searched now."""
        return self._snapshot[0]

    def __len__(self) -> int:
        return int(self.searcher.num_docs)

    def threads_in(self, scopes: Sequence[int]) -> int:
        """How many threads of those scopes there are, at least.

        What was replaced is counted where it was until tantivy merges, so it is the others'
        that are taken off: mostly there are none.
        """
        searcher, present = self._snapshot
        others = sum(count for scope, count in present.items() if int(scope) not in scopes)
        return max(0, int(searcher.num_docs) - others)

    def reload(self) -> None:
        """See what was committed since, by this process or another."""
        self._index.reload()
        self._look()

    def writing(self) -> Writing:
        """Take the write lock. Raises IndexBusy while another process has it."""
        try:
            return Writing(self, self._index.writer(_HEAP, num_threads=1))
        except ValueError as error:
            if "LockBusy" in str(error):
                raise IndexBusy("another program is writing the search index") from None
            raise _unwritable(self.folder, error) from None

    def search(self, stems: dict[str, float], scopes: Sequence[int], limit: int) -> list[Hit]:
        """The best threads by BM25 for weighted stems, among those scopes."""
        wanted = [q for stem, weight in stems.items() for q in self._either_field(stem, weight)]
        return self._hits(wanted, scopes, limit)

    def among(
        self, stems: dict[str, float], scopes: Sequence[int], thread_ids: Sequence[int]
    ) -> list[Hit]:
        """The threads with these ids, each with its BM25 for the stems, as far as it has any."""
        if not thread_ids:
            return []
        wanted = [q for stem, weight in stems.items() for q in self._either_field(stem, weight)]
        # An OR of terms is read in a third of the time that a set of them takes.
        terms = (Query.term_query(self._schema, "id", thread_id) for thread_id in thread_ids)
        only = Query.boolean_query([(Occur.Should, Query.const_score_query(t, 0.0)) for t in terms])
        clauses = [(Occur.Must, only), *((Occur.Should, query) for query in wanted)]
        return self._hits([Query.boolean_query(clauses)], scopes, len(thread_ids))

    def search_titles(
        self, groups: Sequence[Sequence[str]], scopes: Sequence[int], limit: int
    ) -> list[Hit]:
        """The best titles for groups of stems, one of each group being meant."""
        wanted = [
            Query.disjunction_max_query([self._term("title", stem) for stem in group])
            for group in groups
            if group
        ]
        return self._hits(wanted, scopes, limit)

    def first(self, scopes: Sequence[int], limit: int) -> list[Hit]:
        """Some threads of those scopes, for someone who has typed nothing yet."""
        return self._hits([Query.all_query()], scopes, limit)

    def document_count(self, stem: str) -> int:
        """In how many threads, of any scope, a stem occurs."""
        return int(self.searcher.doc_freq("text", stem))

    def newest(self) -> int:
        """The highest id of a thread that is in; 0 without any."""
        everything = Query.all_query()
        last = self.searcher.search(
            everything, 1, count=False, order_by_field="id", order=Order.Desc
        )
        return int(last.hits[0][0]) if last.hits else 0

    def vocabulary(self) -> list[tuple[str, int]]:
        """Every word of the library with the number of threads that use it."""
        return self.searcher.terms_with_prefix("words", "")

    def words(self) -> Iterator[tuple[str, int]]:
        """The same in pieces and no certain order: no step holds the interpreter for long."""
        searcher = self.searcher
        if not self._large and terms.is_small(searcher, "words"):
            yield from self.vocabulary()
            return
        self._large = True  # so that the next time, what shows it is not asked again
        for piece in terms.counted(searcher, "words"):
            yield from piece

    def write_state(self, state: State) -> None:
        """Say what the index holds, in one step that can't be half done."""
        temporary = self._state_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(state)), encoding="utf-8")
        temporary.replace(self._state_file)

    def _hits(self, wanted: list[Query], scopes: Sequence[int], limit: int) -> list[Hit]:
        if not wanted:
            return []
        searcher, present = self._snapshot
        query = Query.boolean_query([(Occur.Should, q) for q in wanted])
        visible = [str(scope) for scope in scopes]
        if not present.keys() <= set(visible):  # a filter costs time; most libraries need none
            seen = Query.term_set_query(self._schema, "scope", visible)
            only = (Occur.Must, Query.const_score_query(seen, 0.0))
            query = Query.boolean_query([(Occur.Must, query), only])
        try:
            found = searcher.search(query, limit, count=False).hits
            ids = searcher.fast_field_values("id", [address for _, address in found])
            return [
                hit_of(searcher.doc(address), int(i or 0), score)
                for (score, address), i in zip(found, ids, strict=True)
            ]
        except BaseException as error:
            if not _is_damage(error):
                raise
            raise SearchError(
                f"the search index in {self.folder} is damaged ({error}); stop the program, "
                "delete that folder and start again: it is made anew from the library"
            ) from None

    def _look(self) -> None:
        """Take a snapshot, with the scopes in it: the two are used together."""
        searcher = self._index.searcher()
        present = dict(searcher.terms_with_prefix("scope", ""))
        self._snapshot = (searcher, present)

    def _either_field(self, stem: str, weight: float) -> tuple[Query, Query]:
        text, title = self._term("text", stem), self._term("title", stem)
        if weight != 1.0:
            text = Query.boost_query(text, weight)
        return text, Query.boost_query(title, TITLE_BOOST * weight)

    def _term(self, field: str, stem: str) -> Query:
        return Query.term_query(self._schema, field, stem, "freq")

    def _open(self, library: str) -> None:
        if self.folder.exists():
            self.note = self._trouble(library)
            if self.note is None:
                try:
                    self._use(Index.open(str(self.folder)))
                    self.vocabulary()  # the rest of the dictionary, which must be whole as well
                    return
                except BaseException as error:
                    if not _is_damage(error):
                        raise
                    self.note = f"it could not be read ({error})"
        try:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            self._use(Index(self._schema, str(self.folder)))
            self.write_state(State(library))
        except (ValueError, OSError) as error:
            raise SearchError(
                f"the search index can't be made in {self.folder} ({error}); "
                "check that DATA_DIR can be written and has room"
            ) from None

    def _trouble(self, library: str) -> str | None:
        """Why what lies in the folder can't be used, or ``None``."""
        state = _read_state(self._state_file)
        if state is None:
            return "it was incomplete"
        if state.format != FORMAT:
            return "it was made by another version"
        if state.library != library:
            return "it belongs to another library"
        return None

    def _use(self, index: Index) -> None:
        index.register_tokenizer("plain", PLAIN)
        index.register_tokenizer("stemmed", STEMMED)
        self._index = index
        self._look()


class Writing:
    """The write lock on an index; ``with`` gives it back. Nothing counts until ``commit``.

    ``newest`` is the highest id of a thread that is in.
    """

    def __init__(self, index: TextIndex, writer: IndexWriter):
        self._index, self._writer = index, writer
        index.reload()  # another process may have written until now
        self.newest = index.newest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(undo=kind is not None)

    def close(self, *, undo: bool = False) -> None:
        """Give the lock back; with ``undo``, forget what was done since the last commit.

        This and the other steps raise SearchError for want of room, for example.
        """
        try:
            with self._writable():
                if undo:
                    self._writer.rollback()
                self._writer.wait_merging_threads()
        finally:
            del self._writer  # tantivy gives its lock back when the writer is gone

    def put(self, threads: Iterable[Indexed]) -> None:
        """Index threads, in place of what was known of them."""
        with self._writable():
            for thread_id, scope, pieces in threads:
                # The writer remembers each deletion until it commits, and looks for its document
                # in all that was added: what can't be in is not to be taken out.
                if thread_id <= self.newest:
                    self._writer.delete_documents_by_term("id", thread_id)
                self.newest = max(self.newest, thread_id)
                self._writer.add_document(document_of(thread_id, scope, pieces))

    def remove(self, thread_ids: Iterable[int]) -> None:
        """Take threads out; those that are not in are passed over."""
        with self._writable():
            for thread_id in thread_ids:
                self._writer.delete_documents_by_term("id", thread_id)

    def commit(self, seq: int) -> None:
        """Make what was done so far visible, as the library's state at change ``seq``."""
        with self._writable():
            self._writer.commit()
            self._index.write_state(State(self._index.state.library, seq))
        self._index.reload()

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, OSError) as error:
            raise _unwritable(self._index.folder, error) from error


def _unwritable(folder: Path, error: Exception) -> SearchError:
    return SearchError(
        f"the search index in {folder} can't be written ({error}); check that it may be, and "
        "that the disk has room"
    )


def _is_damage(error: BaseException) -> bool:
    """Whether tantivy complains of its files: of some it panics, which is no ``Exception``."""
    panicked = type(error).__name__ == "PanicException"
    return panicked or isinstance(error, ValueError | LookupError | OSError)


def _read_state(file: Path) -> State | None:
    try:
        state = State(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return state if [*map(type, astuple(state))] == [str, int, int] else None
