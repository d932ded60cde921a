"""Rows read many at a time, and one by one: the same rows, lines and complaints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sources.report import SourceReport
from bot.sources.stackexchange import xml_rows
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


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.sampled_from([7, 30, 64, 200, 10_000]))
def test_many_at_a_time_are_read_as_one_by_one(pieces: list[bytes], size: int) -> None:
    data = HEAD + b"".join(pieces) + b"</posts>\n"
    fast = read(data, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xml_rows, "_rows", lambda text, lines: [])
        assert read(data, size) == fast


def test_sound_rows_are_read_many_at_a_time() -> None:
    text = b"".join(b'  <row Id="%d" Body="a &lt; b" />\r\n' % n for n in range(100))
    found = [*xml_rows.xml_pieces([HEAD, text, text, b"</posts>\n"])]
    assert [len(stretch.rows) for stretch in found] == [0, 0, 100, 1, 0]
