"""Rows of XML, sound and damaged, in chunks of any size: the same rows, lines and complaints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bot.sources.report import SourceReport
from bot.sources.stackexchange.xml_rows import XmlRows

HEAD = b'<?xml version="1.0" encoding="utf-8"?>\n<posts>\n'
PIECES = [
    b'  <row Id="1" Body="one" />\n',
    b'<row Id="2" Body="&lt;p&gt;two&lt;/p&gt;&#xA;" />\n',
    b'<row Id="3" Body="three" /><row Id="4" Body="four"/>\n',
    b'<row Id="5" Body="five" />\r\n',
    b'<row Id="6"\n Body="two\nlines" />\n',
    b'<row Id="7" Body="a > b" />\n',
    b'<row Id="8" Body="ends in />\n" />\n',
    b'<row Id="9"></row>\n',
    b'<row Id="10">text</row>\n',
    b'<row Id="11"><row Id="12" /></row>\n',
    b'<row Id="13" Body="no end >\n',
    b'<row Id="14" Id="15" />\n',
    b'<row Id="16" Body="&nbsp;" />\n',
    b'<row Id="17" Body="&#x1;" />\n',
    b'<row Id="18" Body="\xff" />\n',
    b"<row Id='19' Body='\xc3\xa9' />\n",
    b'<row Id="20" Body="&amp;amp; &#38; &#x26;lt; &quot;&apos;&lt;&gt;&#10;&#9;\t&#160;" />\n',
    b'<row Id="21" xml:lang="en" xmlns:a="b" a:c="d" />\n',
    b"<rows />\n",
    b'<x:row Id="22" />\n',
    b"<!-- <row Id='21' /> -->\n",
    b"<!--\n",
    b"-->\n",
    b"<?php ?>\n",
    b"junk\n",
    b"\n",
    b"</posts>\n",
]

Read = tuple[list[tuple[list[tuple[str, str]], int]], list[tuple[str, int | None]]]


def read(data: bytes, size: int) -> Read:
    """Return the rows with their lines, and the complaints about the rest."""
    report = SourceReport()

    def chunks() -> Iterator[bytes]:
        for at in range(0, len(data), size):
            yield data[at : at + size]

    found = []
    for row in XmlRows(Path("Posts.xml"), "posts", report).of(chunks()):
        if row is not None:
            found.append((sorted(row.values.items()), row.line))
    said = [(str(problem.reason), problem.line) for problem in (*report.rejected, *report.warned)]
    return found, said


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from([7, 30, 64, 200]))
def test_where_a_file_is_cut_into_chunks_makes_no_difference(
    pieces: list[bytes], size: int
) -> None:
    data = HEAD + b"".join(pieces) + b"</posts>\n"
    assert read(data, size) == read(data, len(data))


def test_rows_between_damaged_ones_are_read_with_their_lines() -> None:
    found, said = read(HEAD + b"".join(PIECES[:6] + PIECES[10:12]) + b"</posts>\n", 64)
    assert [(dict(values)["Id"], line) for values, line in found] == [
        ("1", 3),
        ("2", 4),
        ("3", 5),
        ("4", 5),
        ("5", 6),
        ("6", 7),
        ("7", 10),
    ]
    assert [line for _, line in said] == [11, 12]
