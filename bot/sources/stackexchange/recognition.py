"""What a dump's files look like, and which part of a dump one is."""

from __future__ import annotations

import os
import re
from pathlib import Path

from bot.sources.files import Head
from bot.sources.stackexchange.archive import MAGIC

SUFFIXES = ("posts.xml", ".7z")
"""What names of dumps end in; their other files are read along with ``Posts.xml``."""

PARTS = ("posts", "users", "postlinks")
"""The files of a dump that are read; ``votes`` as well, where scores are missing."""

_ALL_PARTS = "badges comments posthistory postlinks posts tags users votes".split()
_PART = re.compile(rf"(?:^|[-_./\\])({'|'.join(_ALL_PARTS)})\.(?:xml|7z)$", re.IGNORECASE)


def looks_like(head: Head) -> bool:
    """Whether a file begins like one of a dump: a 7z archive, or XML with one of its roots."""
    if head.data.startswith(MAGIC):
        return True
    text = head.text.lstrip()
    return text.startswith("<") and _first_tag(text) in _ALL_PARTS


def part_of(name: str) -> str | None:
    """Which part of a dump a file holds, by its name or path: ``posts``, ``users`` and so on."""
    found = _PART.search(name)
    return found[1].lower() if found else None


def beside(path: Path, *parts: str) -> list[Path]:
    """The files of other parts that lie beside a dump's posts, and are called like them.

    Those that may be read, if no parts are named.
    """
    at = path.name.lower().rfind("posts.")
    if at < 0:
        return []
    begins, ends = path.name[:at].lower(), path.name[at + 5 :].lower()
    wanted = {f"{begins}{part}{ends}" for part in parts or (*PARTS, "votes") if part != "posts"}
    try:
        names = sorted(os.listdir(path.parent))
    except OSError:
        return []
    return [path.parent / name for name in names if name.lower() in wanted]


def _first_tag(text: str) -> str | None:
    """The name of the first element, whatever comes before it."""
    bare = re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
    found = re.search(r"<([A-Za-z][\w.-]*)[\s/>]", bare)
    return found[1] if found else None
