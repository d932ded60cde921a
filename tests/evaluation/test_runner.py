"""Evaluating: a small test set whose every figure is known, and how it is run."""

from __future__ import annotations

import json
import random
import tempfile
from dataclasses import asdict
from math import log2
from pathlib import Path
from typing import Any

import pytest

from bot.app import App
from bot.errors import InputError
from bot.evaluation.runner import Evaluation, evaluate
from bot.evaluation.test_sets import misspell
from bot.models import Thread
from bot.settings import Settings

APPLES = "How do I prune an apple tree in winter?"
SLUGS = "How can I keep slugs away from lettuce?"
CORPUS = {
    "apples": APPLES,
    "slugs": SLUGS,
    "beets": "Which soil do beets like best?",
    "bees": "Where should a beehive stand?",
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Default settings; the temporary libraries are made where the test can look."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("EMBEDDING_MODEL", "off")  # tests of meaning switch it on
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return Settings(
        data_dir=tmp_path / "own",
        answer_threshold=0.5,
        suggest_threshold=0.2,
        seeds_dir=tmp_path / "no seeds",
        _env_file=None,
    )


def made(
    place: Path,
    queries: dict[str, str],
    right: dict[str, str] | None = None,
    corpus: dict[str, str] | None = None,
    labels: dict[str, str] | None = None,
) -> Path:
    """A test set: the key of each query's right thread, or a label for every key."""
    place.mkdir()
    records: list[dict[str, Any]] = [{"_id": k, "title": t} for k, t in (corpus or CORPUS).items()]
    asked: list[dict[str, Any]] = [{"_id": k, "text": t} for k, t in queries.items()]
    if labels:
        for record in (*records, *asked):
            record["label"] = labels[record["_id"]]
    (place / "corpus.jsonl").write_text("\n".join(map(json.dumps, records)))
    (place / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    if right is not None:
        lines = [f"{query}\t{key}\t1" for query, key in right.items()]
        (place / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *lines]))
    return place


async def test_the_figures_of_a_known_set_are_exact(tmp_path: Path, settings: Settings) -> None:
    folder = made(
        tmp_path / "garden",
        queries={
            "q1": APPLES,  # found first, and surely
            "q2": SLUGS,  # another one is found, surely
            "q3": "volcanology",  # nothing is found
        },
        right={"q1": "apples", "q2": "beets", "q3": "bees"},
    )
    result = await evaluate(folder, settings)
    assert (result.name, result.threads, result.queries) == ("garden", 4, 3)
    assert result.p_at_1 == pytest.approx(1 / 3)
    assert result.r_at_10 == result.r_at_100 == pytest.approx(1 / 3)
    assert result.mrr == result.ndcg_at_10 == pytest.approx(1 / 3)
    assert result.coverage == pytest.approx(2 / 3)
    assert result.precision == pytest.approx(1 / 2)
    assert result.suggested == 0.0
    assert (result.answer_threshold, result.typos) == (0.5, 0.0)
    assert 0 < result.median_ms <= result.p99_ms
    assert result.in_scope_accuracy is result.out_of_scope_recall is result.mcc is None
    told, fields = result.to_dict(), asdict(result)
    assert {**told, "reliability": None} == {**fields, "reliability": None}


async def test_reliability_says_what_was_right_by_what_was_claimed(
    tmp_path: Path, settings: Settings
) -> None:
    folder = made(
        tmp_path / "garden",
        queries={"q1": APPLES, "q2": SLUGS, "q3": "volcanology"},
        right={"q1": "apples", "q2": "beets", "q3": "bees"},
    )
    bins = (await evaluate(folder, settings)).to_dict()["reliability"]
    assert [(b["from"], b["to"]) for b in bins] == [(n / 10, (n + 1) / 10) for n in range(10)]
    assert sum(b["questions"] for b in bins) == 3
    assert bins[0] == {"from": 0.0, "to": 0.1, "questions": 1, "confidence": 0.0, "right": 0.0}
    assert bins[3] == {"from": 0.3, "to": 0.4, "questions": 0, "confidence": None, "right": None}
    assert bins[9]["questions"] == 2
    assert 0.9 <= bins[9]["confidence"] <= 1.0
    assert bins[9]["right"] == 0.5


async def test_a_right_thread_in_second_place_counts_as_such(
    tmp_path: Path, settings: Settings
) -> None:
    corpus = CORPUS | {"pears": "How do I prune a pear tree?"}
    folder = made(tmp_path / "garden", {"q": APPLES}, {"q": "pears"}, corpus)
    result = await evaluate(folder, settings)
    assert result.mrr == pytest.approx(1 / 2)
    assert result.ndcg_at_10 == pytest.approx(1 / log2(3))
    assert (result.p_at_1, result.r_at_10) == (0.0, 1.0)


async def test_a_query_that_is_in_the_corpus_does_not_find_itself(
    tmp_path: Path, settings: Settings
) -> None:
    corpus = CORPUS | {"apples2": "When do I prune the tree with my apples?"}
    folder = made(tmp_path / "twins", {"apples": APPLES}, {"apples": "apples2"}, corpus)
    result = await evaluate(folder, settings)
    assert result.p_at_1 == result.mrr == result.ndcg_at_10 == 1.0


async def test_questions_below_the_answer_threshold_are_suggested_or_left(
    tmp_path: Path, settings: Settings
) -> None:
    folder = made(tmp_path / "garden", {"q": APPLES, "r": "lava"}, {"q": "apples", "r": "bees"})
    timid = settings.model_copy(update={"answer_threshold": 1.0, "suggest_threshold": 0.1})
    result = await evaluate(folder, timid)
    assert (result.coverage, result.precision, result.suggested) == (0.0, 0.0, 0.5)
    bold = settings.model_copy(update={"answer_threshold": 0.0, "suggest_threshold": 0.0})
    result = await evaluate(folder, bold)
    assert (result.coverage, result.precision, result.suggested) == (1.0, 0.5, 0.0)


async def test_a_suggestion_is_right_when_one_of_those_offered_is(
    tmp_path: Path, settings: Settings
) -> None:
    corpus = CORPUS | {"pears": "How do I prune a pear tree?"}
    corpus |= {f"spam{i}": f"How do I prune an apple tree number {i}?" for i in range(6)}
    pruning = "How do I prune an apple tree?"
    queries = {"q": pruning, "r": pruning, "s": "volcanology"}
    folder = made(tmp_path / "garden", queries, {"q": "spam1", "r": "beets", "s": "bees"}, corpus)
    timid = settings.model_copy(update={"answer_threshold": 1.0, "suggest_threshold": 0.1})
    result = await evaluate(folder, timid)
    assert (result.coverage, result.suggest_threshold) == (0.0, 0.1)
    assert result.suggest_coverage == result.suggested == pytest.approx(2 / 3)
    assert result.suggest_precision == pytest.approx(1 / 2)
    assert result.p_at_1 == 0.0


async def test_an_answer_counts_as_offered_too(tmp_path: Path, settings: Settings) -> None:
    folder = made(tmp_path / "garden", {"q": APPLES}, {"q": "apples"})
    result = await evaluate(folder, settings)
    assert (result.suggest_coverage, result.suggest_precision) == (1.0, 1.0)
    assert (result.coverage, result.suggested) == (1.0, 0.0)


LABELS = {"apples": "fruit", "slugs": "pest", "beets": "root", "bees": "honey"}


async def test_labels_tell_what_must_get_no_answer(tmp_path: Path, settings: Settings) -> None:
    queries = {
        "q1": APPLES,  # answered, rightly
        "q2": SLUGS,  # answered, with the wrong label
        "q3": "volcanology",  # not answered, rightly
        "q4": "Which soil do beets like best",  # answered, and should not be
    }
    wanted = {"q1": "fruit", "q2": "honey", "q3": "oos", "q4": "oos"}
    folder = made(tmp_path / "labelled", queries, labels=LABELS | wanted)
    result = await evaluate(folder, settings)
    assert result.queries == 4
    assert result.p_at_1 == pytest.approx(1 / 2)  # of the two that have an answer
    assert result.coverage == pytest.approx(3 / 4)
    assert result.precision == pytest.approx(1 / 3)
    assert result.in_scope_accuracy == pytest.approx(1 / 2)
    assert result.out_of_scope_recall == pytest.approx(1 / 2)
    # Answered: 2 of 2 inside, 1 of 2 outside.
    assert result.mcc == pytest.approx((2 * 1 - 1 * 0) / (3 * 2 * 2 * 1) ** 0.5)


async def test_texts_of_a_label_are_offered_once(tmp_path: Path, settings: Settings) -> None:
    """As to somebody who asks: six texts of one label leave room for another."""
    corpus = {str(n): f"How do I prune an apple tree {n}?" for n in range(6)}
    corpus |= {"pear": "Prune a tree of pears, cherries and plums"}
    labels = dict.fromkeys(corpus, "apple") | {"pear": "pear", "q1": "pear"}
    settings = settings.model_copy(update={"answer_threshold": 0.99, "suggest_threshold": 0.01})
    asked = {"q1": "How do I prune a tree?"}
    result = await evaluate(made(tmp_path / "set", asked, corpus=corpus, labels=labels), settings)
    assert result.p_at_1 == 0.0
    assert result.suggest_precision == 1.0


async def test_labels_without_anything_out_of_scope_give_no_such_figures(
    tmp_path: Path, settings: Settings
) -> None:
    folder = made(tmp_path / "inside", {"q1": APPLES}, labels=LABELS | {"q1": "fruit"})
    result = await evaluate(folder, settings)
    assert result.p_at_1 == 1.0
    assert result.mcc is None


def without_times(result: Evaluation) -> dict[str, Any]:
    return {n: value for n, value in result.to_dict().items() if not n.endswith("_ms")}


async def test_typos_are_the_same_for_the_same_seed(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "garden", {"q1": APPLES, "q2": SLUGS}, {"q1": "apples", "q2": "slugs"})
    asked: list[str] = []

    def listening(text: str, share: float, rng: random.Random) -> str:
        asked.append(misspell(text, share, rng))
        return asked[-1]

    monkeypatch.setattr("bot.evaluation.runner.misspell", listening)
    once = await evaluate(folder, settings, typos=1.0)
    again = await evaluate(folder, settings, typos=1.0)
    other = await evaluate(folder, settings, typos=1.0, seed=2)
    assert asked[0:2] == asked[2:4] != asked[4:6]
    assert APPLES not in asked
    assert without_times(once) == without_times(again)
    assert once.typos == other.typos == 1.0
    assert once.r_at_10 == 1.0  # and yet they are found


async def test_progress_is_reported_after_each_question(tmp_path: Path, settings: Settings) -> None:
    folder = made(tmp_path / "garden", {"q1": APPLES, "q2": SLUGS}, {"q1": "apples", "q2": "slugs"})
    told: list[tuple[int, int]] = []
    await evaluate(folder, settings, progress=lambda *done: told.append(done))
    assert told == [(1, 2), (2, 2)]


async def test_the_temporary_library_is_removed_and_the_own_one_untouched(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "garden", {"q1": APPLES}, {"q1": "apples"})
    seen: list[Path] = []
    opened = App.open

    async def watching(given: Settings) -> App:
        seen.append(given.data_dir)
        return await opened(given)

    monkeypatch.setattr(App, "open", watching)
    own = settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path}/mine.db"})
    await evaluate(folder, own)
    assert [tmp_path / "temporary" in place.parents for place in seen] == [True]
    assert not list((tmp_path / "temporary").iterdir())
    assert not settings.data_dir.exists()
    assert not (tmp_path / "mine.db").exists()


async def test_the_temporary_library_is_removed_after_a_failure_too(
    tmp_path: Path, settings: Settings
) -> None:
    folder = made(tmp_path / "garden", {"q1": APPLES}, {"q1": "apples"})

    def stop(done: int, of: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await evaluate(folder, settings, progress=stop)
    assert not list((tmp_path / "temporary").iterdir())


async def test_a_bad_test_set_is_refused_before_anything_is_made(
    tmp_path: Path, settings: Settings
) -> None:
    with pytest.raises(InputError, match="there is no corpus"):
        await evaluate(tmp_path / "nowhere", settings)
    assert not list((tmp_path / "temporary").iterdir())


async def test_a_query_that_looks_for_itself_may_find_itself(
    tmp_path: Path, settings: Settings
) -> None:
    folder = made(tmp_path / "garden", {"apples": APPLES}, {"apples": "apples"})
    assert (await evaluate(folder, settings)).p_at_1 == 1.0


async def test_a_set_without_corpus_is_asked_of_the_library_in_force(
    tmp_path: Path, settings: Settings
) -> None:
    app = await App.open(settings)
    await app.library.add(Thread(key=key, title=title) for key, title in CORPUS.items())
    await app.library.add([Thread(key="elsewhere", title=APPLES)], scope=7)
    await app.close()
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "rain.txt").write_text("How much rain do carrots need?\n\nscore:0\n")
    before = {p: p.stat().st_mtime_ns for p in sorted(settings.data_dir.rglob("*"))}
    folder = tmp_path / "ours"
    folder.mkdir()
    queries: list[dict[str, Any]] = [
        {"text": APPLES, "thread": "apples"},
        {"text": "rain for carrots", "threads": ["rain", "beets"]},
        {"text": "volcanology", "thread": None},
    ]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    result = await evaluate(folder, settings.model_copy(update={"seeds_dir": seeds}))
    assert (result.name, result.threads, result.queries) == ("ours", 5, 3)
    assert (result.p_at_1, result.out_of_scope_recall) == (1.0, 1.0)
    after = {p: p.stat().st_mtime_ns for p in sorted(settings.data_dir.rglob("*"))}
    assert after.keys() == before.keys()


async def test_an_own_library_that_is_not_there_is_not_made(
    tmp_path: Path, settings: Settings
) -> None:
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "queries.jsonl").write_text('{"text": "rain", "thread": "rain"}')
    with pytest.raises(InputError, match="library has no threads yet"):
        await evaluate(folder, settings)
    assert not settings.data_dir.exists()
