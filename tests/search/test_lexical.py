"""The evidence of words: what is compared of a question and the names of a candidate."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.search.documents import Hit
from bot.search.lexical import COMPARED, FEATURES, deviations, features, order
from bot.search.query import Idf, Query, parse
from bot.search.text import Name
from bot.search.vocabulary import Vocabulary

WORDS = ("apple", "tree", "prune", "winter", "how", "do", "i", "the", "it")
TEXTS = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)


def query(text: str) -> Query:
    return parse(text, Vocabulary((word, 3) for word in WORDS), Idf(20, lambda _: 3))


def hit(*names: str) -> Hit:
    return Hit(1, "t1", tuple(map(Name.of, names)), 1.0)


def evidence(question: str, *names: str) -> float:
    (row,) = features(query(question), [hit(*names)], [1.0])
    return order(row)


@settings(deadline=None, max_examples=60)
@given(question=TEXTS, names=st.lists(TEXTS, min_size=1, max_size=3))
def test_features_are_shares(question: str, names: list[str]) -> None:
    (row,) = features(query(question), [hit(*names)], [2.0])
    assert all(0.0 <= row[name] <= 1.0 for name in FEATURES), row


def test_the_same_words_are_more_than_some_of_them_and_those_more_than_none() -> None:
    names = ("prune apple tree", "prune tree winter", "tree", "winter")
    found = [evidence("prune apple tree", name) for name in names]
    assert all(more > less for more, less in pairwise(found))


def test_a_candidate_is_compared_by_the_name_that_fits_best() -> None:
    assert evidence("prune apple tree", "winter", "prune apple tree", "tree") == evidence(
        "prune apple tree", "prune apple tree"
    )


def test_a_question_of_stop_words_means_a_title_of_them_alone() -> None:
    asked = query("how do i do it")
    same, about = features(asked, [hit("how do i do it"), hit("how do i prune it")], [1.0, 1.0])
    assert same["content"] == pytest.approx(1.0)
    assert same["content"] > about["content"]
    assert same["asked_found"] == pytest.approx(1.0)
    assert about["asked_found"] < 0.9


def test_no_candidates_and_no_words() -> None:
    assert features(query("apple"), [], []) == []
    (row,) = features(query(""), [hit("?")], [0.0])
    assert row["content"] == row["overlap"] == row["bm25_to_best"] == 0.0


def test_deviations_are_those_from_the_mean_of_the_greatest() -> None:
    assert deviations([]) == []
    assert deviations([3.0, 1.0]) == pytest.approx([1.0, -1.0], abs=1e-4)
    assert deviations([2.0, 2.0]) == [0.0, 0.0]
    best = [float(10 + n % 2) for n in range(COMPARED)]
    assert deviations([*best, 0.0, 0.0])[:COMPARED] == deviations(best)
