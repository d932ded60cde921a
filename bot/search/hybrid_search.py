"""The search for the candidates of a question, by its words and by its meaning."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from concurrent.futures import Future
from functools import cached_property
from heapq import nlargest
from typing import TYPE_CHECKING

from bot.search.documents import Hit, without
from bot.search.guild_phrasings import MAX_JOINED, NO_PHRASINGS, GuildPhrasings
from bot.search.query import Query
from bot.search.view import View

if TYPE_CHECKING:
    from bot.search.semantic.embedder import Vectors
    from bot.search.semantic.retrieval import SemanticIndex

HYBRID_CANDIDATES = (40, 60)
"""Candidates by words and by meaning, where both decide: more of either don't change
nDCG@10 on any of the sets that the ranker is fitted on, and cost time."""

Begin = Callable[[str], "Future[Vectors]"]
"""Begins to make the vector of a text."""


class HybridSearch:
    """The search for one question; its vector is made while its words are looked for."""

    def __init__(
        self,
        semantic: SemanticIndex,
        query: Query,
        scopes: Sequence[int],
        phrasings: GuildPhrasings = NO_PHRASINGS,
        begin: Begin | None = None,
    ):
        self._semantic, self._query, self._scopes = semantic, query, scopes
        self._phrasings = phrasings
        self._vector = (begin or semantic.begin)(query.corrected(semantic.knows))

    def candidates(
        self, view: View, leave_out: str | None = None
    ) -> tuple[list[Hit], dict[int, float]]:
        """Return the candidates, in no order, and their cosines. Raises ModelError."""
        hits = view.search(self._query.wanted, HYBRID_CANDIDATES[0] + 1)
        known = view.hidden.union(hit.thread_id for hit in hits)
        new = self._near(HYBRID_CANDIDATES[1] + 1 + len(view.hidden), known)
        hits += view.among(self._query.wanted, new)
        hits = self._phrasings.join(self._query, without(leave_out, hits))
        return hits, self._cosines([hit.thread_id for hit in hits])

    @cached_property
    def _phrasing_cosines(self) -> dict[int, float]:
        """Return the cosine of the question and each thread's nearest phrasing, by thread id."""
        return self._phrasings.cosines(self._vector.result())

    def _near(self, limit: int, known: Set[int]) -> list[int]:
        """Return the nearest threads without those ``known``, or hidden.

        Those that are near by a learned phrasing alone come after them.
        """
        near = set(self._semantic.near(self._vector.result(), self._scopes, limit)) - known
        others = self._phrasing_cosines.keys() - known - near
        return [*near, *nlargest(MAX_JOINED, others, key=self._phrasing_cosines.__getitem__)]

    def _cosines(self, thread_ids: Sequence[int]) -> dict[int, float]:
        """Return the cosines of the question and those threads that have vectors."""
        return self._semantic.cosines(
            self._vector.result(), thread_ids, self._scopes, self._phrasing_cosines
        )
