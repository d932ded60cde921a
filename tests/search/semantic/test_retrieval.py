"""Threads as vectors: what is read of them, how they are packed, how they compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.models import MAX_PHRASINGS, SHARED, StoredAnswer, StoredThread, VectorStage
from bot.search.semantic.embedder import Embedder, Vectors
from bot.search.semantic.retrieval import MAX_TEXT, SemanticIndex
from tests.kit.search import GARDEN, numbered, thread

HERE, THERE = 111, 222
QUESTIONS = ("my plants are turning pale", "snails eat my salad", "when to cut fruit trees")


class Watched(Embedder):
    """Counts what it is handed."""

    def __init__(self, real: Embedder):
        self.name, self.dimensions, self._model = real.name, real.dimensions, real._model
        self.handed: list[str] = []

    def texts(self, texts: Sequence[str]) -> Vectors:
        self.handed += texts
        return super().texts(texts)


@pytest.fixture
def watched(usual: Embedder) -> Watched:
    return Watched(usual)


@pytest.fixture
def semantic(watched: Watched, tmp_path: Path) -> SemanticIndex:
    return SemanticIndex(watched, tmp_path / "neighbours", "library")


def pack(semantic: SemanticIndex, threads: Sequence[StoredThread]) -> list[bytes]:
    """What the store keeps of threads after all stages."""
    packed = [b""] * len(threads)
    for stage in VectorStage:
        packed = [data for _, data in semantic.pack(stage, threads, packed)]
    return packed


def update(semantic: SemanticIndex, *threads: StoredThread) -> None:
    packed = pack(semantic, threads)
    rows = {t.id: {t.scope: data} for t, data in zip(threads, packed, strict=True)}
    semantic.update(rows, [], 1)


def cosine(semantic: SemanticIndex, question: str, thread_id: int, scope: int = SHARED) -> float:
    return semantic.cosines(semantic.question(question), [thread_id], [scope])[thread_id]


@pytest.mark.parametrize("question", QUESTIONS)
def test_eight_bits_keep_the_cosine(
    usual: Embedder, semantic: SemanticIndex, question: str
) -> None:
    threads = [replace(t, body=f"So I ask: {t.title}") for t in numbered(GARDEN)]
    update(semantic, *threads)
    asked = usual.question(question)
    for t in threads:
        title, whole = usual.texts([t.title, f"{t.title}. {t.body}"]) @ asked
        assert cosine(semantic, question, t.id) == pytest.approx((title + whole) / 2, abs=0.003)


def test_the_nearest_thread_is_found_by_other_words(semantic: SemanticIndex) -> None:
    update(semantic, *numbered(GARDEN))
    asked = semantic.question("snails eat my salad")
    assert semantic.near(asked, [SHARED], 3)[0] == 6
    cosines = semantic.cosines(asked, range(1, 7), [SHARED])
    assert max(cosines, key=cosines.__getitem__) == 6


def test_a_thread_without_a_body_is_read_by_the_answer_that_stands_for_it(
    watched: Watched, semantic: SemanticIndex
) -> None:
    bare = thread(1, "It is broken")
    answers = (
        StoredAnswer(id=1, body="Turn the kettle off.", score=9),
        StoredAnswer(id=2, body="Descale the kettle.", score=1, accepted=True),
    )
    pack(semantic, [replace(bare, answers=answers), bare, replace(bare, body="My kettle leaks.")])
    assert watched.handed == [
        "It is broken", "It is broken", "It is broken",
        "It is broken. Descale the kettle.", "It is broken. My kettle leaks.",
    ]  # fmt: skip


@pytest.mark.parametrize("below", ["Paris", "It is.", "  ", "?!", "🎉 🎉 🎉"])
def test_an_answer_of_a_word_or_two_says_nothing_of_the_question(
    watched: Watched, semantic: SemanticIndex, below: str
) -> None:
    title = "What is the capital of France?"
    answer = StoredAnswer(id=1, body=below)
    pack(semantic, [thread(1, title, body=below), replace(thread(2, title), answers=(answer,))])
    assert watched.handed == [title, title]


@pytest.mark.parametrize("below", ["In the north", "東京です", "Nachts um drei."])
def test_three_words_say_something(watched: Watched, semantic: SemanticIndex, below: str) -> None:
    pack(semantic, [thread(1, "Where?", body=below)])
    assert watched.handed == ["Where?", f"Where?. {below}"]


@pytest.mark.parametrize(
    ("phrasings", "body", "reached"),
    [
        ((), "", [3, 3, 3]),
        (("Why?",), "", [1, 3, 3]),
        ((), "It is too hot.", [2, 2, 3]),
        (("Why?",), "It is too hot.", [1, 2, 3]),
    ],
)
def test_a_stage_without_texts_counts_as_made(
    semantic: SemanticIndex, phrasings: tuple[str, ...], body: str, reached: list[int]
) -> None:
    this, data, stages = thread(1, "How?", phrasings=phrasings, body=body), b"", []
    for stage in VectorStage:
        ((now, data),) = semantic.pack(stage, [this], [data])
        stages.append(now)
    assert stages == reached
    assert len(data) == 384 * (1 + len(phrasings))


def test_a_stage_keeps_what_the_former_ones_made(usual: Embedder, semantic: SemanticIndex) -> None:
    this = thread(1, "How?", phrasings=("Why?", "What for?"), body="It is too hot.")
    rows, data = [], b""
    for stage in VectorStage:
        ((_, data),) = semantic.pack(stage, [this], [data])
        rows.append(np.frombuffer(data, np.int8).reshape(-1, 384))
    assert [len(r) for r in rows] == [1, 3, 3]
    assert (rows[0] == semantic.quantised(usual.texts(["How?"]))).all()
    assert (rows[1][0] == rows[0]).all()
    assert (rows[2][1:] == rows[1][1:]).all()
    assert (rows[2][0] != rows[0]).any()


def test_each_phrasing_has_a_row_and_the_likest_counts(semantic: SemanticIndex) -> None:
    plain = thread(1, "How do I reset the device?")
    told = thread(2, plain.title, phrasings=("My screen is frozen", "It plays no sound at all"))
    update(semantic, plain, told)
    rows = semantic.vector_index.rows([1, 2], [SHARED])
    assert [len(rows[1]), len(rows[2])] == [1, 2 + 1]
    assert cosine(semantic, "there is no sound", 2) > cosine(semantic, "there is no sound", 1) + 0.3
    assert cosine(semantic, plain.title, 2) == pytest.approx(cosine(semantic, plain.title, 1))
    asked = semantic.question("the screen froze")
    assert semantic.near(asked, [SHARED], 5)[0] == 2


def test_many_threads_packed_at_once_are_as_if_packed_alone(semantic: SemanticIndex) -> None:
    threads = [thread(n, t, phrasings=GARDEN[: n % 3]) for n, t in enumerate(GARDEN)]
    for t, data in zip(threads, pack(semantic, threads), strict=True):
        (alone,) = pack(semantic, [t])
        rows = (np.frombuffer(d, np.int8).astype(int) for d in (data, alone))
        assert np.abs(np.subtract(*rows)).max() <= 1


def test_no_threads_are_no_rows(semantic: SemanticIndex) -> None:
    assert pack(semantic, []) == semantic.pack_texts([]) == []
    assert semantic.cosines(semantic.question("why"), [], [SHARED]) == {}


@pytest.mark.parametrize(
    "huge",
    [
        thread(1, "A long one", body="story " * 35_000),
        thread(1, "Many answers", *(f"Answer {n} " * 20 for n in range(10_000))),
        thread(1, "All code", body="```py\n" + "x = [(i ** 2) % 7 for i in y]\n" * 9_000 + "```"),
        thread(1, "one word", body="x" * 200_000),
        thread(1, "A title without end " * 9_000),
        thread(1, "Phrased", phrasings=("in a very long way " * 9_000,)),
    ],
    ids=lambda t: str(t.title[:12]),
)
def test_a_huge_thread_takes_no_more_work_than_a_long_one(
    watched: Watched, semantic: SemanticIndex, huge: StoredThread
) -> None:
    (packed,) = pack(semantic, [huge])
    assert len(packed) == 384 * (1 + len(huge.phrasings))
    assert sum(map(len, watched.handed)) <= 4 * MAX_TEXT


def test_of_very_many_phrasings_the_first_ones_count(
    watched: Watched, semantic: SemanticIndex
) -> None:
    many = tuple(f"Way {n}" for n in range(3 * MAX_PHRASINGS))
    (packed,) = pack(semantic, [thread(1, "How?", phrasings=many)])
    assert len(packed) == 384 * (1 + MAX_PHRASINGS)
    assert len(watched.handed) == 1 + MAX_PHRASINGS


def test_a_guilds_own_thread_means_nothing_elsewhere(semantic: SemanticIndex) -> None:
    update(semantic, thread(1, "Where is the key?", scope=HERE), thread(2, "What is a key?"))
    asked = semantic.question("Where is the key?")
    assert set(semantic.near(asked, [SHARED, HERE], 5)) == {1, 2}
    assert semantic.near(asked, [SHARED, THERE], 5) == [2]
    assert semantic.cosines(asked, [1, 2], [SHARED, THERE]).keys() == {2}
