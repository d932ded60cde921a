"""One question thousands of times, in every form: reading it takes time in proportion."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.sources import SourceReport, faq, read
from tests.kit.growth import check_linear

Make = Callable[[int], str]


def _answer(number: int) -> str:
    return f"The answer number {number} is a sentence of some words."


def _table(n: int) -> str:
    return "question,answer\n" + "".join(f"How do I vote?,{_answer(i)}\n" for i in range(n))


def _table_with_ids(n: int) -> str:
    rows = (f"How do I vote?,{_answer(i)},a{i}\n" for i in range(n))
    return "question,answer,answer_id\n" + "".join(rows)


def _phrasings(n: int) -> str:
    return "id,question,answer\n" + "".join(f"1,How do I vote {i}?,Tap.\n" for i in range(n))


def _labelled(n: int) -> str:
    return "".join(f"Q: How do I vote?\nA: {_answer(i)}\n\n" for i in range(n))


def _list(n: int) -> str:
    return json.dumps([{"question": "How do I vote?", "answer": _answer(i)} for i in range(n)])


def _lines(n: int) -> str:
    rows = ({"question": "How do I vote?", "answer": _answer(i)} for i in range(n))
    return "".join(json.dumps(row) + "\n" for row in rows)


def _headings(n: int) -> str:
    return "".join(f"## How do I vote?\n\n{_answer(i)}\n\n" for i in range(n))


def _details(n: int) -> str:
    one = "<details><summary>How do I vote?</summary><p>{}</p></details>\n"
    return "<html><body>" + "".join(one.format(_answer(i)) for i in range(n))


def _definitions(n: int) -> str:
    return "<html><body><dl>" + "".join(
        f"<dt>How do I vote?</dt><dd>{_answer(i)}</dd>\n" for i in range(n)
    )


def _json_ld(n: int) -> str:
    def script(i: int) -> str:
        answer = {"@type": "Answer", "text": _answer(i)}
        asked = {"@type": "Question", "name": "How do I vote?", "suggestedAnswer": [answer]}
        return f'<script type="application/ld+json">{json.dumps(asked)}</script>\n'

    return "<html><body>" + "".join(map(script, range(n)))


def _page(n: int) -> str:
    return "How do I vote?\n" + "".join(f"Upvote:1\n{_answer(i)}\n" for i in range(n))


FORMS: dict[str, tuple[str, Make, int]] = {
    "table": (".csv", _table, 2_000),
    "table with answers' ids": (".csv", _table_with_ids, 2_000),
    "table of phrasings": (".csv", _phrasings, 8_000),
    "labelled": (".txt", _labelled, 2_000),
    "JSON": (".json", _list, 2_000),
    "JSON Lines": (".jsonl", _lines, 2_000),
    "Markdown": (".md", _headings, 1_000),
    "details": (".html", _details, 2_000),
    "definitions": (".html", _definitions, 2_000),
    "JSON-LD": (".html", _json_ld, 2_000),
    "text page": (".txt", _page, 2_000),
}


@pytest.mark.untraced
@pytest.mark.parametrize(("suffix", "make", "size"), FORMS.values(), ids=FORMS)
def test_one_question_many_times(tmp_path: Path, suffix: str, make: Make, size: int) -> None:
    files: dict[int, Path] = {}
    for n in (size, 4 * size):
        files[n] = tmp_path / f"asked{n}{suffix}"
        files[n].write_text(make(n), encoding="utf-8")

    def work(n: int) -> None:
        report = SourceReport()
        found = list(read(files[n], report))
        assert sum(len(t.answers) + len(t.phrasings) for t in found) >= n
        assert not report.refused

    check_linear(work, size)


def test_headings_within_a_fold_are_put_together_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = 0

    def counted(this: Any, /, **values: Any) -> Any:
        nonlocal copied
        copied += len(values.get("lines", ()))
        return dataclasses.replace(this, **values)

    monkeypatch.setattr(faq, "replace", counted)
    parts = "".join(f"### Part {i}\n\n{_answer(i)}\n\n" for i in range(500))
    file = tmp_path / "faq.md"
    file.write_text(f"<details><summary>How do I vote?</summary>\n\n{parts}</details>\n")
    (thread,) = read(file, SourceReport())
    assert "The answer number 499" in thread.answers[0].body
    assert copied < 10 * 2_000  # lines of the file


def test_mistakes_of_many_files_are_counted_in_proportion(tmp_path: Path) -> None:
    def work(n: int) -> None:
        report = SourceReport()
        for file in range(n):
            for line in range(30):
                report.reject("it is wrong", tmp_path / f"{file}.csv", line)
        assert report.refused == 30 * n
        assert len(report.rejected) == 21 * n

    check_linear(work, 250)
