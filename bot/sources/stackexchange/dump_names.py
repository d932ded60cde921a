"""Names of a dump's files, the site that they tell of, and its addresses."""

from __future__ import annotations

import os
import re
from pathlib import Path

from bot.errors import ConfigError
from bot.models import plain_key
from bot.sources.decoding import FileHead
from bot.sources.stackexchange.archive import MAGIC

SUFFIXES = ("posts.xml", ".7z")
"""What names of dumps end in; their other files are read along with ``Posts.xml``."""

PARTS = ("posts", "users", "postlinks")
"""The files of a dump that are read; ``votes`` as well, where scores are missing."""

_ALL_PARTS = "badges comments posthistory postlinks posts tags users votes".split()
_PART = re.compile(rf"(?:^|[-_./\\])({'|'.join(_ALL_PARTS)})\.(?:xml|7z)$", re.IGNORECASE)


def looks_like(head: FileHead) -> bool:
    """Return whether a file begins like a dump's: a 7z archive, or XML with one of its roots."""
    if head.data.startswith(MAGIC):
        return True
    text = head.text.lstrip()
    return text.startswith("<") and _first_tag(text) in _ALL_PARTS


def part_of(name: str) -> str | None:
    """Return the part of a dump that a file holds, by its name: ``posts``, ``users`` and so on."""
    match = _PART.search(name)
    return match[1].lower() if match else None


def beside(path: Path, *parts: str) -> list[Path]:
    """Return the files of other parts that lie beside a dump's posts, and are called like them.

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
    """Return the name of the first element, whatever comes before it."""
    bare = re.sub(r"<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)
    match = re.search(r"<([A-Za-z][\w.-]*)[\s/>]", bare)
    return match[1] if match else None


# Names that the network's own sites end in; sites elsewhere have to be named.
_SITE = re.compile(
    r"(?:[a-z0-9-]+\.)*(?:stackexchange|stackoverflow|serverfault|superuser|askubuntu|stackapps)"
    r"\.com|(?:[a-z0-9-]+\.)*mathoverflow\.net",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]+")


def checked_site(name: str) -> str:
    """Return a site's name as a host: ``https://History.StackExchange.com/`` will do as well.

    Raises ConfigError for what can't be one.
    """
    host = re.sub(r"^https?://", "", name.strip().lower()).rstrip("/")
    if not _HOST.fullmatch(host):
        raise ConfigError(f"{name!r} is not a site's name; one is like history.stackexchange.com")
    return host


def site_of(path: Path) -> str | None:
    """Return the site that a dump's file is from, by its name or its folder's, where they tell."""
    real = path.resolve()
    for name in (real.name, real.parent.name):
        match = _SITE.match(name)
        if match and not name[match.end() :][:1].isalnum():
            return match[0].lower()
    return None


def source_of(path: Path) -> str:
    """Return a name for a dump of an unknown site: its file's, or else its folder's."""
    real = path.resolve()
    own = real.name.lower() not in ("posts.xml", "posts.7z")
    return plain_key(real.stem if own else real.parent.name) or "dump"
