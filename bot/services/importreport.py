"""What an import came to, for people and for programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bot.errors import InputError
from bot.sources import SourceReport
from bot.store.threads import Outcome


@dataclass
class ImportReport:
    """What an import came to: ``rejected`` is what was not accepted, and why.

    ``warned`` tells what was, but not just as it stands in the file. Of both, the first of
    a file and the last are named; the ``more_`` counters say how many there were between.
    ``retired`` counts threads that a newer copy of their source has no longer, and
    ``not_retired`` says why none were, where that was asked for. ``hints`` tell of options.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    rejected: list[InputError] = field(default_factory=list)
    warned: list[InputError] = field(default_factory=list)
    more_rejected: Counter[str] = field(default_factory=Counter)
    more_warned: Counter[str] = field(default_factory=Counter)
    unknown_keys: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    hints: list[str] = field(default_factory=list)
    retired: int = 0
    not_retired: str | None = None

    @property
    def added(self) -> int:
        """Threads that the library did not have."""
        return self.outcomes[Outcome.ADDED]

    @property
    def updated(self) -> int:
        """Threads that it had, in another version."""
        return self.outcomes[Outcome.UPDATED]

    @property
    def unchanged(self) -> int:
        """Threads that it had just so."""
        return self.outcomes[Outcome.UNCHANGED]

    @property
    def total(self) -> int:
        """All threads that were accepted."""
        return self.outcomes.total()

    @property
    def refused(self) -> int:
        """How much was not accepted, named or not."""
        return len(self.rejected) + self.more_rejected.total()

    @property
    def warnings(self) -> int:
        """How much got in otherwise, named or not."""
        return len(self.warned) + self.more_warned.total()

    @property
    def ok(self) -> bool:
        """Whether everything was accepted."""
        return not self.rejected

    def take_over(self, seen: SourceReport) -> None:
        """Add what reading left behind."""
        self.rejected += seen.rejected
        self.warned += seen.warned
        self.more_rejected += seen.more_rejected
        self.more_warned += seen.more_warned
        self.unknown_keys += seen.unknown_keys
        self.passed_over += seen.passed_over
        self.hints += seen.hints
