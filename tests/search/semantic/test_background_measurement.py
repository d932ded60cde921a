"""The background of a library: what is measured, of what, and when the model can't read it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bot.models import SHARED, StoredThread, VectorStage
from bot.search.background import TYPICAL, Background
from bot.search.documents import indexed
from bot.search.engine import Engine
from bot.search.semantic import embedder
from bot.search.semantic.embedder import Embedder, Vectors
from bot.search.semantic.retrieval import SemanticIndex
from bot.search.unrelated import UNRELATED
from tests.kit.search import GARDEN, KOREAN, SEVENTY, numbered, thread

HERE, THERE = 111, 222

CODE = ("ImportError: No module named foo", "git rebase -i HEAD~3", "SELECT * FROM users;")


@pytest.fixture
def usual(usual_model: None) -> Embedder:
    """The usual model, which runs each text once in all of these tests."""
    return embedder.load("", Path("never-used"))


def library(folder: Path, model: Embedder, threads: Sequence[StoredThread]) -> Engine:
    engine = Engine(folder / "index", "library", SemanticIndex(model, folder / "near", "library"))
    add(engine, threads, 1)
    return engine


def add(engine: Engine, threads: Sequence[StoredThread], seq: int) -> None:
    assert engine.semantic is not None
    with engine.writing() as writing:
        writing.put(map(indexed, threads))
        writing.commit(seq)
    engine.refresh()
    packed = [b""] * len(threads)
    for stage in VectorStage:
        packed = [data for _, data in engine.semantic.pack(stage, threads, packed)]
    rows = {t.id: {t.scope: data} for t, data in zip(threads, packed, strict=True)}
    engine.semantic.update(rows, [], seq)


def measured(engine: Engine, guild: int = SHARED) -> Background:
    deque(engine.measure_background(guild), 0)
    found = engine.background(guild)
    assert found is not None
    return found


def sure(engine: Engine, question: str, guild: int = SHARED) -> float:
    return engine.search(question, guild, 1)[0].confidence


def test_unrelated_questions_lie_below_those_of_the_field(tmp_path: Path, usual: Embedder) -> None:
    engine = library(tmp_path, usual, [*numbered((*GARDEN, *SEVENTY))])
    background = measured(engine)
    assert -0.1 < background.unrelated < 0.4
    assert background.field > 0.2
    assert background.readable
    for other in UNRELATED["en"]:
        assert sure(engine, other) < 0.55, other
    assert sure(engine, "which dung do blueberries like") > 0.5


def test_it_is_the_same_whenever_it_is_measured(tmp_path: Path, usual: Embedder) -> None:
    engine = library(tmp_path, usual, [*numbered(SEVENTY)])
    first = measured(engine)
    assert measured(engine) == first
    before = sure(engine, "repair a broken kettle")
    vectors = SemanticIndex(usual, tmp_path / "near", "library")
    assert vectors.backgrounds.get((SHARED,)) == first  # written down
    other = library(tmp_path / "copy", usual, [*numbered(SEVENTY)])
    assert measured(other) == first
    assert sure(other, "repair a broken kettle") == before


def test_a_server_knows_nothing_of_what_others_have(tmp_path: Path, usual: Embedder) -> None:
    own = [*numbered(GARDEN, scope=HERE, start=100)]
    engine = library(tmp_path, usual, [*numbered(SEVENTY[:20]), *own])
    before = measured(engine, HERE), measured(engine)
    assert before[0] != before[1]
    add(engine, [*numbered(KOREAN * 4, scope=THERE, start=200)], 2)
    assert (measured(engine, HERE), measured(engine)) == before


def test_it_is_to_be_measured_anew_when_the_library_has_grown_by_a_fifth(
    tmp_path: Path, usual: Embedder
) -> None:
    engine = library(tmp_path, usual, [*numbered(SEVENTY[:20])])
    assert engine.background(SHARED) is None
    measured(engine)
    add(engine, [*numbered(GARDEN[:4], start=100)], 2)
    assert engine.background(SHARED) is not None
    add(engine, [*numbered(GARDEN[4:], start=104)], 3)
    assert engine.background(SHARED) is None
    assert measured(engine).threads == 26


def test_the_search_notes_who_asks_without_a_background(tmp_path: Path, usual: Embedder) -> None:
    engine = library(tmp_path, usual, [*numbered(SEVENTY[:20])])
    engine.search("kettle", SHARED, 1)
    assert engine.unmeasured == {SHARED}
    measured(engine)
    engine.search("kettle", SHARED, 1)
    assert engine.unmeasured == set()
    add(engine, [*numbered(GARDEN, start=100)], 2)
    engine.search("kettle", HERE, 1)
    assert engine.unmeasured == {HERE}  # it sees the same, which has grown
    deque(engine.measure_background(SHARED), 0)
    engine.search("kettle", HERE, 1)
    assert engine.unmeasured == set()


def test_the_questions_about_other_fields_go_through_the_model_once(
    tmp_path: Path, usual: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = library(tmp_path, usual, [*numbered(SEVENTY[:20])])
    assert engine.semantic is not None
    asked: list[str] = []
    monkeypatch.setattr(usual, "question", noting(usual.question, asked))
    first = measured(engine)
    assert asked.count(UNRELATED["fi"][0]) == 1
    assert measured(engine) == first
    assert asked.count(UNRELATED["fi"][0]) == 1
    assert asked.count(SEVENTY[0]) >= 2


def noting(question: Callable[[str], Vectors], asked: list[str]) -> Callable[[str], Vectors]:
    def noted(text: str) -> Vectors:
        asked.append(text)
        return question(text)

    return noted


@pytest.mark.parametrize(
    "threads",
    [
        [thread(1, GARDEN[0])],
        [thread(n, GARDEN[0], "In winter.") for n in range(1, 101)],
        [*numbered((*GARDEN, *KOREAN))],
        [*numbered(CODE)],
    ],
    ids=["one thread", "copies of one", "two languages", "code"],
)
def test_strange_libraries_have_sensible_backgrounds(
    tmp_path: Path, usual: Embedder, threads: list[StoredThread]
) -> None:
    engine = library(tmp_path, usual, threads)
    background = measured(engine)
    assert background.readable
    assert 0.0 <= background.field <= 0.6
    assert background.unrelated <= 0.95
    assert sure(engine, threads[0].title) > 0.6
    assert sure(engine, "who won the cup in 1974") < 0.5


def test_a_language_that_the_model_cannot_read_is_left_to_words(
    tmp_path: Path, usual: Embedder
) -> None:
    engine = library(tmp_path, usual, [*numbered(KOREAN)])
    assert engine.uses_meaning(SHARED)
    assert not measured(engine).readable
    assert not engine.uses_meaning(SHARED)
    assert engine.search("연체료는 얼마", SHARED, 1)[0].key == "t3"


def test_without_vectors_there_is_nothing_to_measure(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "index", "library")
    assert engine.background(SHARED) is TYPICAL
    assert list(engine.measure_background(SHARED)) == []


def test_a_restart_gives_the_same_confidences(tmp_path: Path, usual: Embedder) -> None:
    questions = ("repair a broken kettle", "who won the cup in 1974", "my bicycle needs paint")
    first = library(tmp_path, usual, [*numbered(SEVENTY)])
    background = measured(first)
    assert first.semantic is not None
    first.semantic.vector_index.save(all_changes=True)
    vectors = SemanticIndex(usual, tmp_path / "near", "library")
    again = Engine(tmp_path / "index", "library", vectors)
    assert again.uses_meaning(SHARED)
    assert again.background(SHARED) == background
    for question in questions:
        assert again.search(question, SHARED, 5) == first.search(question, SHARED, 5)


def test_a_server_is_as_sure_whatever_others_upload(tmp_path: Path, usual: Embedder) -> None:
    engine = library(tmp_path, usual, [*numbered(GARDEN, scope=HERE, start=100)])
    measured(engine, HERE)
    asked = ("which dung do blueberries like", "who won the cup in 1974")
    before = [sure(engine, question, HERE) for question in asked]
    add(engine, [*numbered(SEVENTY[:30], scope=THERE, start=200)], 2)
    measured(engine, THERE)
    measured(engine, HERE)
    assert [sure(engine, question, HERE) for question in asked] == before


def test_forty_threads_with_an_answer_are_as_sure_as_one_with_phrasings(
    tmp_path: Path, usual: Embedder
) -> None:
    ways = [f"Where do I find the key of house {n}?" for n in range(40)]
    flat = [thread(n, way, "Under the mat.") for n, way in enumerate(ways, 100)]
    one = [thread(100, ways[0], "Under the mat.", phrasings=tuple(ways[1:]))]
    others = [*numbered((*GARDEN, *SEVENTY[:20]))]
    engines = [
        library(tmp_path / name, usual, [*threads, *others])
        for name, threads in (("many", flat), ("one", one))
    ]
    for question in ("where is the key of house 7?", "I can't get into house 12, who has the key?"):
        found = []
        for engine in engines:
            measured(engine)
            match, *rest = engine.search(question, SHARED, 9)
            assert not any(100 <= other.thread_id < 140 for other in rest)  # offered once
            found.append(match.confidence)
        assert found[0] == pytest.approx(found[1], abs=0.1), question
