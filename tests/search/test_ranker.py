"""The ranker: whatever the candidates are, confidences are probabilities that fall."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.search.background import TYPICAL, Background
from bot.search.documents import Hit
from bot.search.query import Idf, Query, parse
from bot.search.ranker import rank
from bot.search.text import Name
from bot.search.vocabulary import Vocabulary

WORDS = ("apple", "tree", "prune", "winter", "how", "do", "the")
TITLES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
HITS = st.lists(
    st.tuples(TITLES, st.floats(0, 20), st.sampled_from(["", "a", "b"]), st.floats(-1, 1)),
    max_size=12,
)


def query(text: str) -> Query:
    return parse(text, Vocabulary((word, 3) for word in WORDS), Idf(20, lambda _: 3))


def hits_of(rows: Sequence[tuple[str, float, str, float]]) -> list[Hit]:
    return [Hit(n, f"t{n}", (Name.of(t),), b, a) for n, (t, b, a, _) in enumerate(rows)]


@settings(deadline=None, max_examples=80)
@given(
    question=TITLES,
    rows=HITS,
    by_meaning=st.booleans(),
    unrelated=st.floats(0, 0.9),
    field=st.floats(0, 0.6),
)
def test_confidences_are_probabilities_that_fall(
    question: str,
    rows: list[tuple[str, float, str, float]],
    by_meaning: bool,
    unrelated: float,
    field: float,
) -> None:
    cosines = {n: row[3] for n, row in enumerate(rows) if n % 5} if by_meaning else None
    ranked = rank(query(question), hits_of(rows), cosines, Background(unrelated, field))
    assert sorted(r.hit.thread_id for r in ranked) == [*range(len(rows))]
    confidences = [r.confidence for r in ranked]
    assert confidences == sorted(confidences, reverse=True)
    assert all(0.0 <= one <= 1.0 for one in confidences)
    together = [r.together for r in ranked]
    assert together == sorted(together)
    assert all(r.confidence <= r.together + 1e-9 <= 1.0 + 1e-8 for r in ranked)
    of_groups = {r.group: r.confidence for r in ranked}
    if by_meaning:
        assert sum(of_groups.values()) <= 1.0 + 1e-9


def test_no_candidates_are_no_matches() -> None:
    assert rank(query("apple"), []) == []


def test_the_same_cosine_says_more_where_texts_are_further_apart() -> None:
    hits = hits_of([("apple tree", 1.0, "", 0), ("winter", 1.0, "", 0)])
    cosines = {0: 0.7, 1: 0.3}
    near, far = (
        rank(query("prune"), hits, cosines, Background(unrelated, 0.3))[0].confidence
        for unrelated in (0.6, 0.1)
    )
    assert far > near + 0.2


def test_a_field_whose_titles_are_alike_asks_for_more() -> None:
    hits = hits_of([("apple tree", 1.0, "", 0), ("winter", 1.0, "", 0)])
    loose, dense = (
        rank(query("prune"), hits, {0: 0.55, 1: 0.2}, Background(0.1, field))[0].confidence
        for field in (0.3, 0.55)
    )
    assert loose > dense + 0.1


def test_two_groups_that_fit_as_well_are_less_sure_than_one() -> None:
    rows = [("apple tree", 1.0, "a", 0), ("prune", 1.0, "b", 0), ("winter", 1.0, "c", 0)]
    one = rank(query("tree"), hits_of(rows), {0: 0.7, 1: 0.2, 2: 0.1}, TYPICAL)
    two = rank(query("tree"), hits_of(rows), {0: 0.7, 1: 0.7, 2: 0.1}, TYPICAL)
    assert two[0].confidence < one[0].confidence - 0.1
    assert two[1].together > 2 * two[0].confidence - 0.01
    same = [("apple tree", 1.0, "a", 0), ("prune", 1.0, "a", 0), ("winter", 1.0, "c", 0)]
    pooled = rank(query("tree"), hits_of(same), {0: 0.7, 1: 0.7, 2: 0.1}, TYPICAL)
    assert pooled[0].confidence >= one[0].confidence
