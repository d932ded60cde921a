"""Groups: threads with the same answers, and duplicates, count together."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.models import SHARED
from bot.search.documents import Hit, answers_digest
from bot.search.groups import POOL, group_numbers, pooled
from bot.search.text import Name
from tests.kit.search import GARDEN, engine_with, numbered, thread


def hit(number: int, *names: str, answers: str = "") -> Hit:
    return Hit(number, f"t{number}", tuple(map(Name.of, names)), 1.0, answers)


@pytest.mark.parametrize(
    ("hits", "numbers"),
    [
        ([hit(1, "one", answers="a"), hit(2, "two"), hit(3, "three", answers="a")], [0, 1, 0]),
        ([hit(1, "one", answers="a"), hit(2, "two", answers="b")], [0, 1]),
        ([hit(1, "How to stop?"), hit(2, "What now?", "how to stop")], [0, 0]),
        ([hit(1, "What now?", "how to stop"), hit(2, "How to stop?")], [0, 0]),
        ([hit(1, "one", "the same"), hit(2, "two", "the same")], [0, 1]),  # members differ
        ([hit(1, "one"), hit(2, "one")], [0, 1]),  # asked twice, answered otherwise
        ([hit(1, "a", "b"), hit(2, "b", "c"), hit(3, "c"), hit(4, "d")], [0, 0, 0, 3]),
        ([hit(1, "?"), hit(2, "one", "?")], [0, 1]),  # no words
        ([], []),
    ],
)
def test_what_belongs_together(hits: list[Hit], numbers: list[int]) -> None:
    assert group_numbers(hits) == numbers


def test_answers_are_the_same_in_any_order_case_and_spacing() -> None:
    one = answers_digest(thread(1, "one", "Press  F1.", "Turn it off."))
    assert one == answers_digest(thread(2, "two", "turn it OFF.\n", "press F1."))
    assert one != answers_digest(thread(3, "three", "Press F1."))
    assert answers_digest(thread(4, "four")) == ""


def test_pooled_evidence_grows_with_its_members() -> None:
    assert pooled([0.5]) == pytest.approx(0.5)
    assert pooled([0.5, 0.5]) == pytest.approx(0.5 + POOL * 0.6931, abs=1e-4)
    assert pooled([0.5, -1.0]) == pytest.approx(0.5)


def test_one_answer_is_offered_once(tmp_path: Path) -> None:
    """With the thread that is asked most alike."""
    ways = ("Where do I paste the key?", "Which field takes the key?", "The key goes where?")
    same = [thread(n, way, "Into the third field.") for n, way in enumerate(ways, 50)]
    engine = engine_with(tmp_path / "index", [*same, *numbered(GARDEN)])
    assert [m.key for m in engine.search("which field takes the key", SHARED, 9)][:1] == ["t51"]
    assert sum(m.key in ("t50", "t51", "t52") for m in engine.search("key", SHARED, 9)) == 1
    assert {r.hit.key for r in engine.candidates("key", SHARED, 9)} == {"t50", "t51", "t52"}


def test_many_threads_with_an_answer_are_as_sure_as_one_with_phrasings(tmp_path: Path) -> None:
    ways = [f"Where do I find the key of house {n}?" for n in range(40)]
    flat = [thread(n, way, "Under the mat.") for n, way in enumerate(ways, 50)]
    one = thread(50, ways[0], "Under the mat.", phrasings=tuple(ways[1:]))
    others = [*numbered(GARDEN)]
    many = engine_with(tmp_path / "many" / "index", [*flat, *others])
    alone = engine_with(tmp_path / "one" / "index", [one, *others])
    question = "where is the key of house 7?"
    sure = [e.search(question, SHARED, 1)[0].confidence for e in (many, alone)]
    assert sure[0] == pytest.approx(sure[1], abs=0.1)
