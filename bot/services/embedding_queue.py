"""The queue of threads and phrasings without vectors, in which scopes take turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Work:
    """The next texts to embed: threads by themselves, and phrasings of threads, by their ids.

    Each comes with its scope, a thread's phrasings with how many they are.
    """

    threads: list[tuple[int, int]] = field(default_factory=list)
    phrasings: list[tuple[int, int, int]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.threads or self.phrasings)


@dataclass(slots=True)
class _Waiting:
    """The waiting texts of one scope: threads come before any phrasings."""

    threads: deque[int] = field(default_factory=deque)
    phrasings: deque[tuple[int, int]] = field(default_factory=deque)

    def __bool__(self) -> bool:
        return bool(self.threads or self.phrasings)


class EmbeddingQueue:
    """Threads without vectors, by scope; one of each scope is taken in its turn.

    ``seq`` is the change of the library up to which it knows what there is to do.
    """

    def __init__(self) -> None:
        self.seq = 0
        self._scopes: dict[int, _Waiting] = {}  # in the order of their turns

    def __bool__(self) -> bool:
        return bool(self._scopes)

    def add(self, scope: int, thread_ids: Iterable[int]) -> None:
        """Have threads of a scope wait."""
        self._of(scope).threads.extend(thread_ids)

    def add_phrasings(self, scope: int, thread_id: int, count: int) -> None:
        """Have the phrasings of a thread wait until all threads of its scope are done."""
        self._of(scope).phrasings.append((thread_id, count))

    def take(self, most: int) -> Work:
        """Return the next to be done: about so many texts, one of each scope after the other."""
        work = Work()
        while most > 0 and self._scopes:
            scope = next(iter(self._scopes))
            waiting = self._scopes.pop(scope)
            if waiting.threads:
                work.threads.append((scope, waiting.threads.popleft()))
                most -= 1
            else:
                thread_id, count = waiting.phrasings.popleft()
                work.phrasings.append((scope, thread_id, count))
                most -= count
            if waiting:
                self._scopes[scope] = waiting  # behind the others now
        return work

    def put_back(self, work: Work) -> None:
        """Have what was taken wait again, before what waits now."""
        for scope, thread_id in reversed(work.threads):
            self._of(scope).threads.appendleft(thread_id)
        for scope, thread_id, count in reversed(work.phrasings):
            self._of(scope).phrasings.appendleft((thread_id, count))

    def clear(self) -> None:
        """Forget all that waits, and how far that was known."""
        self._scopes.clear()
        self.seq = 0

    def _of(self, scope: int) -> _Waiting:
        return self._scopes.setdefault(scope, _Waiting())
