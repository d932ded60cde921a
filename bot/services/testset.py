"""Test sets in the BEIR layout: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels.tsv``.

Instead of ``qrels.tsv``, texts and queries may carry a ``label``: a match is right
when the labels agree, and a label that no text has must get no answer.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import InputError
from bot.models import Thread


@dataclass(frozen=True, slots=True)
class TestQuery:
    """A question with the keys of the threads that answer it, each with its gain."""

    key: str
    text: str
    relevant: dict[str, int]


@dataclass(frozen=True, slots=True)
class TestSet:
    """Threads and questions; ``labelled`` when rightness comes from labels."""

    name: str
    threads: list[Thread]
    queries: list[TestQuery]
    labelled: bool


def load(folder: Path) -> TestSet:
    """Read a test set. Raises InputError that names the file, the line and what is wrong."""
    corpus = _records(folder, "corpus.jsonl", ("_id", "title"))
    asked = _records(folder, "queries.jsonl", ("_id", "text"))
    qrels = folder / "qrels.tsv"
    if qrels.exists():
        relevant, labelled = _judgements(qrels), False
    elif all("label" in record for record in (*corpus, *asked)):
        relevant, labelled = _by_label(corpus, asked), True
    else:
        raise InputError(
            "a test set needs qrels.tsv, or a label in every line of the corpus and the queries",
            folder,
        )
    queries = [TestQuery(q["_id"], q["text"], relevant.get(q["_id"], {})) for q in asked]
    if not labelled:
        queries = [query for query in queries if query.relevant]
    if not any(query.relevant for query in queries):
        raise InputError("no query of this test set has a thread that answers it", folder)
    return TestSet(folder.name, [_thread(record) for record in corpus], queries, labelled)


def _thread(record: dict[str, str]) -> Thread:
    return Thread(key=record["_id"], title=record["title"], body=record.get("text", ""))


def _by_label(
    corpus: list[dict[str, str]], asked: list[dict[str, str]]
) -> dict[str, dict[str, int]]:
    members: dict[str, dict[str, int]] = {}
    for record in corpus:
        members.setdefault(record["label"], {})[record["_id"]] = 1
    return {query["_id"]: members.get(query["label"], {}) for query in asked}


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    relevant: dict[str, dict[str, int]] = {}
    for place, (number, line) in enumerate(_lines(path)):
        parts = line.split("\t")
        if place == 0 and not parts[-1].strip().isdigit():
            continue  # the header
        try:
            query, thread, gain = parts[0], parts[1], int(parts[2])
        except (IndexError, ValueError):
            raise InputError(
                "expected query-id, corpus-id and score by tabs", path, number
            ) from None
        if gain > 0:
            relevant.setdefault(query, {})[thread] = gain
    return relevant


def _records(folder: Path, name: str, needed: tuple[str, ...]) -> list[dict[str, str]]:
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None)
    if path is None:
        raise InputError(f"there is no {name} or {name}.gz", folder)
    found = []
    for number, line in _lines(path):
        try:
            found.append(_record(json.loads(line), needed))
        except (ValueError, TypeError, KeyError, RecursionError):
            wanted = " and ".join(needed)
            raise InputError(f"expected a JSON object with {wanted}", path, number) from None
    if not found:
        raise InputError("it is empty", path)
    return found


def _record(found: dict[str, Any], needed: tuple[str, ...]) -> dict[str, str]:
    """The texts of a line, what is needed of them always there; fails on what is no text."""
    texts = {key: str(found[key]) for key in needed}
    texts |= {key: str(found[key]) for key in ("text", "label") if found.get(key) is not None}
    for text in texts.values():
        text.encode()  # half a character can't be stored
    return texts


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that hold something, each with its number in the file."""
    open_text = gzip.open if path.suffix == ".gz" else open
    try:
        with open_text(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(f"it can't be read: {error}", path) from None
