"""The benchmark, at a size at which it says nothing but that it works."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import bench
import pytest
from benchmarks import corpus, report
from benchmarks.postgres import VARIABLE

SCRIPT = Path(bench.__file__)
NOWHERE = Path("/no/titles.jsonl.gz")


@pytest.fixture(scope="module", autouse=True)
def _by_words_alone() -> Iterator[None]:
    """The model takes a second for a hundred threads; here it would measure nothing new."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBEDDING_MODEL", "off")
        yield


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("saved") / "here"


@pytest.fixture(scope="module")
def row(saved: Path) -> dict[str, Any]:
    """The JSON that a run over 200 made threads prints."""
    options = f"--sizes 200 --titles {NOWHERE} --questions 20 --seconds 0.5 --json".split()
    done = subprocess.run(
        [sys.executable, SCRIPT, *options, "--save", saved],
        env={name: value for name, value in os.environ.items() if name != VARIABLE},
        stdout=subprocess.PIPE,
        check=True,
    )
    (found,) = json.loads(done.stdout)
    return dict(found)


def test_threadwise_is_measured(row: dict[str, Any]) -> None:
    assert (row["threads"], row["real_titles"], row["made_titles"]) == (200, 0, 200)
    for kind in ("ask", "complete"):
        assert 0 < row[kind]["median"] <= row[kind]["p99"]
        assert 1 <= row[kind]["n"] <= 20
    figures = "asks_per_s import_s import_per_s start_s memory_mb database_mb index_mb".split()
    assert all(row[name] > 0 for name in figures)
    assert 0.5 < row["found"] <= 1


def test_the_longest_hold_of_the_event_loop_is_measured(row: dict[str, Any]) -> None:
    assert len(row["loop"]) == 5
    assert all(hold["ms"] >= 0 for hold in row["loop"].values())
    assert "| 200 questions at once during an import |" in report.markdown([row])


def test_each_peer_is_measured_or_says_why_not(row: dict[str, Any]) -> None:
    assert list(row["peers"]) == list(bench.PEERS)
    for name, peer in row["peers"].items():
        assert peer["label"]
        if "skipped" not in peer:
            assert 0 < peer["ask"]["median"] <= peer["ask"]["p99"]
            ratio = peer["ask"]["median"] / row["ask"]["median"]
            assert peer["ask_ratio"] == pytest.approx(ratio)
            assert ("build_s" in peer) == bench.PEERS[name].built
            assert 0 <= peer["found"] <= 1


def test_what_needs_nothing_is_never_skipped(row: dict[str, Any]) -> None:
    for name in ("wratio", "token_set", "fts5", "tantivy"):
        assert "skipped" not in row["peers"][name], row["peers"][name]
    assert row["peers"]["wratio"]["complete_ratio"] > 0
    assert row["peers"]["fts5"]["disk_mb"] > 0


def test_a_server_that_is_not_named_is_the_reason(row: dict[str, Any]) -> None:
    for name in ("pg_trgm", "pg_text"):
        assert VARIABLE in row["peers"][name]["skipped"]


def test_the_tables_and_a_plot_are_saved(row: dict[str, Any], saved: Path) -> None:
    page = (saved / "bench.md").read_text(encoding="utf-8")
    assert page == report.markdown([row])
    assert "| rapidfuzz process.extract, WRatio |" in page
    assert "PostgreSQL pg_trgm, title at 200: no server" in page
    assert (saved / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as caught:
        bench.check_save(tmp_path / "file")
    assert caught.value.code == 2


def a_run(place: Path, patience: float, size: int = 200) -> bench.Run:
    options = {"titles": NOWHERE, "questions": 20, "seconds": 0.5, "patience": patience}
    return bench.Run(size, argparse.Namespace(**options), str(place))


def test_a_peer_that_takes_too_long_is_not_tried_at_larger_sizes(tmp_path: Path) -> None:
    given_up = a_run(tmp_path, patience=0.001).peer("fts5", {}, [])
    assert "it took more than" in given_up["skipped"]
    before = [{"threads": 200, "peers": {"fts5": given_up}}]
    larger = a_run(tmp_path, patience=60, size=300).peer("fts5", {}, before)
    assert "smaller size" in larger["skipped"]


def test_a_peer_that_fails_does_not_end_the_run(tmp_path: Path) -> None:
    failed = a_run(tmp_path / "nowhere", patience=60).peer("tantivy", {}, [])
    assert failed["skipped"].startswith("it failed: ")


def test_few_questions_in_the_time_are_reported() -> None:
    peer = {"label": "slow", "ask": {"median": 1.0, "p99": 1.0, "n": 3}}
    row = {"threads": 10, "ask": {"n": 20}, "peers": {"slow": peer}}
    assert "slow at 10: 3 of 20 questions timed." in report.notes([row])


def test_the_same_library_is_made_each_time_and_a_smaller_one_begins_it() -> None:
    real = [f"What is real number {n}?" for n in range(30)]
    large = list(corpus.made(real, 50))
    assert list(corpus.made(real, 50)) == large
    assert list(corpus.made(real, 20)) == large[:20]
    assert [doc.title for doc in large[:30]] == real
    assert len({doc.title for doc in large[30:]}) > 1


def test_made_texts_are_as_long_as_people_write() -> None:
    docs = list(islice(corpus.made([], 400), 400))
    assert 40 <= median(len(doc.body.split()) for doc in docs) <= 60
    assert 50 <= median(len(doc.answer.split()) for doc in docs) <= 70
    assert all(4 <= len(doc.title.split()) <= 14 for doc in docs)


def test_questions_mean_a_thread_of_the_library(tmp_path: Path) -> None:
    titles = [{"title": f"How do I peel vegetable number {n} well?"} for n in range(60)]
    file = tmp_path / "titles.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join(map(json.dumps, titles)).encode()))
    told = corpus.prepare(tmp_path, 80, file, 10)
    assert told == {"real_titles": 60, "made_titles": 20}
    docs = list(corpus.library(tmp_path))
    assert [doc.number for doc in docs] == list(range(80))
    texts, meant = corpus.questions(tmp_path)
    assert len(texts) == len(meant) == 10
    for text, number in zip(texts, meant, strict=True):
        assert len(text.split()) == len(docs[number].title.split()) - 1
    assert len(corpus.beginnings(tmp_path)) == 10
