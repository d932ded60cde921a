"""``threadwise evaluate``."""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest

from bot.search.semantic.onnx_model import default_files
from tests.kit.command_line import Threadwise

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
    assert re.search(r"^confidence +questions +mean confidence +right", result.stdout, re.MULTILINE)
    assert re.search(r"^0\.\d to [01]\.\d +[123] +0\.\d{3} +1\.000", result.stdout, re.MULTILINE)


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


def test_the_tables_and_a_plot_are_saved_on_request(
    threadwise: Threadwise, folder: Path, tmp_path: Path
) -> None:
    place = tmp_path / "kept" / "here"
    result = threadwise("evaluate", folder, "--save", place, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["queries"] == 3
    assert sorted(path.name for path in place.iterdir()) == ["testset.md", "testset.png"]
    page = (place / "testset.md").read_text(encoding="utf-8")
    assert "| nDCG@10 | 1.000 |" in page
    assert "| confidence | questions | mean confidence | right |" in page
    assert "testset.png" in page
    assert (place / "testset.png").read_bytes().startswith(b"\x89PNG")
    assert "testset.md" in result.stderr


def test_without_matplotlib_it_says_how_to_install_it_before_measuring(
    threadwise: Threadwise, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.evaluate.find_spec", lambda _: None)
    monkeypatch.setattr("bot.cli.evaluate.measure", None)
    result = threadwise("evaluate", folder, "--save", tmp_path / "kept")
    assert result.exit_code == 2
    assert "threadwise[plots]" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "kept").exists()


def test_a_place_that_cannot_be_written_is_refused_before_measuring(
    threadwise: Threadwise, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.evaluate.measure", None)
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        result = threadwise("evaluate", folder, "--save", place)
        assert result.exit_code == 2
        assert "can't be written" in result.stderr


def test_a_place_that_is_taken_is_one_line(
    threadwise: Threadwise, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "kept" / "testset.png").mkdir(parents=True)
    result = threadwise("evaluate", folder, "--save", tmp_path / "kept")
    assert result.exit_code == 2
    assert "can't be written" in result.stderr


def test_own_questions_are_asked_of_the_own_library(
    threadwise: Threadwise, tmp_path: Path, home: Path
) -> None:
    place = tmp_path / "ours"
    place.mkdir()
    lines = [{"text": "reset my router", "thread": "router"}, {"text": "lava", "thread": None}]
    (place / "queries.jsonl").write_text("\n".join(map(json.dumps, lines)))
    figures = json.loads(threadwise("evaluate", place, "--json").stdout)
    assert (figures["threads"], figures["queries"], figures["p_at_1"]) == (2, 2, 1.0)
    assert figures["out_of_scope_recall"] == 1.0
    assert not (home / "data").exists()


def test_an_own_question_for_a_thread_that_is_not_there_is_exit_code_1(
    threadwise: Threadwise, tmp_path: Path
) -> None:
    (tmp_path / "queries.jsonl").write_text('{"text": "reset", "thread": "rooter"}')
    result = threadwise("evaluate", tmp_path)
    assert result.exit_code == 1
    assert "queries.jsonl, line 1: there is no thread 'rooter' in the library" in " ".join(
        result.stderr.split()
    )


class TestModels:
    """Several models side by side."""

    def test_are_columns_of_one_table(self, threadwise: Threadwise, folder: Path) -> None:
        result = threadwise("evaluate", folder, "--models", "off, minilm")
        assert result.exit_code == 0, result.output
        assert re.search(r"^ +off +minilm *$", result.stdout, re.MULTILINE)
        assert re.search(r"^nDCG@10 +1\.000 +1\.000 *$", result.stdout, re.MULTILINE)
        assert re.search(r"^median ms +[\d.]+ +[\d.]+ *$", result.stdout, re.MULTILINE)

    def test_are_a_list_in_json(self, threadwise: Threadwise, folder: Path) -> None:
        alone = json.loads(threadwise("evaluate", folder, "--json").stdout)
        result = threadwise("evaluate", folder, "--models", "off,minilm,off", "--json")
        assert result.exit_code == 0, result.output
        models = json.loads(result.stdout)["models"]
        assert [figures["setting"] for figures in models] == ["off", "minilm"]
        assert [bool(figures["model"]) for figures in models] == [False, True]
        assert all(figures.keys() == alone.keys() | {"setting"} for figures in models)

    def test_are_saved_under_their_names(
        self, threadwise: Threadwise, folder: Path, tmp_path: Path
    ) -> None:
        place = tmp_path / "kept"
        result = threadwise("evaluate", folder, "--models", "off,minilm", "--save", place)
        assert result.exit_code == 0, result.output
        pages = {f"testset-{name}.{kind}" for name in ("off", "minilm") for kind in ("md", "png")}
        assert {path.name for path in place.iterdir()} == pages
        assert "testset-minilm.png" in (place / "testset-minilm.md").read_text(encoding="utf-8")

    @pytest.mark.parametrize(
        ("models", "said"),
        [
            ("off,mpnet", "make model NAME=mpnet"),
            (" , ", "names none"),
            ("nowhere/model", "neither"),
        ],
    )
    def test_that_are_not_to_be_had_are_refused_before_measuring(
        self,
        threadwise: Threadwise,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        models: str,
        said: str,
    ) -> None:
        monkeypatch.setattr("bot.cli.evaluate.measure", None)
        result = threadwise("evaluate", folder, "--models", models)
        assert result.exit_code == 2
        assert said in result.stderr

    def test_by_name_are_found_in_the_data_folder(
        self, threadwise: Threadwise, folder: Path, home: Path
    ) -> None:
        """Though the library that is measured is made elsewhere."""
        files = default_files()
        built = home / "data" / "models" / "mpnet"
        built.mkdir(parents=True)
        shutil.copy(files.model, built / "model.onnx")
        shutil.copy(files.tokenizer, built / "tokenizer.json")
        (built / "config.json").write_text('{"hidden_size": 384}')
        result = threadwise("evaluate", folder, "--models", "mpnet", "--json")
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["models"][0]["model"].startswith("mpnet@")
