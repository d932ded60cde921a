"""Vectors of a guild's phrasings: the most similar one of each thread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.phrasings import LearnedPhrasing
from bot.search.semantic import retrieval as module
from bot.search.semantic.embedder import Embedder
from bot.search.semantic.retrieval import PhrasingVectors, SemanticIndex

HERE = 111


@pytest.fixture
def semantic(usual: Embedder, tmp_path: Path) -> SemanticIndex:
    return SemanticIndex(usual, tmp_path / "neighbours", "library")


def learned(semantic: SemanticIndex, *pairs: tuple[int, str], model: str | None = None):
    """Phrasings as the store gives them, with their vectors."""
    rows = semantic.pack_texts([text for _, text in pairs])
    return [
        LearnedPhrasing(
            id=number,
            guild_id=HERE,
            thread_id=thread_id,
            key=f"t{thread_id}",
            title="A title",
            text=text,
            user_id=1,
            message_id=1,
            model=model or semantic.model,
            vector=row,
        )
        for number, ((thread_id, text), row) in enumerate(zip(pairs, rows, strict=True), 1)
    ]


def test_the_likest_phrasing_of_each_thread_counts(
    usual: Embedder, semantic: SemanticIndex
) -> None:
    said = [(7, "my loaf is like a brick"), (3, "when to sow carrots"), (7, "the oven is broken")]
    asked = usual.question("our bread came out hard")
    found = semantic.phrasing_vectors(learned(semantic, *said)).cosines(asked)
    each = usual.texts([text for _, text in said]) @ asked
    assert found == {
        7: pytest.approx(max(each[0], each[2]), abs=0.003),
        3: pytest.approx(each[1], abs=0.003),
    }


def test_those_without_a_vector_of_this_model_say_nothing(semantic: SemanticIndex) -> None:
    asked = semantic.question("bread")
    others = learned(semantic, (1, "bread"), model="another@1")
    assert semantic.phrasing_vectors(others).cosines(asked) == {}
    assert semantic.phrasing_vectors([]).cosines(asked) == {}
    bare = LearnedPhrasing(
        id=1, guild_id=HERE, thread_id=1, key="t1", title="", text="bread", user_id=1, message_id=1
    )
    assert semantic.phrasing_vectors([bare]).cosines(asked) == {}


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=20), st.integers(0, 99))
def test_any_order_of_threads_gives_the_same(thread_ids: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.integers(-100, 100, (len(thread_ids), 4)).astype(np.int8)
    question = random.normal(size=4).astype(np.float32)
    best: dict[int, float] = {}
    for thread_id, row in zip(thread_ids, rows.astype(float), strict=True):
        best[thread_id] = max(float(row @ question) / 2, best.get(thread_id, -np.inf))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "AT_ONCE", 3)
        found = PhrasingVectors(thread_ids, rows, 2.0).cosines(question)
    assert found == pytest.approx(best, rel=1e-4, abs=1e-3)
