"""The text indexes that one server sees, the shared library's and its own, as one.

Each index scores by its own statistics. Where two are seen, the document frequencies of
both count: the weight of a term is that of its idf in both together, in place of the idf
that tantivy takes from one of them. How long a text is stays measured against the threads
of its own scope. Where only one is seen, its scores are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from math import log

from rapidfuzz import fuzz
from tantivy import Occur, Query

from bot.models import SHARED, Match
from bot.search.documents import TITLE_BOOST, Hit
from bot.search.query import Idf
from bot.search.scope_index import ScoredDoc, Snapshot, by_score, fields
from bot.search.text import STOP_WORDS, clean, stems, words
from bot.search.vocabulary import JoinedVocabulary, Vocabulary

Term = tuple[str, str, float]
"""What is looked for: a field, a stem in it, and what it weighs."""


class View:
    """Snapshots of one or two scopes, searched together. Its methods raise IndexDamaged."""

    def __init__(self, parts: Sequence[Snapshot]):
        self.parts = tuple(parts)
        self._factors: dict[tuple[str, str], tuple[float, ...]] = {}

    def __len__(self) -> int:
        return sum(part.threads for part in self.parts)

    @cached_property
    def hidden(self) -> frozenset[int]:
        """The shared threads that a guild has versions of its own of: these are found instead."""
        own = [part for part in self.parts if part.scope != SHARED]
        return own[0].overridden() if own else frozenset()

    @cached_property
    def words(self) -> Vocabulary:
        """The words of all threads that are seen."""
        if len(self.parts) < 2:
            return self.parts[0].words if self.parts else Vocabulary()
        shared, own = (part.words for part in self.parts)
        return JoinedVocabulary(shared, own)

    @cached_property
    def idf(self) -> Idf:
        """The weight of any stem among the threads that are seen."""
        return Idf(len(self), self.doc_freq)

    def doc_freq(self, stem: str) -> int:
        """In how many of the threads a stem occurs."""
        return sum(part.doc_freq("text", stem) for part in self.parts)

    def search(self, stems: dict[str, float], limit: int) -> list[Hit]:
        """Return the best threads by BM25 for weighted stems; of equal ones, the oldest."""
        terms = list(_in_both_fields(stems))
        found = []
        for number, part in enumerate(self.parts if terms else ()):
            wanted = [self._query(term, number) for term in terms]
            found.append(self._best(part, _any_of(wanted), limit))
        return self._hits(found, limit)

    def among(self, stems: dict[str, float], thread_ids: Sequence[int]) -> list[Hit]:
        """Return the threads with these ids, each with its BM25 for the stems, as far as it has
        any.
        """
        if not thread_ids:
            return []
        # An OR of terms is read in a third of the time that a set of them takes.
        terms = (Query.term_query(fields(), "id", thread_id) for thread_id in thread_ids)
        only = Query.boolean_query([(Occur.Should, Query.const_score_query(t, 0.0)) for t in terms])
        found = []
        for number, part in enumerate(self.parts):
            wanted = (self._query(term, number) for term in _in_both_fields(stems))
            clauses = [(Occur.Must, only), *((Occur.Should, query) for query in wanted)]
            query = Query.boolean_query(clauses)
            found.append(self._best(part, query, len(thread_ids)))
        return self._hits(found, len(thread_ids))

    def search_titles(self, groups: Sequence[Sequence[str]], limit: int) -> list[Hit]:
        """Return the best titles for groups of stems, one of each group being meant."""
        groups = [group for group in groups if group]
        found = []
        for number, part in enumerate(self.parts if groups else ()):
            wanted = [
                Query.disjunction_max_query([self._query(("title", s, 1.0), number) for s in group])
                for group in groups
            ]
            found.append(self._best(part, _any_of(wanted), limit))
        return self._hits(found, limit)

    def first(self, limit: int) -> list[Hit]:
        """Return the oldest threads, for someone who has typed nothing yet."""
        wanted = limit + len(self.hidden)
        return self._hits([self._shown(part.first(wanted)) for part in self.parts], limit)

    def with_answers(self, digest: str, limit: int) -> list[int]:
        """Return the ids of threads whose answers have a digest, about ``limit`` at most."""
        found = (part.with_answers(digest, limit) for part in self.parts)
        return [i for ids in found for i in ids if i not in self.hidden][:limit]

    def _best(self, part: Snapshot, query: Query, limit: int) -> list[ScoredDoc]:
        return self._shown(part.best(query, limit + len(self.hidden)))

    def _shown(self, found: list[ScoredDoc]) -> list[ScoredDoc]:
        """Leave out what is hidden here."""
        return [one for one in found if one[1] not in self.hidden] if self.hidden else found

    def _hits(self, found: Sequence[Sequence[ScoredDoc]], limit: int) -> list[Hit]:
        """Return the best of what each part found, with what the index keeps of it."""
        best = sorted((one for ones in found for one in ones), key=by_score)[:limit]
        taken = {thread_id for _, thread_id, _ in best}
        hits = [
            hit
            for part, ones in zip(self.parts, found, strict=False)
            for hit in part.hits([one for one in ones if one[1] in taken])
        ]
        hits.sort(key=lambda hit: (-hit.bm25, hit.thread_id))
        return hits

    def _query(self, term: Term, part: int) -> Query:
        field, stem, weight = term
        if len(self.parts) > 1:
            weight *= self._factor(field, stem)[part]
        query = Query.term_query(fields(), field, stem, "freq")
        return query if weight == 1.0 else Query.boost_query(query, weight)

    def _factor(self, field: str, stem: str) -> tuple[float, ...]:
        """For each part, a term's idf in all of them by its idf in that part."""
        known = self._factors.get((field, stem))
        if known is None:
            if len(self._factors) >= MAX_CACHED:
                self._factors.clear()
            there = [(part.documents, part.doc_freq(field, stem)) for part in self.parts]
            together = _idf(*map(sum, zip(*there, strict=True)))
            known = tuple(together / _idf(*counts) for counts in there)
            self._factors[field, stem] = known
        return known


MAX_CACHED = 50_000
"""Terms of which the weights in both parts are kept."""


def _in_both_fields(stems: dict[str, float]) -> Iterator[Term]:
    for stem, weight in stems.items():
        yield "text", stem, weight
        yield "title", stem, TITLE_BOOST * weight


def _any_of(wanted: Sequence[Query]) -> Query:
    return Query.boolean_query([(Occur.Should, query) for query in wanted])


def _idf(documents: int, doc_freq: int) -> float:
    """Return the inverse document frequency as tantivy reckons it."""
    return log(1 + (documents - doc_freq + 0.5) / (doc_freq + 0.5))


ENDINGS = 24
"""Words of the library that a half-typed word is taken to be the beginning of."""

COMPARED = 100
"""Titles that are compared with the text letter by letter."""

MAX_TYPED = 12  # words; the last ones typed


def complete(view: View, text: str, limit: int) -> list[Match]:
    """Return the likeliest titles for a text, best first; for an empty text, some titles."""
    typed = words(clean(text))[-MAX_TYPED:]
    if not typed:
        return [_match(hit, 0.0) for hit in view.first(limit)]
    vocabulary = view.words
    groups = [_word_stems(vocabulary, word) for word in typed[:-1] if word not in STOP_WORDS]
    groups.append(_prefix_stems(vocabulary, typed[-1]))
    hits = view.search_titles(groups, COMPARED)
    line = " ".join(typed)
    scored = [(_similarity(line, hit), hit) for hit in hits]
    scored.sort(key=lambda pair: (-pair[0], -pair[1].bm25, pair[1].thread_id))
    return [_match(hit, score) for score, hit in scored[:limit]]


def _word_stems(vocabulary: Vocabulary, word: str) -> list[str]:
    """Return the stems that a finished word may mean: itself, or if unknown its repairs."""
    if word in vocabulary:
        return stems(word)
    return [stem for repair in vocabulary.repairs(word) for stem in stems(repair.word)]


def _prefix_stems(vocabulary: Vocabulary, word: str) -> list[str]:
    """Return the stems of the words that a word being typed may become."""
    longer = vocabulary.starting_with(word, ENDINGS) or _repaired_prefixes(vocabulary, word)
    return list(dict.fromkeys(stem for full in longer for stem in stems(full)))


def _repaired_prefixes(vocabulary: Vocabulary, word: str) -> list[str]:
    """For a slip in what is typed so far: repairs of it, else what an earlier part begins."""
    repaired = [repair.word for repair in vocabulary.repairs(word, ENDINGS)]
    if repaired or len(word) < 4:
        return repaired
    longer = vocabulary.starting_with(word[: max(3, len(word) - 2)], 4 * ENDINGS)
    close = sorted(longer, key=lambda full: -fuzz.ratio(word, full[: len(word)]))
    return close[:ENDINGS]


def _similarity(line: str, hit: Hit) -> float:
    """Return how much of what is typed stands in the title, in [0, 1].

    Its beginning counts double.
    """
    title = " ".join(words(hit.title))
    anywhere = fuzz.partial_ratio(line, title) / 100
    start = fuzz.ratio(line, title[: len(line)]) / 100
    return (2 * max(anywhere, start) + start) / 3


def _match(hit: Hit, score: float) -> Match:
    return Match(hit.thread_id, hit.key, hit.title, score)
