"""A thread that a reader knows of but has not made yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot import __version__
from bot.models import Thread

VERSION = f"{__version__}/4"
"""Goes into fingerprints and digests; raised when the same files make other threads than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What makes a thread, for readers whose making takes longer than their reading.

    ``fingerprint`` is a digest of all that the thread is made of, the manner included:
    where the library has the key with the same one, nothing needs to be made.
    """

    key: str
    source: str
    fingerprint: str
    make: Callable[[], Thread]
    score: int = 0
    tags: tuple[str, ...] = ()


Found = Thread | Draft
