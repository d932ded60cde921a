"""A guild's phrasings beside the index: found there, and changing nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models import SHARED, LearnedPhrasing
from bot.search.engine import Engine
from bot.search.guild_phrasings import CONFIRMED, NO_PHRASINGS, GuildPhrasings
from tests.kit.search import GARDEN, engine_with, numbered, thread

HERE = 111

APPLE, TOMATO, SLUGS = 1, 2, 6  # threads of GARDEN


def phrasing(thread_id: int, text: str, number: int = 1) -> LearnedPhrasing:
    return LearnedPhrasing(
        id=number,
        guild_id=HERE,
        thread_id=thread_id,
        key=f"t{thread_id}",
        title=GARDEN[thread_id - 1],
        text=text,
        user_id=1,
        message_id=1,
    )


def taught(*pairs: tuple[int, str]) -> GuildPhrasings:
    return GuildPhrasings(
        phrasing(thread_id, text, n) for n, (thread_id, text) in enumerate(pairs, 1)
    )


@pytest.fixture(scope="module")
def garden(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return engine_with(tmp_path_factory.mktemp("garden") / "index", numbered(GARDEN))


def found(engine: Engine, question: str, known: GuildPhrasings = NO_PHRASINGS) -> list[str]:
    return [match.key for match in engine.search(question, HERE, 10, known)]


def test_a_thread_is_found_by_words_that_only_members_use(garden: Engine) -> None:
    snails = taught((SLUGS, "molluscs munch my greens"))
    assert found(garden, "munching molluscs") == []
    assert found(garden, "munching molluscs", snails)[0] == "t6"


def test_the_very_same_words_are_sure(garden: Engine) -> None:
    known = taught((TOMATO, "how do i prune an apple tree in winter, in a pot"))
    question = "How do I prune an apple tree in winter - in a pot?"
    assert found(garden, question)[0] == "t1"
    best, second, *_ = garden.search(question, HERE, 10, known)
    assert (best.key, best.confidence >= CONFIRMED) == ("t2", True)
    assert second.key == "t1"
    assert second.confidence <= best.confidence


def test_the_same_words_for_two_threads_are_not_sure(garden: Engine) -> None:
    both = taught((APPLE, "molluscs munch it"), (SLUGS, "molluscs munch it"))
    matches = garden.search("molluscs munch it", HERE, 10, both)
    assert {match.key for match in matches[:2]} == {"t1", "t6"}
    assert matches[0].confidence < CONFIRMED


def test_similar_words_make_a_thread_likelier(garden: Engine) -> None:
    known = taught((SLUGS, "molluscs munch my greens"))
    question = "which molluscs eat greens"
    before = {m.key: m.confidence for m in garden.search(question, HERE, 10)}
    after = {m.key: m.confidence for m in garden.search(question, HERE, 10, known)}
    assert after["t6"] > before.get("t6", 0.0) + 0.2


def test_each_thread_is_there_once(garden: Engine) -> None:
    known = taught(
        (SLUGS, "keep slugs off the lettuce"), (SLUGS, "slugs again"), (APPLE, "slugs on apples")
    )
    keys = found(garden, "slugs lettuce", known)
    assert len(keys) == len(set(keys))
    assert keys[0] == "t6"


def test_a_word_that_the_library_would_repair_is_understood_as_taught(tmp_path: Path) -> None:
    titles = ["How do I water the plants?", "How do I plait my hair?"]
    engine = engine_with(tmp_path / "index", numbered(titles))
    known = GuildPhrasings([phrasing(2, "plantz")])  # a name, as it happens
    assert found(engine, "plantz")[0] == "t1"
    assert found(engine, "plantz", known)[0] == "t2"


def test_other_questions_are_read_and_ranked_as_before(garden: Engine) -> None:
    known = taught((SLUGS, "molluscs munch my greens"))
    for question in GARDEN:
        assert garden.search(question, HERE, 3, known)[0] == garden.search(question, HERE, 3)[0]


def test_autocomplete_knows_nothing_of_it(garden: Engine) -> None:
    assert [match.key for match in garden.complete("mollus", HERE, 10)] == []


def test_threads_of_other_scopes_stay_out(tmp_path: Path) -> None:
    threads = [*numbered(GARDEN), thread(9, "A secret of slugs", scope=222)]
    engine = engine_with(tmp_path / "index", threads)
    assert "t9" not in found(engine, "slugs", taught((SLUGS, "slugs")))


WORDS = st.lists(st.sampled_from("slug apple molluscs how tree munch tomato".split()), max_size=6)


@settings(deadline=None, max_examples=60)
@given(
    lessons=st.lists(st.tuples(st.sampled_from([APPLE, TOMATO, SLUGS]), WORDS), max_size=8),
    question=WORDS,
)
def test_whatever_is_taught(garden: Engine, lessons: list[tuple[int, list[str]]], question) -> None:
    """One match a thread, confidence in [0, 1] and falling, nothing lost by learning."""
    said = " ".join(question)
    known = taught(*((thread_id, " ".join(words)) for thread_id, words in lessons))
    matches = garden.search(said, HERE, 100, known)
    keys = [match.key for match in matches]
    assert len(keys) == len(set(keys))
    assert set(keys) >= {match.key for match in garden.search(said, SHARED, 100)}
    levels = [match.confidence for match in matches]
    assert levels == sorted(levels, reverse=True)
    assert all(0.0 <= level <= 1.0 for level in levels)
    exact = {thread_id for thread_id, words in lessons if words == question}
    if set(question) - {"how"} and len(exact) == 1:
        assert keys[0] == f"t{exact.pop()}"
