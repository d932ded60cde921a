"""Reader of tables (CSV, TSV): a row is a question with an answer, the header names columns.

Rows with the same question, or the same id, are one thread with several answers. A cell
may hold several lines. A row that is damaged costs only itself: reading goes on with the
next line, even where a quote is never closed.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from bot.errors import InputError
from bot.models import Thread
from bot.sources.decoding import FileHead, read_table_lines
from bot.sources.file_format import Format
from bot.sources.files import MAX_TEXT, Options
from bot.sources.foreign_fields import FieldNames, field_of, plain_name
from bot.sources.group_by_question import QuestionGrouper
from bot.sources.report import SourceReport, printable

_DELIMITERS = ",;\t|"
_NAMED = re.compile(rf"sep=([{_DELIMITERS}])[\r\n]*", re.IGNORECASE)
"""A first line for Excel, which names the delimiter."""

_TEXTS = frozenset({"question", "answer", "body"})
_OF_QNA_MAKER = frozenset({"source", "metadata"})
"""Columns of QnA Maker's tables that say nothing about a thread: its file, its labels for bots."""

_LINE_END = re.compile(r"(?<!\\)(?:\\r)?\\n")
_INLINE_CODE = re.compile(r"((?<!`)`(?!`)[^`]*(?<!`)`(?!`))")

_MAX_LINES = 2_000
"""Lines of one row: with more, its quote is taken for one that is never closed."""

csv.field_size_limit(2 * MAX_TEXT)  # so that a long cell is refused in our words


@dataclass(frozen=True, slots=True)
class _TableRow:
    line: int
    cells: list[str]
    problem: str = ""


def looks_like_table(head: FileHead) -> bool:
    """Return whether the first line names a column of questions and one of answers."""
    fields = {field_of(cell) for cell in _header(head.text)}
    return {"question", "answer"} <= fields


def read_table(path: Path, report: SourceReport, options: Options) -> Iterator[Thread]:
    """Yield the threads of a table; names each row that is refused in the report.

    Raises InputError when the table has no rows, or no columns of questions and answers,
    OSError when it can't be read.
    """
    lines = read_table_lines(path, report, options)
    if lines and (named := _NAMED.fullmatch(lines[0] or "")):
        delimiter = named[1]
        lines = ["\n", *lines[1:]]
    else:
        delimiter = _delimiter("".join(line or "" for line in islice(lines, 20)))
    rows = _rows(lines, delimiter)
    header = next((row for row in rows if row.problem or any(map(str.strip, row.cells))), None)
    if header is None:
        raise InputError("the table is empty", path)
    if header.problem:
        raise InputError(header.problem, path, header.line)
    columns = _columns(header.cells, options, path)
    called = {field: header.cells[at].strip() for field, at in columns.items()}
    if _by_number(header.cells, options.columns):
        rows = chain([header], rows)
        called = {}
    grouper = QuestionGrouper(path, report, lambda field: called.get(field, field))
    reading = _TableReader(header.cells, columns, grouper, report)
    taken = [reading.take(row) for row in rows]
    if not any(taken) and None not in lines:  # one of those was named, and may have been a row
        raise InputError("there are no rows below the table's header", path)
    yield from grouper.threads()


class _TableReader:
    """Hands rows to the grouper, and counts columns that hold no field."""

    def __init__(
        self,
        header: Sequence[str],
        columns: Mapping[str, int],
        grouper: QuestionGrouper,
        report: SourceReport,
    ):
        self._width, self._columns = len(header), columns
        self._grouper, self._report = grouper, report
        self._escaped = _is_of_qna_maker(header)
        known = {*columns.values()}
        self._others = {
            at: printable(name.strip()) or f"column {at + 1}"
            for at, name in enumerate(header)
            if at not in known and not (self._escaped and plain_name(name) in _OF_QNA_MAKER)
        }

    def take(self, row: _TableRow) -> bool:
        """Take in a row, or name it; False where there is nothing in it."""
        cells = row.cells
        if not row.problem and not any(map(str.strip, cells)):
            return False
        if row.problem:
            self._grouper.reject(row.problem, row.line)
        elif len(cells) > self._width and any(map(str.strip, cells[self._width :])):
            self._grouper.reject(
                f"it has {len(cells)} cells, the header {self._width}: a text with a delimiter in "
                "it must stand between quotes",
                row.line,
            )
        else:
            values = {field: cells[at] for field, at in self._columns.items() if at < len(cells)}
            if self._escaped:
                values |= {field: _with_lines(values[field]) for field in _TEXTS & values.keys()}
            self._grouper.add(values, row.line)
            for at, name in self._others.items():
                if at < len(cells) and cells[at].strip():
                    self._report.count_unknown(name)
        return True


def _is_of_qna_maker(header: Sequence[str]) -> bool:
    """Return whether it is a table of Microsoft's QnA Maker, in which a line ends with ``\\n``."""
    return {"question", "answer", *_OF_QNA_MAKER} <= {plain_name(name) for name in header}


def _with_lines(text: str) -> str:
    """Replace ``\\n`` by line breaks, but for inline code."""
    parts = _INLINE_CODE.split(text)
    parts[::2] = [_LINE_END.sub("\n", part) for part in parts[::2]]
    return "".join(parts)


def _columns(header: Sequence[str], options: Options, path: Path) -> dict[str, int]:
    """Return columns by field. Raises InputError if questions or answers have none."""
    chosen = options.columns
    names = [cell.strip() for cell in header]
    there = ", ".join(name or "(no name)" for name in names[:30])
    if _by_number(names, chosen):
        columns = {field: number - 1 for field, number in _numbers(chosen).items()}
        if far := [number + 1 for number in columns.values() if not 0 <= number < len(names)]:
            raise InputError(f"it has no column {far[0]}; it has {len(names)}", path)
        return columns
    named = FieldNames(chosen).by_field(names)
    for field, name in chosen.items():
        if field not in named:
            raise InputError(f"it has no column {name!r}; its columns are {there}", path)
    missing = " and ".join(field for field in ("question", "answer") if field not in named)
    if missing:
        raise InputError(
            f"no column is named like {missing}; its columns are {there}. "
            + (
                "Name two of them question and answer"
                if options.upload
                else "Say which is which: --map question=COLUMN,answer=COLUMN"
            ),
            path,
        )
    return {field: names.index(name) for field, name in named.items()}


def _by_number(names: Sequence[str], chosen: Mapping[str, str]) -> bool:
    """Return whether columns are told by their numbers: the table has no header then."""
    return (
        bool(chosen) and len(_numbers(chosen)) == len(chosen) and not {*chosen.values()} & {*names}
    )


def _numbers(chosen: Mapping[str, str]) -> dict[str, int]:
    return {field: int(name) for field, name in chosen.items() if re.fullmatch("[0-9]{1,4}", name)}


def _rows(lines: Sequence[str | None], delimiter: str) -> Iterator[_TableRow]:
    """Yield each row with its first line; after a damaged row, the next line begins one."""
    at = 0
    while at < len(lines):
        if lines[at] is None:  # was named already
            at += 1
            continue
        reader = csv.reader(_lines_from(lines, at), delimiter=delimiter, strict=True)
        try:
            cells = next(reader, [])
            yield _TableRow(at + 1, cells)
            at += reader.line_num
        except csv.Error as error:
            if delimiter == "\t":  # many programs write quotes there as any other letter
                yield _TableRow(at + 1, (lines[at] or "").rstrip("\r\n").split(delimiter))
            else:
                yield _TableRow(at + 1, [], _problem(str(error)))
            at += 1


def _lines_from(lines: Sequence[str | None], start: int) -> Iterator[str]:
    """Yield as many lines as one row may have, up to one that could not be decoded."""
    for at in range(start, min(start + _MAX_LINES, len(lines))):
        if (line := lines[at]) is None:
            return
        yield line


def _problem(error: str) -> str:
    if "unexpected end of data" in error:
        return "a quote is opened here and never closed"
    if "expected after" in error:
        return 'its quotes don\'t fit: a quote inside a quoted text is written twice, ""'
    if "larger than field limit" in error:
        return f"a cell is longer than {2 * MAX_TEXT:,} characters"
    return f"it is no row of a table: {error}"


def _header(text: str) -> list[str]:
    lines = (line for line in text.splitlines() if line.strip() and not _NAMED.fullmatch(line))
    line = next(lines, "")
    try:
        return next(csv.reader([line], delimiter=_delimiter(line)), [])
    except csv.Error:
        return []


def _delimiter(text: str) -> str:
    """Return the delimiter: that of the header line, in which names seldom hold one."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=lambda sign: (line.count(sign), -_DELIMITERS.index(sign)))


FORMAT = Format(
    name="csv",
    suffixes=(".csv", ".tsv"),
    looks_like=looks_like_table,
    read=read_table,
)
