"""The floor under the matcher's quality, on open test sets and on real questions.

A fixed part of each set's queries is asked, so that it stays quick; the figures of the
whole sets are given by ``threadwise evaluate FOLDER``, with and without ``--typos 0.3``.
"""

from __future__ import annotations

import asyncio
import gzip
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from bot.app import App
from bot.evaluation.runner import Evaluation, evaluate
from bot.models import Reply, Thread, VectorStage, Verdict
from bot.search.semantic.retrieval import SemanticIndex
from bot.settings import Settings
from tests.kit.library import forget_environment
from tests.kit.paths import ROOT, SHARED

pytestmark = pytest.mark.untraced  # how well it matches is measured; each line is tested elsewhere

TEST_SETS = SHARED / "eval"
SEED_DOCUMENT = SHARED / "seeds" / "000_ef754c58233b510f.txt"

MOST_LOST = 0.06
"""The share of nDCG that slips in 30 % of the longer words may cost."""


@dataclass(frozen=True)
class Floor:
    """A test set, the queries of it that are asked, and the least nDCG@10."""

    name: str
    first: int
    every: int
    ndcg_at_10: float


# The third of travel-dups that measures most like the whole of it, and a quarter of covid-faq.
FLOORS = (Floor("travel-dups", 2, 3, 0.26), Floor("covid-faq", 0, 4, 0.74))

each_set = pytest.mark.parametrize("floor", FLOORS, ids=lambda floor: str(floor.name))
needs_test_sets = pytest.mark.skipif(
    not TEST_SETS.is_dir(), reason="the open test sets are not beside this repository"
)


@pytest.fixture(scope="module", autouse=True)
def _no_settings_from_outside(usual_model: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        forget_environment(patch)
        yield


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test sets with only a part of their queries."""
    place = tmp_path_factory.mktemp("sets")
    for floor in FLOORS:
        folder = TEST_SETS / floor.name
        (place / floor.name).mkdir()
        for file in ("corpus.jsonl.gz", "qrels.tsv"):
            shutil.copy(folder / file, place / floor.name)
        with gzip.open(folder / "queries.jsonl.gz", "rt", encoding="utf-8") as lines:
            queries = list(lines)[floor.first :: floor.every]
        (place / floor.name / "queries.jsonl").write_text("".join(queries), encoding="utf-8")
    return place


@cache
def measured(folder: Path, typos: float, model: str = "off") -> Evaluation:
    settings = Settings(_env_file=None, embedding_model=model)
    return asyncio.run(evaluate(folder, settings, typos=typos))


@needs_test_sets
@each_set
def test_a_part_of_the_queries_reaches_the_floor(part: Path, floor: Floor) -> None:
    assert measured(part / floor.name, 0.0).ndcg_at_10 >= floor.ndcg_at_10


@needs_test_sets
@each_set
def test_slips_in_a_third_of_the_long_words_cost_little_on_a_part_of_the_queries(
    part: Path, floor: Floor
) -> None:
    clean = measured(part / floor.name, 0.0).ndcg_at_10
    misspelt = measured(part / floor.name, 0.3).ndcg_at_10
    assert misspelt >= (1 - MOST_LOST) * clean


@pytest.fixture
def _vectors_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that is made a second time gets the vectors of the first."""
    real, known = SemanticIndex.pack, dict[str, list[tuple[VectorStage, bytes]]]()

    def remembered(
        self: SemanticIndex, stage: VectorStage, threads: Sequence[Thread], made: Sequence[bytes]
    ) -> list[tuple[VectorStage, bytes]]:
        asked = repr((stage, threads))
        if asked not in known:
            known[asked] = real(self, stage, threads, made)
        return known[asked]

    monkeypatch.setattr(SemanticIndex, "pack", remembered)


@needs_test_sets
@pytest.mark.usefixtures("_vectors_made_once")
def test_meaning_finds_more_than_words_misspelt_or_not(part: Path) -> None:
    by_words = measured(part / "covid-faq", 0.0)
    by_both, misspelt = (measured(part / "covid-faq", typos, "") for typos in (0.0, 0.3))
    assert by_both.ndcg_at_10 >= max(0.85, by_words.ndcg_at_10 + 0.02)
    assert misspelt.ndcg_at_10 >= 0.95 * by_both.ndcg_at_10


LONG_QUESTION = (
    "why did it take so long for japan and the soviets to sign a neutrality treaty after "
    "khalkhin gol"
)
MISSPELT_QUESTION = "sovjet japanese nutrality pact why 2 yaers"
EGG_QUESTION = "how do I boil an egg"


async def _ask_app(
    folder: Path, questions: tuple[str, ...], model: str = "off"
) -> dict[str, Reply]:
    settings = Settings(
        data_dir=folder / "data",
        seeds_dir=folder / "seeds",
        embedding_model=model,
        _env_file=None,
    )
    app = await App.open(settings)
    try:
        report = await app.load_seeds()
        assert report.ok
        await app.embedding.make()
        return {question: await app.answering.ask(question) for question in questions}
    finally:
        await app.close()


@pytest.fixture(scope="module", params=["with our seeds", "alone"])
def replies(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Reply]:
    """Ask a library that holds the seed document."""
    if not SEED_DOCUMENT.is_file():
        pytest.skip("the seed document is not beside this repository")
    folder = tmp_path_factory.mktemp("seeded")
    (folder / "seeds").mkdir()
    if request.param == "with our seeds":
        shutil.copytree(ROOT / "seeds", folder / "seeds", dirs_exist_ok=True)
    shutil.copy(SEED_DOCUMENT, folder / "seeds")
    questions = (LONG_QUESTION, MISSPELT_QUESTION, EGG_QUESTION)
    return asyncio.run(_ask_app(folder, questions))


@pytest.mark.parametrize("question", [LONG_QUESTION, MISSPELT_QUESTION], ids=["long", "misspelt"])
def test_the_seed_document_is_found_for_a_question_about_it(
    replies: dict[str, Reply], question: str
) -> None:
    reply = replies[question]
    assert reply.verdict is not Verdict.NONE
    assert reply.matches[0].key == SEED_DOCUMENT.stem


def test_the_seed_document_is_not_offered_for_boiling_an_egg(replies: dict[str, Reply]) -> None:
    assert replies[EGG_QUESTION].verdict is Verdict.NONE


def test_our_own_seeds_say_nothing_about_boiling_an_egg(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    replies = asyncio.run(_ask_app(tmp_path, (EGG_QUESTION, "How do I vote on an answer?")))
    assert replies[EGG_QUESTION].verdict is Verdict.NONE
    assert replies["How do I vote on an answer?"].verdict is Verdict.ANSWER


def test_our_own_seeds_tell_why_the_pact_took_two_years_in_three_wordings(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "seeds", tmp_path / "seeds")
    wordings = (LONG_QUESTION, MISSPELT_QUESTION, "why wait until 1941 for a pact after nomonhan")
    for reply in asyncio.run(_ask_app(tmp_path, wordings, "")).values():
        assert (reply.verdict, reply.matches[0].key) == (Verdict.ANSWER, SEED_DOCUMENT.stem)


@pytest.mark.parametrize("model", ["", "off"], ids=["words and meaning", "words alone"])
def test_one_thread_alone_is_not_the_answer_to_everything(tmp_path: Path, model: str) -> None:
    (tmp_path / "seeds").mkdir()
    shutil.copy(ROOT / "seeds" / "history-nomonhan-casualties.txt", tmp_path / "seeds")
    meant = "how high were the losses at nomonhan"
    replies = asyncio.run(_ask_app(tmp_path, (meant, EGG_QUESTION), model))
    assert replies[meant].verdict is Verdict.ANSWER
    assert replies[EGG_QUESTION].verdict is Verdict.NONE
