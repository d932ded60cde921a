"""Search over one library: lexical and semantic retrieval, and the ranker over both.

``search`` finds the threads that a question means, ``complete`` those whose title is being
typed, ``writing`` keeps the index in step with the store. All of it is synchronous, takes
milliseconds and may be called from any thread.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import ModelError
from bot.models import SHARED, Match, Thread
from bot.search import outcomes
from bot.search.background import TYPICAL, Background
from bot.search.documents import Hit, answers_digest, without
from bot.search.guild_phrasings import NO_PHRASINGS, GuildPhrasings
from bot.search.hybrid_search import Begin, HybridSearch
from bot.search.index import TextIndex, Writing
from bot.search.query import Query, parse
from bot.search.ranker import Ranked, rank
from bot.search.view import View
from bot.search.view import complete as complete_titles

if TYPE_CHECKING:
    from bot.search.semantic.retrieval import SemanticIndex

LEXICAL_CANDIDATES = 100
"""Candidates where words alone decide; BM25's first 100 hold 62 % of the right ones
on travel-dups."""

MIN_VECTOR_SHARE = 0.9
"""Share of the threads that a guild sees which must have vectors before meaning counts."""

SAME_ANSWERS = 1_000
"""Threads with the same answers that are looked up; more have no effect."""

log = logging.getLogger(__name__)


class Engine:
    """Question in, ranked threads out."""

    def __init__(self, folder: Path, library: str, semantic: SemanticIndex | None = None):
        """Open or start the index of a library in ``folder``. Raises SearchError.

        Without ``semantic``, threads are found by their words alone.
        """
        self._index = TextIndex(folder, library)
        self.semantic = semantic
        self.unmeasured: set[int] = set()
        """Servers that asked while the background of what they see was to be measured (anew)."""
        self._model_failed = False
        if self._index.note:
            log.warning("the search index is made anew: %s", self._index.note)

    @property
    def note(self) -> str | None:
        """Return why the index had to be made anew when it was opened, if it had to."""
        return self._index.note

    @property
    def seq(self) -> int:
        """The change of the library that the index is up to, as its files say now."""
        return self._index.state.seq

    @property
    def has_suspects(self) -> bool:
        """Return whether files of the index showed damage that nobody has looked at yet."""
        return bool(self._index.suspects)

    @property
    def is_damaged(self) -> bool:
        """Return whether files of the index showed damage, or some of it is being made anew."""
        return bool(self._index.suspects or self._index.state.rebuild)

    def __len__(self) -> int:
        return len(self._index)

    def refresh(self) -> bool:
        """Take up what any process has written since; False if nothing was."""
        return self._index.refresh()

    def verify(self, most_bytes: int | None = None) -> None:
        """Look for damage in the files that are open, ``most_bytes`` of each index at a time."""
        self._index.verify(most_bytes)

    def verify_all(self) -> list[str]:
        """Look for damage in all files of every scope; takes seconds for a gigabyte.

        Returns what was found, which is made anew by the next writing.
        """
        return self._index.verify_all()

    def writing(self) -> Writing:
        """Take the index's write lock. Raises IndexBusy while another process has it."""
        return self._index.writing()

    def uses_meaning(self, guild_id: int) -> bool:
        """Return whether a guild's questions are matched by meaning as well."""
        return self._uses_meaning(guild_id, self._index.view(scopes(guild_id)))

    def background(self, guild_id: int) -> Background | None:
        """Return the background of what a guild sees; None where it is to be measured (anew).

        Without meaning there is none to be measured, and TYPICAL is returned.
        """
        return self._measured(guild_id, self._index.view(scopes(guild_id)))

    def measure_background(self, guild_id: int) -> Iterator[None]:
        """Measure the background of what a guild sees; questions may come between the steps.

        Raises ModelError, IndexDamaged, and OSError when it can't be written down.
        """
        view, semantic = self._index.view(scopes(guild_id)), self.semantic
        if semantic is not None and self._has_vectors(guild_id, view):
            measured = yield from semantic.measure(view)
            if measured.readable:
                ids = semantic.vector_index.sample(_scopes_of(view), outcomes.SAMPLE, outcomes.SEED)
                ask = partial(_ask, view, semantic, scopes(guild_id))
                found = yield from outcomes.measure(view, ids, ask, measured)
                measured = replace(measured, outcomes=found)
            semantic.backgrounds.put(_scopes_of(view), measured)

    def candidates(
        self,
        question: str,
        guild_id: int,
        limit: int = LEXICAL_CANDIDATES,
        leave_out: str | None = None,
        phrasings: GuildPhrasings = NO_PHRASINGS,
    ) -> list[Ranked]:
        """Return the threads that ``guild_id`` may see, with all that was found about each.

        ``leave_out`` is the key of a thread that is not to be found: the question's own.
        ``phrasings`` are this guild's learned phrasings.
        """
        # So a text's vector is made once.
        begin = cache(self.semantic.begin) if self.semantic else None
        ask = partial(self.retrieve, question, guild_id, leave_out, begin=begin)
        query, hits, cosines, background = ask(phrasings)
        depth = None if phrasings else limit  # a confirmed thread may be far down
        ranked = rank(query, hits, cosines, background, depth)
        return phrasings.prefer(query, ranked, lambda: rank(*ask(), limit))[:limit]

    def retrieve(
        self,
        question: str,
        guild_id: int,
        leave_out: str | None = None,
        phrasings: GuildPhrasings = NO_PHRASINGS,
        begin: Begin | None = None,
    ) -> tuple[Query, list[Hit], dict[int, float] | None, Background]:
        """Return what ``rank`` takes: the question as parsed, the candidates in no order, their
        cosines (None where words alone decide), and the background.

        ``begin`` makes vectors in place of the model itself.
        """
        view, semantic = self._index.view(scopes(guild_id)), self.semantic
        self._measured(guild_id, view)  # which is noted
        query = parse(question, view.words, view.idf, phrasings.stems)
        background = self._known_background(view) or TYPICAL
        if semantic is not None and query.words and self._uses_meaning(guild_id, view):
            try:
                search = HybridSearch(semantic, query, scopes(guild_id), phrasings, begin)
                hits, cosines = search.candidates(view, leave_out)
                self._model_failed = False
                return query, hits, cosines, background
            except ModelError as error:
                self._warn_of(error)
        hits = view.search(query.wanted, LEXICAL_CANDIDATES + 1)
        return query, phrasings.join(query, without(leave_out, hits)), None, background

    def search(
        self, question: str, guild_id: int, limit: int, phrasings: GuildPhrasings = NO_PHRASINGS
    ) -> list[Match]:
        """Return the threads that a question means, best first, one of each group."""
        ranked = self.candidates(question, guild_id, LEXICAL_CANDIDATES, phrasings=phrasings)
        return [
            Match(r.hit.thread_id, r.hit.key, r.hit.title, r.confidence, r.together)
            for r in one_of_each_group(ranked)[:limit]
        ]

    def same_answers(self, thread: Thread, guild_id: int) -> list[int]:
        """Return the ids of the threads a guild sees that have just a thread's answers.

        Itself is one of them, as soon as it is indexed. Raises IndexDamaged.
        """
        view = self._index.view(scopes(guild_id))
        return view.with_answers(answers_digest(thread), SAME_ANSWERS)

    def complete(self, text: str, guild_id: int, limit: int, *, own: bool = False) -> list[Match]:
        """Return the threads whose title starts like, contains or resembles what is being typed.

        ``own`` leaves out those of the shared library.
        """
        view = self._index.view((guild_id,) if own else scopes(guild_id))
        return complete_titles(view, text, limit)

    def _uses_meaning(self, guild_id: int, view: View) -> bool:
        background = self._known_background(view)
        readable = background is None or background.readable
        return readable and self._has_vectors(guild_id, view)

    def _measured(self, guild_id: int, view: View) -> Background | None:
        """Return what ``background`` does, and note where there is something to measure."""
        found: Background | None = TYPICAL
        if self._has_vectors(guild_id, view):
            known = self._known_background(view)
            found = known if known is not None and known.fits(len(view)) else None
        if found is None:
            self.unmeasured.add(guild_id)
        else:
            self.unmeasured.discard(guild_id)
        return found

    def _known_background(self, view: View) -> Background | None:
        return self.semantic.backgrounds.get(_scopes_of(view)) if self.semantic else None

    def _has_vectors(self, guild_id: int, view: View) -> bool:
        seen = scopes(guild_id)
        vectors = 0 if self.semantic is None else self.semantic.vector_index.threads_in(seen)
        return vectors > 0 and vectors > MIN_VECTOR_SHARE * len(view) - 1

    def _warn_of(self, error: ModelError) -> None:
        """Say that questions have to do with words, once until the model works again."""
        if not self._model_failed:
            log.warning("questions are matched by their words alone for now: %s", error)
        self._model_failed = True


def _ask(
    view: View, semantic: SemanticIndex, scopes: Sequence[int], text: str
) -> outcomes.Retrieved:
    """Return a question's candidates by words and by meaning. Raises ModelError."""
    query = parse(text, view.words, view.idf)
    return query, *HybridSearch(semantic, query, scopes).candidates(view)


def one_of_each_group(ranked: Sequence[Ranked]) -> list[Ranked]:
    """Return the first match of each group, which is what somebody who asks is offered of it."""
    first_of_group = {r.group: r for r in reversed(ranked)}
    return [r for r in ranked if first_of_group[r.group] is r]


def scopes(guild_id: int) -> Sequence[int]:
    """Return the scopes that a guild sees: the shared library and its own."""
    return (SHARED,) if guild_id == SHARED else (SHARED, guild_id)


def _scopes_of(view: View) -> tuple[int, ...]:
    """Return the scopes of which a view has threads."""
    return tuple(part.scope for part in view.parts)
