"""Misspelling on purpose: one slip a chosen word, long words only, the same each time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from bot.evaluation.test_sets import MIN_LETTERS, misspell

relaxed = settings(deadline=None, max_examples=150)

spoken = st.lists(
    st.text(st.characters(categories=["L", "Nd", "P", "S"]), min_size=1, max_size=14), max_size=12
).map(" ".join)
seeds = st.integers(0, 2**32)


def letters(word: str) -> int:
    return sum(character.isalpha() for character in word)


@relaxed
@given(spoken, st.floats(0, 1), seeds)
def test_each_word_has_at_most_one_slip_and_short_ones_none(
    text: str, share: float, seed: int
) -> None:
    before, after = text.split(), misspell(text, share, random.Random(seed)).split()
    assert len(before) == len(after)
    for word, misspelt in zip(before, after, strict=True):
        assert OSA.distance(word, misspelt) <= 1
        if letters(word) < MIN_LETTERS:
            assert misspelt == word


@relaxed
@given(spoken, seeds)
def test_no_share_leaves_every_word(text: str, seed: int) -> None:
    assert misspell(text, 0.0, random.Random(seed)) == " ".join(text.split())


def test_the_whole_share_puts_a_slip_into_every_long_word() -> None:
    text = " ".join(["neutrality"] * 2_000)
    slips = [word != "neutrality" for word in misspell(text, 1.0, random.Random(1)).split()]
    # A letter replaced by itself, or the last one swapped with nothing, changes nothing.
    assert sum(slips) / len(slips) > 0.9


@pytest.mark.parametrize("share", [0.1, 0.3, 0.7])
def test_about_the_share_of_the_long_words_is_chosen(share: float) -> None:
    text = " ".join(["neutrality", "pact", "is"] * 3_000)
    after = misspell(text, share, random.Random(7)).split()
    changed = sum(word not in ("neutrality", "pact", "is") for word in after)
    assert changed / 3_000 == pytest.approx(share, abs=0.12 * share + 0.02)


def test_every_kind_of_slip_is_made() -> None:
    rng = random.Random(3)
    made = {misspell("planet", 1.0, rng) for _ in range(600)}
    assert {len(word) for word in made} == {5, 6, 7}
    assert any(sorted(word) == sorted("planet") and word != "planet" for word in made)  # swapped
    assert any(len(word) == 6 and sorted(word) != sorted("planet") for word in made)  # replaced


@relaxed
@given(spoken, st.floats(0, 1), seeds)
def test_the_same_seed_gives_the_same_slips(text: str, share: float, seed: int) -> None:
    once = misspell(text, share, random.Random(seed))
    assert once == misspell(text, share, random.Random(seed))


def test_another_seed_gives_other_slips() -> None:
    text = "sovereign neutrality treaties between neighbouring countries"
    assert len({misspell(text, 0.5, random.Random(seed)) for seed in range(20)}) > 10


def test_digits_and_punctuation_are_left_and_count_for_nothing() -> None:
    text = "1234567890 ?!?!?!?! a1b2c3d4 v2.0.1"
    assert misspell(text, 1.0, random.Random(1)) == text
