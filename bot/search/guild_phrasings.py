"""The learned phrasings of one guild, searched beside the index that all share.

They are kept apart from the index on purpose. There, one guild's words would count
in every guild's word statistics and spelling, and would have to be filtered out of
every search; here, a guild that does not hold them can't find them.

In the words in which it was taught, a phrasing is as good as certain: for everybody once it is
confirmed, before that for those who taught it. In other words a confirmed one is one more way to
ask its thread, which may be offered for it but is not answered with on that alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from copy import copy
from dataclasses import replace
from heapq import nlargest
from typing import TYPE_CHECKING

from bot.phrasings import LearnedPhrasing
from bot.search.documents import TITLE_BOOST, Hit
from bot.search.query import Query
from bot.search.ranker import Ranked
from bot.search.taught_wordings import TaughtWordings
from bot.search.text import STOP_STEMS, Name

if TYPE_CHECKING:
    from bot.search.semantic.embedder import Vectors
    from bot.search.semantic.retrieval import PhrasingVectors

MAX_JOINED = 25
"""Threads that phrasings alone bring in, at most."""

TITLE_BM25 = 4.4 / 3.2 + TITLE_BOOST
"""What BM25 gives a title's word for each unit of its idf, in a text of average length
(k1 = 1.2; a title's words count twice in the text)."""

TAUGHT_CONFIDENCE = 0.95
"""The confidence in a thread for which the very same words were taught."""

MAX_UNTAUGHT_CONFIDENCE = 0.5
"""The confidence that phrasings in other words may give a thread at most: as likely as not."""


class GuildPhrasings:
    """The phrasings of one guild, ready to be searched: by words, and by meaning as ``vectors``.

    ``vectors`` are of the confirmed ones.
    """

    def __init__(
        self, phrasings: Iterable[LearnedPhrasing] = (), vectors: PhrasingVectors | None = None
    ):
        taught = tuple(phrasings)
        self._taught, self._is_empty = TaughtWordings(taught), not taught
        self._asker: int | None = None
        self._meant: tuple[Query, list[LearnedPhrasing]] | None = None  # by the last question
        self._phrasings = tuple(phrasing for phrasing in taught if phrasing.confirmed)
        self._vectors = vectors
        self._threads = {phrasing.thread_id: phrasing for phrasing in self._phrasings}
        self._places_by_stem: defaultdict[str, list[int]] = defaultdict(list)
        self._names: defaultdict[int, tuple[Name, ...]] = defaultdict(tuple)
        for place, phrasing in enumerate(self._phrasings):
            # Words that every question has would only lead to all phrasings there are.
            name = Name.of(phrasing.text)
            for stem in set(name.stems) - STOP_STEMS:
                self._places_by_stem[stem].append(place)
            self._names[phrasing.thread_id] += (name,)

    def __bool__(self) -> bool:
        return not self._is_empty

    def asked_by(self, user_id: int | None) -> GuildPhrasings:
        """Return the same phrasings for a question of a member, whose own count as well."""
        theirs = copy(self)
        theirs._asker, theirs._meant = user_id, None
        return theirs

    @property
    def stems(self) -> Collection[str]:
        """The stems that the phrasings use, without those of stop words."""
        return self._places_by_stem.keys()

    def cosines(self, question: Vectors) -> dict[int, float]:
        """Return how alike in meaning a question and each thread's likest phrasing are, by thread
        id.
        """
        return self._vectors.cosines(question) if self._vectors is not None else {}

    def join(self, query: Query, hits: Sequence[Hit]) -> list[Hit]:
        """Let the index's hits know their phrasings, and add threads found by those alone.

        Each thread is there once, with the better of its two scores.
        """
        if not self:
            return list(hits)
        scores, known = self._scores(query), {hit.thread_id for hit in hits}
        joined = [self._with_phrasings(hit, scores.get(hit.thread_id, 0.0)) for hit in hits]
        new = nlargest(MAX_JOINED, scores.keys() - known, key=scores.__getitem__)
        known.update(new)
        said = {p.thread_id: p for p in self._said(query)}
        return [
            *joined,
            *(self._hit(self._threads[thread_id], scores[thread_id]) for thread_id in new),
            *(self._hit(p, 0.0) for thread_id, p in said.items() if thread_id not in known),
        ]

    def prefer(
        self, query: Query, ranked: list[Ranked], untaught: Callable[[], list[Ranked]]
    ) -> list[Ranked]:
        """Put the thread first for which just these words were taught, if it is one thread.

        Where members meant different threads by the same words, nobody can be sure. ``untaught``
        ranks without any phrasings; it is called when the first thread may owe its confidence
        to phrasings in other words.
        """
        if not self:
            return ranked
        thread_ids = {phrasing.thread_id for phrasing in self._said(query)}
        this = next((r for r in ranked if thread_ids == {r.hit.thread_id}), None)
        if this is None:
            return self._less_certain(ranked, untaught)
        confidence = max(TAUGHT_CONFIDENCE, ranked[0].confidence)
        others = (replace(r, together=max(confidence, r.together)) for r in ranked if r is not this)
        return [replace(this, confidence=confidence, together=confidence), *others]

    def _less_certain(
        self, ranked: list[Ranked], untaught: Callable[[], list[Ranked]]
    ) -> list[Ranked]:
        """Lower confidences that rest on phrasings in other words to ``MAX_UNTAUGHT_CONFIDENCE``.

        If another thread is surer than that without them, it was so rightly.
        """
        first = ranked[0] if ranked else None
        if (
            first is None
            or first.confidence <= MAX_UNTAUGHT_CONFIDENCE
            or not self._names.get(first.hit.thread_id)
        ):
            return ranked
        plain = untaught()
        alone = (r.confidence for r in plain if r.hit.thread_id == first.hit.thread_id)
        most = max(MAX_UNTAUGHT_CONFIDENCE, next(alone, 0.0))
        if plain and plain[0].confidence > most:
            return plain
        lost = max(0.0, first.confidence - most)
        return [
            replace(r, confidence=c, together=max(c, r.together - lost))
            for r, c in ((r, min(most, r.confidence)) for r in ranked)
        ]

    def _said(self, query: Query) -> list[LearnedPhrasing]:
        """Return the phrasings in the question's words that count for whoever asks."""
        known = self._meant
        if known is None or known[0] is not query:
            known = self._meant = query, self._taught.meant(query, self._asker)
        return known[1]

    def _scores(self, query: Query) -> dict[int, float]:
        """Return what each thread's best phrasing comes to, as if that were its title."""
        scores: defaultdict[int, float] = defaultdict(float)
        for stem, credit in query.wanted.items():
            for place in self._places_by_stem.get(stem, ()):
                scores[place] += TITLE_BM25 * credit * query.idf[stem]
        best: dict[int, float] = {}
        for place, score in scores.items():
            thread_id = self._phrasings[place].thread_id
            best[thread_id] = max(score, best.get(thread_id, 0.0))
        return best

    def _hit(self, phrasing: LearnedPhrasing, score: float) -> Hit:
        names = (Name.of(phrasing.title), *self._names.get(phrasing.thread_id, ()))
        return Hit(phrasing.thread_id, phrasing.key, names, score)

    def _with_phrasings(self, hit: Hit, score: float) -> Hit:
        names = self._names.get(hit.thread_id)
        if names is None:
            return hit
        return replace(hit, names=hit.names + names, bm25=max(hit.bm25, score))


NO_PHRASINGS = GuildPhrasings()
"""For direct messages, and for guilds that have no learned phrasings."""
