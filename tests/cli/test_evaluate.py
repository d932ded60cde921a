"""``threadwise evaluate``."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.cli.conftest import Threadwise

CORPUS = {
    "router": "How do I reset the router?",
    "bread": "Why does my bread not rise?",
    "bike": "How do I repair a flat bicycle tyre?",
}
QUERIES = {"q1": "reset my router", "q2": "bread does not rise", "q3": "bicycle with a flat tyre"}
RIGHT = {"q1": "router", "q2": "bread", "q3": "bike"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A test set in the BEIR layout, one file of it compressed."""
    place = tmp_path / "testset"
    place.mkdir()
    corpus = [json.dumps({"_id": k, "title": t, "text": ""}) for k, t in CORPUS.items()]
    queries = [json.dumps({"_id": k, "text": t}) for k, t in QUERIES.items()]
    qrels = [f"{query}\t{key}\t1" for query, key in RIGHT.items()]
    (place / "corpus.jsonl.gz").write_bytes(gzip.compress("\n".join(corpus).encode()))
    (place / "queries.jsonl").write_text("\n".join(queries))
    (place / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *qrels]))
    return place


def test_the_figures_are_json_for_programs(threadwise: Threadwise, folder: Path) -> None:
    result = threadwise("evaluate", folder, "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["threads"], figures["queries"]) == (3, 3)
    assert figures["ndcg_at_10"] == figures["p_at_1"] == figures["mrr"] == 1.0


def test_the_figures_are_a_table_for_people(threadwise: Threadwise, folder: Path) -> None:
    result = threadwise("evaluate", folder)
    assert result.exit_code == 0, result.output
    assert "nDCG@10" in result.stdout
    assert "1.000" in result.stdout
    assert "None" not in result.stdout


def test_typos_are_put_in_on_request(threadwise: Threadwise, folder: Path) -> None:
    figures = json.loads(threadwise("evaluate", folder, "--json", "--typos", "1").stdout)
    assert figures["typos"] == 1.0
    assert threadwise("evaluate", folder, "--typos", "1.5").exit_code == 2


def test_the_own_library_is_left_alone(threadwise: Threadwise, folder: Path, home: Path) -> None:
    threadwise("evaluate", folder)
    assert not (home / "data").exists()


def test_a_folder_that_is_none_is_exit_code_2(threadwise: Threadwise, tmp_path: Path) -> None:
    result = threadwise("evaluate", tmp_path / "nowhere")
    assert result.exit_code == 2
    assert "is not a folder" in result.stderr


def test_a_folder_without_a_test_set_is_exit_code_1(threadwise: Threadwise, home: Path) -> None:
    result = threadwise("evaluate", home)
    assert result.exit_code == 1
    assert "corpus.jsonl" in result.stderr
