"""The measures, against examples worked out by hand."""

from __future__ import annotations

import random
from math import log2, pi, sqrt
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.evaluation.metrics import (
    BINS,
    ReliabilityBin,
    calibration_error,
    error_by_chance,
    matthews,
    ndcg,
    percentile,
    recall,
    reciprocal_rank,
    reliability,
)

relaxed = settings(deadline=None, max_examples=100)

gains = st.dictionaries(st.sampled_from("abcdefghijklmnop"), st.integers(1, 3))
rankings = st.permutations("abcdefghijklmnop").flatmap(
    lambda keys: st.integers(0, 16).map(lambda n: keys[:n])
)


@pytest.mark.parametrize(
    ("ranked", "relevant", "expected"),
    [
        ("abc", {"a": 1}, 1.0),
        ("abc", {"b": 1}, 1 / log2(3)),
        ("abc", {"c": 1}, 1 / 2),
        ("abc", {"a": 1, "c": 1}, (1 + 1 / 2) / (1 + 1 / log2(3))),
        ("ab", {"a": 1, "b": 3}, (1 + 3 / log2(3)) / (3 + 1 / log2(3))),
        ("abc", {"x": 1}, 0.0),
        ("", {"x": 1}, 0.0),
        ("abc", {}, 0.0),
    ],
)
def test_ndcg(ranked: str, relevant: dict[str, int], expected: float) -> None:
    assert ndcg(list(ranked), relevant) == pytest.approx(expected)


def test_ndcg_looks_no_deeper_than_it_says() -> None:
    ranked = list("abcdefghijkl")
    assert ndcg(ranked, {"k": 1}) == 0.0
    assert ndcg(ranked, {"j": 1}) == pytest.approx(1 / log2(11))
    assert ndcg(ranked, {"b": 1}, depth=1) == 0.0
    # With more relevant threads than places, filling the places is perfect.
    assert ndcg(ranked, dict.fromkeys(ranked, 1), depth=2) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("ranked", "relevant", "expected"),
    [("abc", "a", 1.0), ("abc", "c", 1 / 3), ("abc", "cb", 1 / 2), ("abc", "x", 0), ("", "a", 0)],
)
def test_reciprocal_rank(ranked: str, relevant: str, expected: float) -> None:
    assert reciprocal_rank(list(ranked), set(relevant)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("ranked", "relevant", "depth", "expected"),
    [
        ("abcd", "ad", 2, 1 / 2),
        ("abcd", "ad", 4, 1.0),
        ("abcd", "adxy", 4, 1 / 2),
        ("abcd", "x", 4, 0.0),
        ("abcd", "", 4, 0.0),
        ("", "a", 4, 0.0),
    ],
)
def test_recall(ranked: str, relevant: str, depth: int, expected: float) -> None:
    assert recall(list(ranked), set(relevant), depth) == pytest.approx(expected)


@relaxed
@given(rankings, gains, st.integers(1, 20))
def test_measures_of_a_ranking_are_shares(
    ranked: list[str], relevant: dict[str, int], depth: int
) -> None:
    for measured in (
        ndcg(ranked, relevant, depth),
        reciprocal_rank(ranked, relevant),
        recall(ranked, relevant, depth),
    ):
        assert 0.0 <= measured <= 1.0 + 1e-12


@relaxed
@given(gains.filter(bool), rankings)
def test_a_perfect_ranking_measures_one(relevant: dict[str, int], rest: list[str]) -> None:
    best = sorted(relevant, key=lambda key: -relevant[key])
    ranked = best + [key for key in rest if key not in relevant]
    assert ndcg(ranked, relevant) == pytest.approx(1.0)
    assert reciprocal_rank(ranked, relevant) == 1.0
    assert recall(ranked, relevant, 16) == 1.0


@relaxed
@given(rankings, gains.filter(bool))
def test_moving_a_relevant_thread_up_never_measures_less(
    ranked: list[str], relevant: dict[str, int]
) -> None:
    for place in range(1, len(ranked)):
        if ranked[place] in relevant and ranked[place - 1] not in relevant:
            better = [*ranked]
            better[place - 1 : place + 1] = ranked[place], ranked[place - 1]
            assert ndcg(better, relevant) >= ndcg(ranked, relevant) - 1e-12
            assert reciprocal_rank(better, relevant) >= reciprocal_rank(ranked, relevant)


def test_calibration_error_by_hand() -> None:
    # Bin .9-1: stated 1.9 for 1 right of 2; bin .2-.3: stated .5 for 1 right of 2.
    assert calibration_error([0.95, 0.95, 0.25, 0.25], [True, False, True, False]) == (
        pytest.approx((0.9 + 0.5) / 4)
    )
    assert calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert calibration_error([1.0, 1.0], [False, False]) == 1.0
    assert calibration_error([], []) == 0.0


def test_gaps_of_opposite_sign_cancel_within_a_bin_only() -> None:
    assert calibration_error([0.51, 0.59], [False, True]) == pytest.approx(0.1 / 2)
    assert calibration_error([0.41, 0.59], [False, True]) == pytest.approx((0.41 + 0.41) / 2)


def test_error_by_chance_by_hand() -> None:
    # The deviation of a thousand outcomes at even odds is sqrt(250).
    assert error_by_chance([0.5] * 1000) == pytest.approx(sqrt(2 / pi * 250) / 1000)
    assert error_by_chance([0.0, 1.0]) == error_by_chance([]) == 0.0


def test_true_confidences_have_the_error_by_chance_in_the_mean() -> None:
    rng = random.Random(7)
    told = [rng.random() for _ in range(300)]
    errors = [calibration_error(told, [rng.random() < one for one in told]) for _ in range(200)]
    assert mean(errors) == pytest.approx(error_by_chance(told), rel=0.1)


def test_every_confidence_needs_a_truth() -> None:
    with pytest.raises(ValueError, match="zip"):
        calibration_error([0.5], [])


@relaxed
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40))
def test_calibration_error_is_a_share(pairs: list[tuple[float, bool]]) -> None:
    error = calibration_error([c for c, _ in pairs], [r for _, r in pairs])
    assert 0.0 <= error <= 1.0 + 1e-9


def test_reliability_by_hand() -> None:
    bins = reliability([1.0, 0.9, 0.25, 0.0], [True, False, True, False])
    assert len(bins) == BINS
    assert (bins[9].start, bins[9].end, bins[9].questions) == (0.9, 1.0, 2)
    assert bins[9].confidence == pytest.approx(0.95)
    assert bins[9].right == 0.5
    assert bins[2] == ReliabilityBin(0.2, 0.3, 1, 0.25, 1.0)
    assert bins[0] == ReliabilityBin(0.0, 0.1, 1, 0.0, 0.0)
    assert bins[5] == ReliabilityBin(0.5, 0.6, 0, None, None)


@relaxed
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=40))
def test_every_question_is_in_one_bin_that_holds_its_confidence(
    pairs: list[tuple[float, bool]],
) -> None:
    bins = reliability([c for c, _ in pairs], [r for _, r in pairs])
    assert sum(b.questions for b in bins) == len(pairs)
    for b in bins:
        assert (b.confidence is None) == (b.right is None) == (b.questions == 0)
        if b.confidence is not None:
            assert b.start - 1e-9 <= b.confidence <= b.end + 1e-9


def test_percentile_is_one_of_the_values() -> None:
    values = [float(n) for n in range(200, 0, -1)]
    assert percentile(values, 99) == 198.0
    assert percentile(values, 50) == 100.0
    assert percentile(values, 100) == 200.0
    assert percentile(values, 0) == 1.0
    assert percentile([7.0], 99) == 7.0
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 99)


def test_matthews_by_hand() -> None:
    assert matthews(6, 1, 2, 3) == pytest.approx((6 * 3 - 1 * 2) / sqrt(7 * 8 * 4 * 5))
    assert matthews(5, 0, 0, 5) == 1.0
    assert matthews(0, 5, 5, 0) == -1.0
    assert matthews(5, 5, 5, 5) == 0.0


def test_matthews_is_zero_where_only_one_thing_was_ever_said() -> None:
    assert matthews(5, 5, 0, 0) == 0.0
    assert matthews(0, 0, 0, 0) == 0.0


counts = st.integers(0, 1_000)


@relaxed
@given(counts, counts, counts, counts)
def test_matthews_is_in_range_and_turns_with_the_decision(a: int, b: int, c: int, d: int) -> None:
    value = matthews(a, b, c, d)
    assert -1.0 - 1e-9 <= value <= 1.0 + 1e-9
    assert matthews(c, d, a, b) == pytest.approx(-value)
