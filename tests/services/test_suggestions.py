"""Suggestions of "Did you mean": which are made, and when."""

from __future__ import annotations

import pytest

from bot.models import Match
from bot.services.answering import (
    MAX_SUGGESTIONS,
    likelihood,
    suggestions_among,
    suggestions_without_first,
)
from bot.ui import limits


def found(*confidences: float) -> list[Match]:
    """Matches of which each is meant as often as it is said, and one at most."""
    return [
        Match(n, str(n), "?", confidence, together=sum(confidences[: n + 1]))
        for n, confidence in enumerate(confidences)
    ]


def test_nothing_found_is_nothing_to_offer():
    assert suggestions_among([]) == []
    assert likelihood([]) == 0.0


def test_what_is_far_less_likely_than_the_first_is_left_out():
    matches = found(0.4, 0.2, 0.05)
    assert suggestions_among(matches) == matches[:2]
    assert likelihood(matches) == pytest.approx(0.6)


def test_threads_that_share_the_odds_are_worth_offering_together():
    matches = found(*[0.12] * 8)
    assert len(suggestions_among(matches)) == MAX_SUGGESTIONS
    assert likelihood(matches) == pytest.approx(0.6)


def test_no_more_than_three_are_offered_unless_they_are_close():
    far = found(0.4, 0.1, 0.1, 0.1, 0.1)
    assert suggestions_among(far) == far[:3]
    close = found(0.3, 0.2, 0.16, 0.15, 0.14)
    assert suggestions_among(close) == close[:4]


def test_what_is_left_once_the_first_was_refused_is_judged_without_it():
    matches = found(0.8, 0.1, 0.05)
    assert (
        suggestions_without_first(matches, least=0.5) == matches[1:]
    )  # 0.15 of the 0.2 that are left
    assert suggestions_without_first(matches, least=0.9) == []


def test_of_one_match_nothing_is_left():
    assert suggestions_without_first(found(0.8), least=0.1) == []


def test_a_card_has_room_for_all_that_is_suggested() -> None:
    assert limits.SUGGESTIONS == MAX_SUGGESTIONS
