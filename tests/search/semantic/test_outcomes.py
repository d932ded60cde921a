"""What thresholds mean on a library: which of its questions are answered from them on."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest

from bot.search.background import Background, Outcomes
from bot.search.background_file import BackgroundFile
from bot.search.semantic.embedder import Embedder, Vectors
from bot.search.unrelated import UNRELATED
from tests.kit.paths import ROOT
from tests.kit.search import GARDEN, SEVENTY, numbered, thread
from tests.search.semantic.test_background_measurement import library, measured


@pytest.mark.parametrize(
    ("threshold", "shares"),
    [
        (0.0, (0.75, 1.0)),
        (0.45, (0.75, 0.5)),
        (0.6, (0.5, 0.5)),
        (0.75, (0.25, 0.0)),
        (1.0, (0.0, 0.0)),
    ],
)
def test_shares_are_those_that_reach_the_threshold(
    threshold: float, shares: tuple[float, float]
) -> None:
    outcomes = Outcomes.of([0.0, 0.45, 0.6, 0.99], [0.02, 0.6])
    assert outcomes.answered(threshold) == shares


def test_questions_with_an_answer_are_told_from_those_without(
    tmp_path: Path, usual: Embedder
) -> None:
    seeds = sorted((ROOT / "seeds").glob("*.txt"))
    engine = library(
        tmp_path, usual, [*numbered(seed.read_text().split("\n")[0] for seed in seeds)]
    )
    outcomes = measured(engine).outcomes
    assert outcomes is not None
    assert sum(outcomes.known) >= 30
    assert sum(outcomes.unknown) >= 30 + len(UNRELATED["en"])
    cautious, balanced, talkative = map(outcomes.answered, (0.75, 0.6, 0.45))
    assert cautious[0] <= balanced[0] <= talkative[0]
    assert cautious[1] <= balanced[1] <= talkative[1]
    assert balanced[0] > balanced[1]
    assert measured(engine).outcomes == outcomes


def test_wrong_first_matches_are_no_right_answers(tmp_path: Path, usual: Embedder) -> None:
    # Each half of these titles is that of seven or ten threads.
    outcomes = measured(library(tmp_path, usual, [*numbered(SEVENTY)])).outcomes
    assert outcomes is not None
    assert outcomes.known[0] >= 10
    assert outcomes.answered(0.0)[0] < 0.8


def test_threads_with_the_same_answer_are_left_out_too(tmp_path: Path, usual: Embedder) -> None:
    threads = [thread(n, title, f"{title} So.") for n, title in enumerate(GARDEN * 3, 1)]
    outcomes = measured(library(tmp_path, usual, threads)).outcomes
    assert outcomes is not None
    assert outcomes.answered(0.6)[1] < 0.5


def test_few_threads_tell_nothing(tmp_path: Path, usual: Embedder) -> None:
    background = measured(library(tmp_path, usual, [*numbered(SEVENTY[:3])]))
    assert background.outcomes is None
    assert background.language in UNRELATED


def test_it_asks_the_model_some_hundred_questions_at_most(
    tmp_path: Path, usual: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = library(tmp_path, usual, [*numbered((*GARDEN, *SEVENTY))])
    assert engine.semantic is not None
    asked: list[str] = []
    begin = engine.semantic.begin

    def noted(text: str) -> Future[Vectors]:
        asked.append(text)
        return begin(text)

    monkeypatch.setattr(engine.semantic, "begin", noted)
    assert measured(engine).outcomes is not None
    assert 60 < len(asked) <= 100


def test_they_are_kept(tmp_path: Path) -> None:
    background = Background(0.2, 0.3, language="en", outcomes=Outcomes.of([0.7], [0.1, 0.2]))
    BackgroundFile(tmp_path, "library", "model").put((0,), background)
    assert BackgroundFile(tmp_path, "library", "model").get((0,)) == background
