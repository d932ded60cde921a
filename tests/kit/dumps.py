"""Small Stack Exchange dumps, written by hand, and real ones counted by a plain XML reader."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from tests.kit import paths

SHARED = paths.SHARED / "dumps"

BOM = "\ufeff"
Values = dict[str, Any]


def question(number: int, title: str = "", **values: Any) -> Values:
    """A question's row."""
    return {
        "Id": number,
        "PostTypeId": 1,
        "CreationDate": "2019-01-02T03:04:05.678",
        "Score": 0,
        "Body": f"<p>The text of {number}.</p>",
        "Title": title or f"What is number {number}?",
        "Tags": "<one><two-three>",
    } | values


def answer(number: int, parent: int, **values: Any) -> Values:
    """An answer's row."""
    return {
        "Id": number,
        "PostTypeId": 2,
        "ParentId": parent,
        "CreationDate": "2019-02-03T04:05:06.789",
        "Score": 0,
        "Body": f"<p>It is <b>{number}</b>.</p>",
    } | values


def rows(root: str, some: Iterable[Values]) -> str:
    """A file of the dump; a value that is ``None`` is left out."""
    lines = "".join(f"  <row {_attributes(values)} />\r\n" for values in some)
    return f'{BOM}<?xml version="1.0" encoding="utf-8"?>\r\n<{root}>\r\n{lines}</{root}>'


def put(folder: Path, posts: Iterable[Values], **others: Iterable[Values]) -> Path:
    """Write a dump into a folder; ``others`` are files by name, such as ``Users``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, some in {"Posts": posts, **others}.items():
        content = rows(name.lower(), some)
        (folder / f"{name}.xml").write_text(content, encoding="utf-8", newline="")
    return folder


def plain(file: Path) -> list[dict[str, str]]:
    """All rows of a file by the standard library's reader; none of a file that is not there."""
    return [row.attrib for row in ElementTree.parse(file).getroot()] if file.exists() else []


def _attributes(values: Values) -> str:
    escaped = {"\n": "&#xA;", "\r": "&#xD;", '"': "&quot;"}
    given = ((name, value) for name, value in values.items() if value is not None)
    return " ".join(f"{name}={quoteattr(str(value), escaped)}" for name, value in given)
