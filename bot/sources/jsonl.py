"""JSON Lines: one thread a line, in and out without loss; also packed with gzip.

A line is read only up to ``MAX_LINE_BYTES`` and threads are handed on one by one, so a
file of any size takes little memory. A line that is refused doesn't keep the others out.
Ids are unique within an import; the same id in a later one updates the thread. A line may
also be a pair of question and answer under other names: those are handed on at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from bot.models import Thread
from bot.sources.decoding import FileHead, read_text
from bot.sources.file_format import Format
from bot.sources.files import MAX_LINE_BYTES, Broken, Options, reason, unpacked
from bot.sources.help_desk import ARTICLE_KEYS
from bot.sources.history_lines import is_history
from bot.sources.json_thread import (
    THREAD_KEYS,
    FieldError,
    is_export,
    is_line,
    thread_to,
)
from bot.sources.qa_json import QaObjects, is_ours, is_spread, keys_of, load_json
from bot.sources.report import SourceReport

_PIECE = 1024 * 1024
_BOM = b"\xef\xbb\xbf"


def write_thread(thread: Thread) -> str:
    """Return one line of JSON without its newline; reading it gives an equal thread."""
    return json.dumps(thread_to(thread), ensure_ascii=False, allow_nan=False)


def looks_like_lines(head: FileHead) -> bool:
    """Return whether the first line is an object, as far as one can see."""
    text = head.text.lstrip()
    return text.startswith("{") and not is_spread(text)


def read_lines(path: Path, report: SourceReport, options: Options) -> Iterator[Thread]:
    """Read a file's threads one by one; names each line that is refused in the report.

    A file that breaks off, or can't be read on, is named with the line; what came before
    was handed on.
    """
    lines = _LineReader(path, report, options)
    try:
        if options.encoding is None:
            with unpacked(path) as (stream, _):
                yield from lines.threads(stream)
        else:
            text = read_text(path, options)
            yield from lines.threads(BytesIO(text.encode(errors="surrogatepass")))
    except Broken as error:
        report.reject(reason(error), path, lines.number + 1 if lines.number else None)


class _LineReader:
    """Reads one file line by line; knows the line's number and the ids so far."""

    def __init__(self, path: Path, report: SourceReport, options: Options) -> None:
        self.number = 0
        self._path, self._report = path, report
        self._objects = QaObjects(path, report, options)
        self._upload = options.upload

    def threads(self, stream: BinaryIO) -> Iterator[Thread]:
        first = True
        for line in self._short_lines(stream):
            if first and line in (b"{", b"["):
                # Each of its lines would be refused: say once what is wrong instead.
                self._reject(
                    "the JSON is spread over several lines; write one thread a line, or "
                    + ("call it .json" if self._upload else "read it with --format json")
                )
                return
            first = False
            thread = self._thread(line)
            if thread is not None:
                yield thread
        yield from self._objects.threads()

    def _short_lines(self, stream: BinaryIO) -> Iterator[bytes]:
        """Yield the lines that are not blank, stripped; those that are too long are refused."""
        while line := stream.readline(MAX_LINE_BYTES + 1):
            size = len(line)
            if size > MAX_LINE_BYTES and not line.endswith(b"\n"):
                while piece := stream.readline(_PIECE):
                    size += len(piece)
                    if piece.endswith(b"\n"):
                        break
                line = b""
            self.number += 1
            if size > len(line):
                megabytes, limit = size / 1024**2, MAX_LINE_BYTES // 1024**2
                self._reject(f"the line is {megabytes:.1f} MB long; up to {limit} MB are read")
            elif line := (line.removeprefix(_BOM) if self.number == 1 else line).strip():
                yield line

    def _thread(self, line: bytes) -> Thread | None:
        try:
            value = _parsed(line)
        except FieldError as error:
            self._reject(str(error))
            return None
        if not isinstance(value, dict):
            return self._objects.thread(value, self.number)
        if is_history(value):
            self._note_history()
        elif self._is_pair(value):
            self._objects.entry(value, self.number)
        elif not value.keys() & {"id", "title"}:
            self._reject(
                f'a line needs "id" and "title", or "question" and "answer"{keys_of(value)}'
            )
        elif self._is_others(value):
            self._reject(
                f"it has an id and a title, but no answers{keys_of(value)}; if it is a "
                'question, give it "answers": [{"body": "…"}], or [] while it has none'
            )
        else:
            return self._objects.thread(value, self.number)
        return None

    def _note_history(self) -> None:
        """Note that the file has what was changed of its threads: see ``history_lines``."""
        if not self._upload and self._path not in self._report.histories:
            self._report.histories.append(self._path)

    def _is_pair(self, value: dict[str, Any]) -> bool:
        """Return whether a line is another program's: a question with its answer, or an article."""
        is_article = "answers" not in value and bool(value.keys() & ARTICLE_KEYS)
        return (is_article or not is_ours(value)) and self._objects.is_entry(value)

    def _is_others(self, value: dict[str, Any]) -> bool:
        """Return whether a line isn't in our form: a list of goods has ids and titles too.

        In a file of other JSON, a text without a word of answers is somebody's article.
        """
        if self._path.name.lower().removesuffix(".gz").endswith(".json"):
            return not (is_export(value) or is_line(value))
        return "answers" not in value and not value.keys() <= THREAD_KEYS

    def _reject(self, why: str) -> None:
        self._report.reject(why, self._path, self.number)


def _parsed(line: bytes) -> object:
    try:
        return load_json(line.decode())
    except UnicodeDecodeError as error:
        byte = f"byte 0x{line[error.start]:02x} at position {error.start}"
        raise FieldError(f"it is not UTF-8 text ({byte})") from None
    except json.JSONDecodeError as error:
        raise FieldError(f"it is not JSON: {error.msg} at character {error.colno}") from None
    except FieldError:
        raise
    except ValueError:
        raise FieldError("a number in it has too many digits") from None


FORMAT = Format(
    name="jsonl",
    suffixes=(".jsonl", ".jsonl.gz"),
    looks_like=looks_like_lines,
    read=read_lines,
    utf16=False,
)
