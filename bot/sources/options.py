"""Options of an import, and the limits of what is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of reading files, and of the threads that are wanted.

    ``format`` is a format's name (``None``: recognised by content). ``columns`` says
    which column of a table holds what (``question``, ``answer``, ...). ``site`` is
    where a dump comes from, as ``history.stackexchange.com``. Wanted are threads with
    at least ``min_score``, with one of ``tags`` (if any are named), at most ``limit``.
    ``encoding`` is what all files are in (``None``: told by their bytes). ``upload`` says that
    a member sent them, who has no command line: remarks name no options of it.
    """

    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    site: str | None = None
    min_score: int | None = None
    tags: frozenset[str] = frozenset()
    limit: int | None = None
    encoding: str | None = None
    upload: bool = False

    @property
    def wants_all(self) -> bool:
        """Return whether no thread is left out."""
        return self.min_score is None and not self.tags and self.limit is None

    def wants(self, score: int, tags: tuple[str, ...]) -> bool:
        """Return whether a thread with this score and these tags is wanted."""
        if self.min_score is not None and score < self.min_score:
            return False
        return not self.tags or not self.tags.isdisjoint(tags)


SCORES = range(-(2**63), 2**63)
"""Databases keep whole numbers in 64 bits."""

VOTES = range(-(2**31), 2**31)
"""Sums of one guild's votes: far from what databases can't add up."""

MAX_PAGE_BYTES = 4 * 1024 * 1024
"""Of a text page, which holds one thread: far more than people write."""

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Of a line of JSON, which is held in memory as a whole, and parsed to several times as much."""

MAX_TEXT = 512 * 1024
"""Characters of one text in a form that isn't ours: longer ones are no answers but damage,
such as a quote in a table that is never closed."""

MAX_FILE_BYTES = 128 * 1024 * 1024
"""Of a file that is held in memory as a whole, several times over while it is parsed."""

MAX_HTML_BYTES = 16 * 1024 * 1024
"""Of a web page: its tree takes many times as much memory."""
