"""Test sets as they are read: the BEIR layout, labels, and what is wrong with the rest."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.errors import InputError
from bot.evaluation.test_sets import load
from bot.models import Thread

CORPUS: list[dict[str, Any]] = [
    {"_id": "a", "title": "Apples", "text": "On trees."},
    {"_id": "b", "title": "Beets", "text": ""},
    {"_id": 3, "title": "Carrots"},
]
QUERIES: list[dict[str, Any]] = [{"_id": "q1", "text": "apple"}, {"_id": "q2", "text": "beet"}]
QRELS = ["query-id\tcorpus-id\tscore", "q1\ta\t1", "q2\tb\t2", "q2\t3\t1"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good test set; tests then break one file of it."""
    place = tmp_path / "greens"
    place.mkdir()
    write(place / "corpus.jsonl", CORPUS)
    write(place / "queries.jsonl", QUERIES)
    write(place / "qrels.tsv", QRELS)
    return place


def write(path: Path, lines: list[Any]) -> None:
    text = "".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines)
    path.write_text(text, encoding="utf-8")


def refused(folder: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    return caught.value


def test_the_layout_is_read(folder: Path) -> None:
    test = load(folder)
    assert test.name == "greens"
    assert test.threads == [
        Thread(key="a", title="Apples", body="On trees."),
        Thread(key="b", title="Beets"),
        Thread(key="3", title="Carrots"),
    ]
    assert [(q.key, q.text, q.relevant) for q in test.queries] == [
        ("q1", "apple", {"a": 1}),
        ("q2", "beet", {"b": 2, "3": 1}),
    ]
    assert not test.labelled


def test_compressed_files_are_the_same(folder: Path) -> None:
    plain = load(folder)
    for name in ("corpus.jsonl", "queries.jsonl"):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    assert load(folder) == plain


def test_blank_lines_dos_lines_and_a_missing_header_are_fine(folder: Path) -> None:
    plain = load(folder)
    (folder / "qrels.tsv").write_bytes("\r\n".join(["", *QRELS[1:], ""]).encode())
    (folder / "corpus.jsonl").write_text("\n" + "\n\n".join(map(json.dumps, CORPUS)))
    assert load(folder) == plain


def test_a_header_may_come_after_blank_lines(folder: Path) -> None:
    plain = load(folder)
    write(folder / "qrels.tsv", ["", "  ", *QRELS])
    assert load(folder) == plain


def test_queries_without_a_judgement_are_not_asked(folder: Path) -> None:
    write(folder / "queries.jsonl", [*QUERIES, {"_id": "q3", "text": "unjudged"}])
    write(folder / "qrels.tsv", [*QRELS, "q1\tb\t0", "q1\t3\t-1"])
    test = load(folder)
    assert [q.key for q in test.queries] == ["q1", "q2"]
    assert test.queries[0].relevant == {"a": 1}  # 0 and less say: not this one


def test_labels_may_stand_for_judgements(folder: Path) -> None:
    (folder / "qrels.tsv").unlink()
    labels = ["fruit", "root", "root"]
    write(folder / "corpus.jsonl", [c | {"label": x} for c, x in zip(CORPUS, labels, strict=True)])
    asked = [*QUERIES, {"_id": "q3", "text": "volcano"}]
    wanted = ["fruit", "root", "nothing"]
    write(folder / "queries.jsonl", [q | {"label": x} for q, x in zip(asked, wanted, strict=True)])
    test = load(folder)
    assert test.labelled
    assert [q.relevant for q in test.queries] == [{"a": 1}, {"b": 1, "3": 1}, {}]


def test_texts_of_a_label_have_one_answer_that_does_not_say_it(folder: Path) -> None:
    (folder / "qrels.tsv").unlink()
    labels = ["fruit", "root", "root"]
    write(folder / "corpus.jsonl", [c | {"label": x} for c, x in zip(CORPUS, labels, strict=True)])
    asked = zip(QUERIES, labels, strict=False)
    write(folder / "queries.jsonl", [q | {"label": x} for q, x in asked])
    one, two, three = ([a.body for a in thread.answers] for thread in load(folder).threads)
    assert two == three != one
    assert not any(label in body for label in labels for body in (*one, *two))


def test_texts_without_a_label_have_no_answer_in_common(folder: Path) -> None:
    assert all(thread.answers == () for thread in load(folder).threads)


def test_missing_queries_are_named(folder: Path) -> None:
    (folder / "queries.jsonl").unlink()
    error = refused(folder)
    assert error.path == folder
    assert "there is no queries.jsonl" in str(error)


def test_without_a_corpus_an_empty_library_is_no_help(folder: Path) -> None:
    (folder / "corpus.jsonl").unlink()
    error = refused(folder)
    assert error.path == folder
    assert "there is no corpus.jsonl" in str(error)
    assert "library" in str(error)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    error = refused(tmp_path / "nowhere")
    assert "nowhere" in str(error)
    assert "corpus.jsonl" in str(error)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
@pytest.mark.parametrize("content", [b"", b"\n\n  \n"])
def test_an_empty_file_is_named(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    error = refused(folder)
    assert error.path == folder / name
    assert "empty" in error.reason


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[]",
        "5",
        "null",
        '"_id title"',
        '{"_id": "x"}',
        '{"title": "no id", "text": "no id"}',
        '{"_id": "x", "title": "\\ud800", "text": "\\ud800"}',
        '{"_id": "x", "title": "cut of',
        "[" * 100_000,
    ],
)
@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
def test_a_bad_line_is_named_with_file_and_line(folder: Path, name: str, line: str) -> None:
    good = (folder / name).read_text().splitlines()
    write(folder / name, [good[0], "", line, *good[1:]])
    error = refused(folder)
    assert (error.path, error.line) == (folder / name, 3)
    assert "_id" in error.reason
    assert "line 3" in str(error)


@pytest.mark.parametrize("line", ["q1\ta", "q1 a 1", "q1\ta\tone", "q1\ta\t1.5", "q1"])
def test_a_bad_judgement_is_named_with_file_and_line(folder: Path, line: str) -> None:
    write(folder / "qrels.tsv", [*QRELS[:2], "", line, QRELS[2]])
    error = refused(folder)
    assert (error.path, error.line) == (folder / "qrels.tsv", 4)
    assert "by tabs" in error.reason


def _not_utf8(path: Path) -> None:
    path.write_bytes(b'{"_id": "x", "title": "\xff\xfe", "text": "\xff"}\n')


def _not_gzip(path: Path) -> None:
    path.rename(path.with_name(path.name + ".gz"))


def _cut_gzip(path: Path) -> None:
    packed = gzip.compress(path.read_bytes() * 50)
    path.unlink()
    path.with_name(path.name + ".gz").write_bytes(packed[: len(packed) // 2])


def _broken_gzip(path: Path) -> None:
    packed = bytearray(gzip.compress(path.read_bytes() * 50))
    packed[12:40] = b"\xff" * 28
    path.unlink()
    path.with_name(path.name + ".gz").write_bytes(packed)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [_not_utf8, _not_gzip, _cut_gzip, _broken_gzip, _folder])
@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
def test_a_file_that_cannot_be_read_is_named(
    folder: Path, name: str, harm: Callable[[Path], None]
) -> None:
    harm(folder / name)
    error = refused(folder)
    assert error.path is not None
    assert Path(error.path).name.startswith(name)
    assert "can't be read" in error.reason


def test_judgements_that_cannot_be_read_are_named(folder: Path) -> None:
    _not_utf8(folder / "qrels.tsv")
    assert refused(folder).path == folder / "qrels.tsv"


def test_without_judgements_every_line_needs_a_label(folder: Path) -> None:
    (folder / "qrels.tsv").unlink()
    error = refused(folder)
    assert error.path == folder
    assert "qrels.tsv" in error.reason
    assert "label" in error.reason


def test_judgements_of_no_query_are_no_test(folder: Path) -> None:
    write(folder / "qrels.tsv", [QRELS[0], "q9\ta\t1"])
    assert refused(folder).path == folder


def test_labels_that_never_meet_are_no_test(folder: Path) -> None:
    (folder / "qrels.tsv").unlink()
    write(folder / "corpus.jsonl", [c | {"label": "known"} for c in CORPUS])
    write(folder / "queries.jsonl", [q | {"label": "unknown"} for q in QUERIES])
    assert refused(folder).path == folder


LIBRARY = [Thread(key="a", title="Apples"), Thread(key="b", title="Beets")]


def ours(folder: Path, *queries: Any) -> Path:
    """The folder with only these questions in it, for a library."""
    for name in ("corpus.jsonl", "qrels.tsv"):
        (folder / name).unlink()
    write(folder / "queries.jsonl", [*queries])
    return folder


def test_a_library_stands_for_the_corpus(folder: Path) -> None:
    place = ours(
        folder,
        {"text": "apple", "thread": "a"},
        {"text": "fruit or root", "threads": ["a", "b"]},
        {"text": "volcano", "thread": None},
        {"_id": 7, "text": "lava", "threads": []},
    )
    test = load(place, LIBRARY)
    assert test.threads == LIBRARY
    assert [(q.key, q.text, q.relevant) for q in test.queries] == [
        ("", "apple", {"a": 1}),
        ("", "fruit or root", {"a": 1, "b": 1}),
        ("", "volcano", {}),
        ("7", "lava", {}),
    ]
    assert not test.labelled


def test_judgements_may_be_of_the_library(folder: Path) -> None:
    (folder / "corpus.jsonl").unlink()
    write(folder / "qrels.tsv", QRELS[:3])
    test = load(folder, LIBRARY)
    assert [q.relevant for q in test.queries] == [{"a": 1}, {"b": 2}]


def test_threads_of_the_library_are_found_by_the_ids_they_had(folder: Path) -> None:
    (folder / "corpus.jsonl").unlink()
    now = [Thread(key="shop#a", title="Apples"), Thread(key="b", title="Beets", source="shop")]
    write(folder / "qrels.tsv", ["header\tx\tscore", *QRELS[1:3]])
    assert [q.relevant for q in load(folder, now).queries] == [{"shop#a": 1}, {"b": 2}]
    place = folder / "queries.jsonl"
    write(place, [{"text": "apple", "threads": ["a", " b"]}, {"text": "beet", "thread": "shop#b"}])
    assert [q.relevant for q in load(folder, now).queries] == [{"shop#a": 1, "b": 1}, {"b": 1}]


def test_an_id_that_several_threads_had_is_named(folder: Path) -> None:
    place = ours(folder, {"text": "apple", "thread": "7"})
    two = [Thread(key=f"{shop}#7", title="Apples") for shop in ("one", "two")]
    with pytest.raises(InputError, match="there is no thread '7' in the library"):
        load(place, two)


def test_a_query_that_names_its_threads_is_not_judged_otherwise(folder: Path) -> None:
    named = [QUERIES[0] | {"thread": 3}, QUERIES[1], {"text": "volcano", "thread": None}]
    write(folder / "queries.jsonl", named)
    assert [q.relevant for q in load(folder).queries] == [{"3": 1}, {"b": 2, "3": 1}, {}]


def test_a_query_may_name_its_threads_among_labels(folder: Path) -> None:
    (folder / "qrels.tsv").unlink()
    write(folder / "corpus.jsonl", [c | {"label": "green"} for c in CORPUS])
    asked = [QUERIES[0] | {"label": "green"}, {"text": "beet", "thread": "b"}]
    write(folder / "queries.jsonl", asked)
    test = load(folder)
    assert test.labelled
    assert [q.relevant for q in test.queries] == [{"a": 1, "b": 1, "3": 1}, {"b": 1}]


def test_a_library_is_not_asked_where_there_is_a_corpus(folder: Path) -> None:
    assert load(folder, LIBRARY) == load(folder)


@pytest.mark.parametrize("named", [{"thread": "x"}, {"threads": ["a", "x"]}])
def test_a_key_that_is_not_there_is_named_with_file_and_line(
    folder: Path, named: dict[str, Any]
) -> None:
    queries = [{"text": "apple", "thread": "a"}, "", {"text": "apple"} | named]
    write(folder / "queries.jsonl", queries)
    error = refused(folder)
    assert (error.path, error.line) == (folder / "queries.jsonl", 3)
    assert error.reason == "there is no thread 'x' in the corpus"
    with pytest.raises(
        InputError, match=r"queries\.jsonl, line 3: there is no thread 'x' in the library"
    ):
        load(ours(folder, *queries), LIBRARY)


def test_a_judgement_of_a_key_the_library_lacks_is_named(folder: Path) -> None:
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(
        InputError, match=r"qrels\.tsv, line 4: there is no thread '3' in the library"
    ):
        load(folder, LIBRARY)


@pytest.mark.parametrize(
    "named",
    [
        {"thread": ["a"]},
        {"thread": True},
        {"thread": 1.5},
        {"threads": "a"},
        {"threads": None},
        {"threads": ["a", None]},
        {"thread": "a", "threads": ["a"]},
    ],
)
def test_keys_that_are_none_are_named_with_file_and_line(
    folder: Path, named: dict[str, Any]
) -> None:
    write(folder / "queries.jsonl", [QUERIES[0], {"text": "apple"} | named])
    error = refused(folder)
    assert (error.path, error.line) == (folder / "queries.jsonl", 2)
    assert "thread (a key or null)" in error.reason


def test_a_question_to_the_library_without_its_thread_is_refused(folder: Path) -> None:
    place = ours(folder, {"text": "apple", "thread": "a"}, QUERIES[1])
    with pytest.raises(InputError, match="the right thread in every line"):
        load(place, LIBRARY)


def test_a_set_in_the_current_folder_has_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert load(Path()).name == "greens"
