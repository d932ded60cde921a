"""What an import may be told about the files that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How files are to be read, and which of their threads are wanted.

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
        """Whether no thread is left out."""
        return self.min_score is None and not self.tags and self.limit is None

    def wants(self, score: int, tags: tuple[str, ...]) -> bool:
        """Whether a thread with this score and these tags is wanted."""
        if self.min_score is not None and score < self.min_score:
            return False
        return not self.tags or not self.tags.isdisjoint(tags)
