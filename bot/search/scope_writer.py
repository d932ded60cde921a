"""Writing one scope's text index."""

from __future__ import annotations

from tantivy import Index, Order, Query

from bot.models import SHARED
from bot.search.documents import Pieces, document_of

HEAP = 64_000_000
"""Bytes that the shared library's writer may fill before it writes a segment."""

OWN_HEAP = 16_000_000
"""The same for a server's: about the least that tantivy takes."""


class ScopeWriter:
    """The writer of one scope's index.

    ``newest`` is the highest id of a thread that is in, ``pending`` whether there is
    something to commit, ``replaced`` whether threads were taken out that were in.
    """

    def __init__(self, scope: int, index: Index):
        self._scope, self._index = scope, index
        heap = HEAP if scope == SHARED else OWN_HEAP
        self._writer = index.writer(heap, num_threads=1)
        self.newest = _newest(index)
        self.pending = self.replaced = False

    def put(self, thread_id: int, pieces: Pieces) -> None:
        """Index a thread, in place of what was known of it."""
        self.remove(thread_id)
        self.newest = max(self.newest, thread_id)
        self._writer.add_document(document_of(thread_id, self._scope, pieces))
        self.pending = True

    def remove(self, thread_id: int) -> None:
        """Take a thread out, if it may be in."""
        # The writer remembers each deletion until it commits, and looks for its document
        # in all that was added: what can't be in is not to be taken out.
        if thread_id <= self.newest:
            self._writer.delete_documents_by_term("id", thread_id)
            self.pending = self.replaced = True

    def clear(self) -> None:
        """Take all threads out, and forget what was put in since the last commit."""
        self._writer.rollback()
        self._writer.delete_all_documents()
        self.newest = 0
        self.pending, self.replaced = True, False

    def commit(self) -> int:
        """Write what was done; returns how many threads there are now."""
        if self.pending:
            self._writer.commit()
            self.pending = False
        self._index.reload()
        return int(self._index.searcher().num_docs)

    def close(self, *, undo: bool = False) -> None:
        """Wait for merges and end; with ``undo``, forget what was not committed."""
        try:
            if undo:
                self._writer.rollback()
            self._writer.wait_merging_threads()
        finally:
            del self._writer  # tantivy gives its lock back when the writer is gone


def _newest(index: Index) -> int:
    """Return the highest id of a thread that is in; 0 without any."""
    last = index.searcher().search(
        Query.all_query(), 1, count=False, order_by_field="id", order=Order.Desc
    )
    return int(last.hits[0][0]) if last.hits else 0
