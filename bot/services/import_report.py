"""The report of an import."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bot.sources.report import Findings
from bot.store.threads import Outcome


@dataclass
class ImportReport(Findings):
    """Counts of an import's threads by outcome, and the findings of its readers.

    ``retired`` counts threads that a newer copy of their source has no longer, and
    ``not_retired`` says why none were, where that was asked for. ``former_keys`` are those
    that threads keep from older versions of the program.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    retired: int = 0
    not_retired: str | None = None
    former_keys: list[str] = field(default_factory=list)

    @property
    def added(self) -> int:
        """Count the threads that the library did not have."""
        return self.outcomes[Outcome.ADDED]

    @property
    def updated(self) -> int:
        """Count the threads that it had in another version."""
        return self.outcomes[Outcome.UPDATED]

    @property
    def unchanged(self) -> int:
        """Count the threads that it had just so."""
        return self.outcomes[Outcome.UNCHANGED]

    @property
    def total(self) -> int:
        """Count all threads that were accepted."""
        return self.outcomes.total()

    @property
    def ok(self) -> bool:
        """Return whether everything was accepted."""
        return not self.rejected
