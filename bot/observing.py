"""The interface by which services tell of their work to whoever measures it.

Nobody does by default: ``UNOBSERVED`` keeps nothing, and telling it takes a tenth of a
microsecond. ``bot/metrics.py`` has the observer that keeps figures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Observer:
    """Told what was done and how long it took, in seconds; may be told from any thread."""

    def asked(self, outcome: str, seconds: float) -> None:
        """A question has its verdict; or it is ``busy`` or ``failed``."""

    def limited(self, owner: str) -> None:
        """Something was refused: the limit of a ``member`` or of the ``server`` is reached."""

    def searched(self, waited: float, seconds: float) -> None:
        """A search has ended that had to wait for its turn."""

    def ran_model(self, work: str, seconds: float) -> None:
        """The embedding model has read a ``question``, or texts of the ``library``."""

    def used_database(self, access: str, waited: float, seconds: float) -> None:
        """A transaction has ended (``read`` or ``write``) that had to wait for its turn."""

    def database_failed(self) -> None:
        """The database could not be opened, read or written."""

    def voted(self, what: str, count: int = 1) -> None:
        """Votes were given (``up``, ``down``), taken back, refused, or reconciled."""

    def requested(self, method: str, status: str, seconds: float) -> None:
        """Discord has replied to a request with a status such as ``2xx``, or ``none``."""

    def shard_event(self, shard_id: int, event: str) -> None:
        """A shard is ``ready``, has ``resumed`` its session, or is ``disconnected``."""

    def incident(self) -> None:
        """Somebody was told that something went wrong."""


UNOBSERVED = Observer()


@dataclass(slots=True)
class _TimedQuestion:
    """A question that is being answered; ``outcome`` is set to its verdict."""

    outcome: str = "failed"


@contextmanager
def timed_question(observer: Observer, busy: type[Exception]) -> Iterator[_TimedQuestion]:
    """Tell of a question when the block ends; ``busy`` is raised where too many wait."""
    begun, question = time.perf_counter(), _TimedQuestion()
    try:
        yield question
    except busy:
        question.outcome = "busy"
        raise
    finally:
        observer.asked(question.outcome, time.perf_counter() - begun)


def timed_search(
    observer: Observer, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> Callable[[], T]:
    """Return a search that tells how long it waited, from now on, and how long it took."""
    asked = time.perf_counter()

    def search() -> T:
        begun = time.perf_counter()
        found = step(*args, **kwargs)
        observer.searched(begun - asked, time.perf_counter() - begun)
        return found

    return search
