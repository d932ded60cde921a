"""Test sets in the BEIR layout: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels.tsv``.

A query may name the right ``thread`` or ``threads`` itself (``null`` or none: it must
get no answer), which wins over ``qrels.tsv``. Or texts and queries carry a ``label``:
a match is right when the labels agree, and a label that no text has must get no
answer. Without a corpus, the threads are those of a library.
"""

from __future__ import annotations

import gzip
import json
import random
import string
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from bot.errors import InputError
from bot.models import Answer, Thread, plain_key

MIN_LETTERS = 5
"""Letters of a word from which on it may be misspelt; shorter ones have few that differ."""

QUERY = "_id and text, or text and thread (a key or null) or threads (a list of keys)"
"""The keys that a line of ``queries.jsonl`` must have, as the error message says it."""


@dataclass(frozen=True, slots=True)
class TestQuery:
    """A question with the keys of the threads that answer it, each with its gain.

    ``key`` is empty for a question that its file gives no ``_id``.
    """

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


@dataclass(frozen=True, slots=True)
class _Record:
    """A line: its texts, and the keys that it names as right (``None`` if it names none)."""

    line: int
    texts: dict[str, str]
    right: list[str] | None = None

    @property
    def key(self) -> str:
        return self.texts.get("_id", "")


def has_corpus(folder: Path) -> bool:
    """Return whether a test set has its own threads."""
    return _find(folder, "corpus.jsonl") is not None


def load(folder: Path, library: Sequence[Thread] = ()) -> TestSet:
    """Load a test set; ``library`` are the threads for one that has no corpus.

    Raises InputError that names the file, the line and what is wrong.
    """
    given, questions = _find(folder, "corpus.jsonl"), _find(folder, "queries.jsonl")
    if questions is None:
        missing = "queries.jsonl" if given else "corpus.jsonl and no queries.jsonl"
        raise InputError(f"there is no {missing} (or .gz) in it", folder)
    corpus = _records(given, _text_record, "_id and title") if given else []
    threads = [_thread(record) for record in corpus] if given else list(library)
    if not threads:
        raise InputError("there is no corpus.jsonl, and the library has no threads yet", folder)
    asked = _records(questions, _query_record, QUERY)
    keys = _keys_by_name(threads)
    asked = _named_by_key(questions, asked, keys, "corpus" if given else "library")
    relevant, labelled = _judgements(folder, corpus, asked, keys)
    queries = [
        TestQuery(query.key, query.texts["text"], right)
        for query in asked
        if (right := _right(query, relevant)) is not None
    ]
    if not any(query.relevant for query in queries):
        raise InputError("no query of this test set has a thread that answers it", folder)
    return TestSet(folder.resolve().name or "testset", threads, queries, labelled)


def _thread(record: _Record) -> Thread:
    texts = record.texts
    answers = (Answer(body=_answer_of(texts["label"])),) if "label" in texts else ()
    return Thread(key=record.key, title=texts["title"], body=texts.get("text", ""), answers=answers)


def _answer_of(label: str) -> str:
    """Return an answer that all texts of a label have, and that says nothing of the label."""
    return blake2b(label.encode(), digest_size=8).hexdigest()


def _right(query: _Record, relevant: dict[str, dict[str, int]]) -> dict[str, int] | None:
    """Return the keys that answer a query, with their gains; ``None`` where nobody has judged."""
    if query.right is not None:
        return dict.fromkeys(query.right, 1)
    return relevant.get(query.key)


def _judgements(
    folder: Path, corpus: list[_Record], asked: list[_Record], keys: Mapping[str, str]
) -> tuple[dict[str, dict[str, int]], bool]:
    """Return the gains by query and thread, for queries that name none, and whether by label."""
    silent = [query for query in asked if query.right is None]
    path = folder / "qrels.tsv"
    if path.exists():
        # Published sets may judge threads that their corpus lacks; of one's own that's a slip.
        return _qrels(path, None if corpus else keys), False
    if not silent:
        return {}, False
    if corpus and all("label" in record.texts for record in (*corpus, *silent)):
        return _by_label(corpus, silent), True
    raise InputError(
        "a test set needs qrels.tsv, or the right thread in every line of queries.jsonl, "
        "or a label in every line of the corpus and the queries",
        folder,
    )


def _by_label(corpus: list[_Record], asked: list[_Record]) -> dict[str, dict[str, int]]:
    members: dict[str, dict[str, int]] = {}
    for record in corpus:
        members.setdefault(record.texts["label"], {})[record.key] = 1
    return {query.key: members.get(query.texts["label"], {}) for query in asked}


def _qrels(path: Path, keys: Mapping[str, str] | None) -> dict[str, dict[str, int]]:
    """Read the judgements; with ``keys``, each must be of one of these threads."""
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
        if keys is not None:
            if plain_key(thread) not in keys:
                raise InputError(_unknown(thread, "library"), path, number)
            thread = keys[plain_key(thread)]
        if gain > 0:
            relevant.setdefault(query, {})[thread] = gain
    return relevant


def _keys_by_name(threads: Sequence[Thread]) -> dict[str, str]:
    """Return the keys of threads by all names that a test set may have for them.

    Beside the keys in their plain form these are the ones that threads had, or would have
    now: a bare id (``7``) became part of a key with the file's name (``helpdesk#7``), and
    threads that were there before kept theirs. A name that fits several threads is none.
    """
    keys = {plain_key(thread.key): thread.key for thread in threads}
    others = [
        (thread.key.partition("#")[2] or f"{thread.source}#{thread.key}", thread.key)
        for thread in threads
    ]
    fits = Counter(name for name, _ in others)
    return {name: key for name, key in others if fits[name] == 1} | keys


def _named_by_key(
    path: Path, asked: list[_Record], keys: Mapping[str, str], where: str
) -> list[_Record]:
    """Return the queries with the keys of the threads that they name. Raises InputError."""
    for query in asked:
        for name in query.right or ():
            if plain_key(name) not in keys:
                raise InputError(_unknown(name, where), path, query.line)
    return [
        query
        if query.right is None
        else replace(query, right=[keys[plain_key(name)] for name in query.right])
        for query in asked
    ]


def _unknown(key: str, where: str) -> str:
    if where == "corpus":
        return f"there is no thread {key!r} in the corpus"
    return f"there is no thread {key!r} in the library (asked because there is no corpus.jsonl)"


def _find(folder: Path, name: str) -> Path | None:
    return next((p for p in (folder / name, folder / f"{name}.gz") if p.exists()), None)


def _records(path: Path, read: Callable[[Any, int], _Record], expected: str) -> list[_Record]:
    records = []
    for number, line in _lines(path):
        try:
            records.append(read(json.loads(line), number))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise InputError(f"expected a JSON object with {expected}", path, number) from None
    if not records:
        raise InputError("it is empty", path)
    return records


def _text_record(values: Any, line: int) -> _Record:
    return _Record(line, _texts(values, ("_id", "title")))


def _query_record(values: Any, line: int) -> _Record:
    """Read a question; one that names its threads needs no id. Raises for what is neither."""
    right = _named(values)
    return _Record(line, _texts(values, ("_id", "text") if right is None else ("text",)), right)


def _named(values: dict[str, Any]) -> list[str] | None:
    """Return the keys under ``thread`` or ``threads``; None without either, raises for both."""
    if "thread" not in values and "threads" not in values:
        return None
    if "threads" not in values:
        keys = [] if values["thread"] is None else [values["thread"]]
    elif "thread" not in values and isinstance(values["threads"], list):
        keys = values["threads"]
    else:
        raise ValueError("either one thread or a list of threads")
    if not all(isinstance(key, str | int) and not isinstance(key, bool) for key in keys):
        raise TypeError("a key is a text or a number")
    return [str(key) for key in keys]


def _texts(values: dict[str, Any], needed: tuple[str, ...]) -> dict[str, str]:
    """Return the texts of a line; raises where one that is needed is missing or is no text."""
    texts = {key: str(values[key]) for key in needed}
    others = ("_id", "text", "label")
    texts |= {key: str(values[key]) for key in others if values.get(key) is not None}
    for text in texts.values():
        text.encode()  # half a character can't be stored
    return texts


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines that aren't blank, each with its number in the file."""
    open_text = gzip.open if path.suffix == ".gz" else open
    try:
        with open_text(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(f"it can't be read: {error}", path) from None


def misspell(text: str, share: float, rng: random.Random) -> str:
    """Misspell about ``share`` of the longer words of a text, one random edit each.

    An edit drops, adds or replaces a letter, or swaps two neighbours, each as likely.
    """
    return " ".join(
        _edited(word, rng) if _letters(word) >= MIN_LETTERS and rng.random() < share else word
        for word in text.split()
    )


def _letters(word: str) -> int:
    return sum(character.isalpha() for character in word)


def _edited(word: str, rng: random.Random) -> str:
    at = rng.choice([i for i, character in enumerate(word) if character.isalpha()])
    letter = rng.choice(string.ascii_lowercase)
    return rng.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :],
        ]
    )
