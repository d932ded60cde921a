"""Autocomplete: titles for what someone is typing, half-typed and misspelt as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models import SHARED
from bot.search.engine import Engine
from tests.kit.search import GARDEN, SEVENTY, engine_with, numbered, thread

HERE, THERE = 111, 222  # guilds


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_with(tmp_path_factory.mktemp("typing") / "index", numbered(GARDEN))


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    titles = numbered([*GARDEN, *SEVENTY])
    return engine_with(tmp_path_factory.mktemp("both") / "index", titles)


def first(engine: Engine, text: str) -> str:
    return engine.complete(text, SHARED, 5)[0].title


@pytest.mark.parametrize("title", GARDEN)
def test_a_whole_title_is_completed_to_itself(both: Engine, title: str) -> None:
    assert first(both, title) == title
    assert first(both, title.upper()) == title
    assert first(both, title.lower().rstrip("?")) == title


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("How do I pru", 0),
        ("how do i prune an app", 0),
        ("whEN sHOuld t", 1),
        ("tomat", 1),
        ("cuc", 2),
        ("compost he", 3),
        ("blueb", 4),
        ("slugs away", 5),
        ("  slugs  ", 5),
    ],
)
def test_a_beginning_or_a_half_typed_word_is_enough(both: Engine, typed: str, number: int) -> None:
    assert first(both, typed) == GARDEN[number]


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("tomatose", 1),
        ("tmoatoes", 1),
        ("cucumbr", 2),
        ("cucmb", 2),  # a slip in a word that is not finished
        ("fertilsi", 4),
        ("bluebrries", 4),
        ("copmost hea", 3),
        ("prnue aplpe tre", 0),
        ("leavse of my cucum", 2),
    ],
)
def test_slips_are_forgiven_in_finished_and_unfinished_words(
    both: Engine, typed: str, number: int
) -> None:
    assert first(both, typed) == GARDEN[number]


@pytest.mark.parametrize("title", [GARDEN[2], GARDEN[4], SEVENTY[5], SEVENTY[68]])
def test_a_title_is_offered_from_the_third_of_its_words_on(both: Engine, title: str) -> None:
    spoken = title.split()
    for count in range(3, len(spoken) + 1):
        typed = " ".join(spoken[:count])
        offered = [match.title for match in both.complete(typed, SHARED, 25)]
        similar = [t for t in (*GARDEN, *SEVENTY) if t.startswith(typed)]
        assert title in offered or len(similar) > 25, typed


def test_what_starts_so_comes_before_what_contains_it(tmp_path: Path) -> None:
    titles = ("A note on pruning roses", "Pruning roses", "When is pruning roses wise?")
    engine = engine_with(tmp_path / "index", numbered(titles))
    assert first(engine, "pruning ro") == "Pruning roses"


@pytest.mark.parametrize("typed", ["", "   ", "?", "🎉", "<@123>"])
def test_before_anything_is_typed_some_titles_are_offered(garden: Engine, typed: str) -> None:
    matches = garden.complete(typed, SHARED, 4)
    assert len(matches) == 4
    assert {match.title for match in matches} <= set(GARDEN)


def test_the_limit_is_kept(both: Engine) -> None:
    for limit in (1, 5, 25):
        assert len(both.complete("how do i", SHARED, limit)) == limit
        assert len(both.complete("", SHARED, limit)) == limit


def test_what_resembles_no_title_gets_none(garden: Engine) -> None:
    assert garden.complete("xylophone", SHARED, 5) == []
    assert garden.complete("qqq", SHARED, 5) == []


def test_an_unknown_word_does_not_spoil_the_others(garden: Engine) -> None:
    assert first(garden, "xylophone slugs") == GARDEN[5]


def test_a_match_says_how_much_of_the_text_it_has(both: Engine) -> None:
    matches = both.complete("how do i repair the pia", SHARED, 25)
    likeness = [match.confidence for match in matches]
    assert likeness == sorted(likeness, reverse=True)
    assert all(0.0 <= one <= 1.0 for one in likeness)
    assert matches[0].title == "How do I repair the piano of a friend?"


def test_titles_of_another_guild_are_never_offered(tmp_path: Path) -> None:
    engine = engine_with(
        tmp_path / "index",
        [
            *numbered(GARDEN),
            thread(50, "Secret shed of here", scope=HERE),
            thread(51, "Secret cellar of there", scope=THERE),
        ],
    )

    def keys(typed: str, guild_id: int) -> set[str]:
        return {match.key for match in engine.complete(typed, guild_id, 25)}

    for typed in ("secr", "sercet", ""):
        assert keys(typed, SHARED) & {"t50", "t51"} == set()
        assert keys(typed, HERE) & {"t50", "t51"} == {"t50"}
        assert keys(typed, THERE) & {"t50", "t51"} == {"t51"}


def test_another_wording_of_a_thread_is_completed_too(tmp_path: Path) -> None:
    phrased = thread(50, "Maintenance of pomes", phrasings=("sharpening secateurs",))
    engine = engine_with(tmp_path / "index", [*numbered(GARDEN), phrased])
    assert first(engine, "sharpening sec") == "Maintenance of pomes"


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(GARDEN), st.integers(0, 60))
def test_any_beginning_that_names_a_thing_offers_the_title(
    garden: Engine, title: str, cut: int
) -> None:
    typed = title[:cut]
    offered = [match.title for match in garden.complete(typed, SHARED, len(GARDEN))]
    assert title in offered
