"""What is read of files, on its way to the store: found first, made ready where it is wanted."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from time import monotonic
from typing import NamedTuple, Protocol, TypeVar, cast

from bot.errors import ThreadwiseError
from bot.search.documents import Pieces, pieces_of
from bot.sources import Draft, Found
from bot.store.serialization import Packed, pack

PATIENCE = 0.2
"""Seconds after which a reader that finds nothing may say how far it is."""

T = TypeVar("T")


class Item(NamedTuple):
    """A thread that was found: ``what`` it is, or its number with whoever read it.

    What has a ``fingerprint`` need not be made ready where the library has the same.
    """

    key: str
    source: str | None
    fingerprint: str | None
    what: Found | int

    @classmethod
    def of(cls, found: Found, number: int | None = None) -> Item:
        """A thread or a draft, or in its place its number."""
        fingerprint = found.fingerprint if isinstance(found, Draft) else None
        return cls(found.key, found.source, fingerprint, found if number is None else number)


class Ready(NamedTuple):
    """A thread as the store and the index take it in."""

    packed: Packed
    pieces: Pieces


def some(found: Iterator[T | None], most: int) -> tuple[list[T], bool]:
    """The next of what is found, and whether that was the last of it.

    Fewer than ``most``, or nothing, where finding them takes a while.
    """
    taken: list[T] = []
    until = monotonic() + PATIENCE
    for one in found:
        if one is not None:
            taken.append(one)
        if len(taken) >= most or (one is None and monotonic() > until):
            return taken, False
    return taken, True


class Reader(Protocol):
    """Who reads; ``make`` may be called from several threads at a time."""

    def found(self) -> Iterator[Item | None]:
        """What there is, in order; ``None`` now and then while nothing is found yet."""
        ...

    def make(self, wanted: Sequence[Item], known: Sequence[Item]) -> list[Ready | str]:
        """The ``wanted``, or why one can't be made; none of both is asked for again."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...


class Here:
    """A reader in this process, of what is found one by one."""

    def __init__(self, found: Iterable[Found | None]):
        self._found = iter(found)

    def found(self) -> Iterator[Item | None]:
        """What there is, in order."""
        return (None if one is None else Item.of(one) for one in self._found)

    def make(self, wanted: Sequence[Item], known: Sequence[Item]) -> list[Ready | str]:
        """The wanted, made ready."""
        return [ready(cast("Found", item.what)) for item in wanted]

    def close(self) -> None:
        """Let go of the files."""
        if isinstance(self._found, Generator):
            self._found.close()


def ready(found: Found) -> Ready | str:
    """A thread made ready; a text in its place says why that can't be."""
    try:
        thread = found.make() if isinstance(found, Draft) else found
        packed = pack(thread, found.fingerprint if isinstance(found, Draft) else None)
        return Ready(packed, pieces_of(thread))
    except ThreadwiseError as error:
        return str(error)
    except (ValueError, RecursionError, MemoryError) as error:
        return f"its text can't be read ({type(error).__name__})"
