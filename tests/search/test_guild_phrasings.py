"""A guild's phrasings beside the index: found there, and changing nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models import SHARED
from bot.phrasings import LearnedPhrasing
from bot.search.engine import Engine
from bot.search.guild_phrasings import (
    MAX_UNTAUGHT_CONFIDENCE,
    NO_PHRASINGS,
    TAUGHT_CONFIDENCE,
    GuildPhrasings,
)
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
    assert (best.key, best.confidence >= TAUGHT_CONFIDENCE) == ("t2", True)
    assert second.key == "t1"
    assert second.confidence <= best.confidence


LESSON = "which molluscs munch my greenery at night"


@pytest.mark.parametrize(
    "said",
    [
        "Which molluscs munch my greenery at night?",
        "which do molluscs munch my greenery at the night",  # articles and auxiliaries aside
        "which mollusks munch my greenery at night",
        "which molluscs munch my grenery at nihgt",
    ],
)
def test_the_same_words_are_sure_whatever_slips(garden: Engine, said: str) -> None:
    best = garden.search(said, HERE, 10, taught((SLUGS, LESSON)))[0]
    assert best.key == "t6"
    assert best.confidence >= TAUGHT_CONFIDENCE


@pytest.mark.parametrize(
    ("lesson", "said"),
    [
        (LESSON, "which molluscs munch your greenery at night"),
        (LESSON, "at night which molluscs munch my greenery"),
        ("where is Gambia in the greenhouse", "where is Zambia in the greenhouse"),
        ("what grows in Austria", "what grows in Australia"),
        ("what bloomed here in 1984", "what bloomed here in 1985"),
        ("when do I eat a plum", "when do I eat a plus"),  # short words differ
        ("is a Pflaume ripe", "is a Pflaumen ripe and sweet"),
    ],
)
def test_other_words_are_not_slips(garden: Engine, lesson: str, said: str) -> None:
    known = taught((SLUGS, lesson))
    assert garden.search(lesson, HERE, 10, known)[0].confidence >= TAUGHT_CONFIDENCE
    slugs = [m.confidence for m in garden.search(said, HERE, 10, known) if m.key == "t6"]
    assert max(slugs, default=0.0) <= MAX_UNTAUGHT_CONFIDENCE


def test_two_words_of_the_library_are_not_slips_of_each_other(tmp_path: Path) -> None:
    engine = engine_with(tmp_path / "index", numbered(["All about grapes", "All about graves"]))
    known = GuildPhrasings([phrasing(1, "where are the oldest grapes")])
    assert (
        engine.search("where are the oldest grapes", HERE, 5, known)[0].confidence
        == TAUGHT_CONFIDENCE
    )
    graves = engine.search("where are the oldest graves", HERE, 5, known)
    assert all(match.confidence <= MAX_UNTAUGHT_CONFIDENCE for match in graves if match.key == "t1")


def test_what_is_not_confirmed_counts_for_its_teachers_in_its_words(garden: Engine) -> None:
    new = replace(phrasing(SLUGS, LESSON), confirmed=False, teachers=(7, 8))
    known = GuildPhrasings([new])
    for asker in (7, 8):
        theirs = known.asked_by(asker)
        assert garden.search(LESSON, HERE, 10, theirs)[0].confidence == TAUGHT_CONFIDENCE
        assert found(garden, "munching molluscs", theirs) == []
    for stranger in (9, None):
        assert garden.search(LESSON, HERE, 10, known.asked_by(stranger)) == garden.search(
            LESSON, HERE, 10
        )


def test_other_words_never_make_it_certain(garden: Engine) -> None:
    known = taught((SLUGS, "how do molluscs munch my winter greens"))
    question = "how do molluscs munch my greens"
    assert garden.search(question, HERE, 10)[0].confidence < MAX_UNTAUGHT_CONFIDENCE
    best = garden.search(question, HERE, 10, known)[0]
    assert (best.key, best.confidence) == ("t6", MAX_UNTAUGHT_CONFIDENCE)


def test_a_thread_that_is_sure_without_phrasings_stays_so(garden: Engine) -> None:
    plain = garden.search(GARDEN[SLUGS - 1], HERE, 10)
    assert plain[0].confidence > MAX_UNTAUGHT_CONFIDENCE
    for thread_id in (SLUGS, TOMATO):
        known = taught((thread_id, f"{GARDEN[SLUGS - 1]} please, anybody"))
        assert (
            garden.search(GARDEN[SLUGS - 1], HERE, 10, known)[0].confidence
            > MAX_UNTAUGHT_CONFIDENCE
        )
        assert found(garden, GARDEN[SLUGS - 1], known)[0] == "t6"


def test_the_same_words_for_two_threads_are_not_sure(garden: Engine) -> None:
    both = taught((APPLE, "molluscs munch it"), (SLUGS, "molluscs munch it"))
    matches = garden.search("molluscs munch it", HERE, 10, both)
    assert {match.key for match in matches[:2]} == {"t1", "t6"}
    assert matches[0].confidence < TAUGHT_CONFIDENCE


def test_what_a_helper_kept_goes_before_what_members_agree_upon(garden: Engine) -> None:
    said = "molluscs munch it"
    kept = replace(phrasing(SLUGS, said, 2), kept=True)
    known = GuildPhrasings([phrasing(APPLE, said), kept])
    first = garden.search(said, HERE, 10, known)[0]
    assert (first.key, first.confidence) == ("t6", TAUGHT_CONFIDENCE)
    own = GuildPhrasings([replace(phrasing(APPLE, said), teachers=(7,)), kept]).asked_by(7)
    assert garden.search(said, HERE, 10, own)[0].key == "t1"  # one's own goes before both


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
