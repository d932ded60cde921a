"""Answering: from a question to its verdict, with the threads to show or to suggest."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import ParamSpec, Protocol, TypeVar

from bot.guild_settings import GuildSettings
from bot.models import (
    SHARED,
    Match,
    Policy,
    Reply,
    StoredAnswer,
    StoredThread,
    Verdict,
)
from bot.observing import UNOBSERVED, Observer, timed_question, timed_search
from bot.search.engine import Engine
from bot.search.index import IndexDamaged
from bot.services.backgrounds import Backgrounds
from bot.services.guilds import Guilds, PhrasingCache
from bot.services.queues import Busy, FairQueue
from bot.services.shared_votes import shared_votes
from bot.store import own_threads, threads
from bot.store.database import Database

P = ParamSpec("P")

MAX_SUGGESTIONS = 5
"""Threads in one "Did you mean", at most."""

USUAL_SUGGESTIONS = 3
"""Threads in one "Did you mean", unless further ones are close to the first."""

CLOSE_TO_FIRST = 0.5
"""Share of the first match's confidence from which a fourth or fifth is suggested. On covid-faq,
clinc-oos and banking77-oos more than half of the menus that had more than three have no more
than that; of the questions, 0.8, 0.1 and 0.1 % lose the right thread."""

SHARE_OF_FIRST = 0.2
"""Share of the first match's confidence from which another is suggested beside it: as one of
them is meant, what speaks for the first speaks against the others."""

MAX_RELATED = 50
"""Related threads looked up for one thread; most of them are in no library."""

log = logging.getLogger(__name__)


class HasConfidence(Protocol):
    """A match, with its confidences in [0, 1]."""

    @property
    def confidence(self) -> float:
        """The probability that this one is meant."""

    @property
    def together(self) -> float:
        """The probability that this one is meant, or one before it."""


MatchLike = TypeVar("MatchLike", bound=HasConfidence)


def suggestions_among(matches: Sequence[MatchLike]) -> list[MatchLike]:
    """Return the matches to suggest, best first."""
    first = matches[0].confidence if matches else 0.0
    usual, more = matches[:USUAL_SUGGESTIONS], matches[USUAL_SUGGESTIONS:MAX_SUGGESTIONS]
    worth = [match for match in usual if match.confidence >= SHARE_OF_FIRST * first]
    return worth + [match for match in more if match.confidence >= CLOSE_TO_FIRST * first]


def likelihood(matches: Sequence[HasConfidence]) -> float:
    """Return the probability that one of the matches to suggest is meant."""
    shown = suggestions_among(matches)
    return shown[-1].together if shown else 0.0


def suggestions_without_first(matches: Sequence[MatchLike], least: float) -> list[MatchLike]:
    """Return the matches to suggest once the first was refused, best first.

    There are none unless one of them is meant with the probability ``least``. That the first is
    not meant leaves its probability to the others (Bayes).
    """
    others, refused = matches[1:], matches[0].confidence
    enough = refused + least * (1.0 - refused)
    return suggestions_among(others) if likelihood(others) >= enough else []


def weighed(confidence: float, evidence: float) -> float:
    """Return a confidence after more evidence, given in log-odds (natural logarithm)."""
    if evidence == 0.0 or not 0.0 < confidence < 1.0:
        return confidence
    return 1.0 / (1.0 + (1.0 - confidence) / confidence * math.exp(-evidence))


class Answering:
    """Answers questions, completes titles and finds threads, as one guild sees them.

    ``repair`` rebuilds a damaged search index.
    """

    def __init__(
        self,
        database: Database,
        engine: Engine,
        guilds: Guilds,
        repair: Callable[[], Awaitable[None]],
        observer: Observer = UNOBSERVED,
    ):
        self._database, self._engine, self._guilds = database, engine, guilds
        self._repair, self._observer = repair, observer
        self._phrasing_cache = PhrasingCache(database, engine, guilds)
        self._searching = FairQueue()
        self.backgrounds = Backgrounds(engine, self._searching)

    @property
    def is_busy(self) -> bool:
        """Return whether so many questions wait that another may be refused with Busy."""
        return self._searching.is_full

    @property
    def waiting(self) -> int:
        """The number of questions that wait."""
        return len(self._searching)

    async def close(self) -> None:
        """Stop the search threads."""
        await self.backgrounds.stop()
        self._searching.close()

    async def ask(
        self,
        question: str,
        *,
        guild_id: int = SHARED,
        limit: int = 5,
        asker: int | None = None,
        form_evidence: float = 0.0,
    ) -> Reply:
        """Return the verdict on a question, with up to ``limit`` matches, best first.

        ``asker`` is the member whose own words it is: what they taught counts for them.
        ``form_evidence`` is added to the log-odds of the first match before it is answered: what
        speaks for or against the text being a question at all.
        Raises Busy where too many questions wait.
        """
        with timed_question(self._observer, Busy) as timed:
            reply = await self._reply(question, guild_id, limit, asker, form_evidence)
            timed.outcome = reply.verdict
        return reply

    async def _reply(
        self, question: str, guild_id: int, limit: int, asker: int | None, form_evidence: float
    ) -> Reply:
        started = time.perf_counter()
        settings = await self._guilds.settings(guild_id)
        matches = await self._search(question, guild_id, max(limit, MAX_SUGGESTIONS), asker)
        thread = await self._answerable(matches, settings, guild_id, form_evidence)
        self.backgrounds.look(guild_id)
        reply = Reply(
            question=question,
            verdict=_verdict(matches, thread, settings),
            confidence=matches[0].confidence if matches else 0.0,
            matches=tuple(matches[:limit]),
            thread=thread,
            answer=thread.answers[0] if thread else None,
            took_ms=(time.perf_counter() - started) * 1000,
        )
        log.info(
            "asked in guild %d: %s, confidence %.2f, thread %s, %.1f ms",
            guild_id, reply.verdict, reply.confidence,
            matches[0].thread_id if matches else None, reply.took_ms,
        )  # fmt: skip
        log.debug("the question was: %r", question)
        return reply

    async def serve(self, thread_id: int, *, guild_id: int = SHARED) -> StoredThread | None:
        """Return a thread, its answers in serving order; ``None`` if the guild can't see it.

        In place of a shared one it is the guild's own version, if there is one.
        """
        async with self._database.read() as connection:
            thread_id = await own_threads.shown_id(connection, guild_id, thread_id)
            thread = (await threads.fetch(connection, [thread_id], guild_id)).get(thread_id)
        if thread is None:
            return None
        policy = (await self._guilds.settings(guild_id)).answer_policy
        shared = await shared_votes(self._database, self._engine, thread, guild_id)
        return replace(thread, answers=in_serving_order(thread.answers, policy, shared))

    async def related(
        self, thread: StoredThread, *, guild_id: int = SHARED, limit: int = 5
    ) -> list[tuple[str, str | None]]:
        """Return titles and URLs of the threads to which a thread's source links, in its order."""
        keys = [key for key in dict.fromkeys(thread.related) if key != thread.key]
        titles = await self._database.reading(threads.titles_of, keys[:MAX_RELATED], guild_id)
        return [titles[key] for key in keys if key in titles][:limit]

    async def complete(
        self, text: str, *, guild_id: int = SHARED, limit: int = 25, own: bool = False
    ) -> list[Match]:
        """Return threads by the beginnings of their titles' words, best first.

        With ``own``, the guild's own threads only.

        Raises Busy where too many questions wait.
        """
        return await self._looked_up(
            guild_id, self._engine.complete, text, guild_id, limit, own=own
        )

    async def find(self, key_or_words: str, *, guild_id: int = SHARED) -> StoredThread | None:
        """Return the thread with this source key, else the best match of the words, or ``None``."""
        # A terminal may hand on halves of surrogate pairs, which no database takes.
        key_or_words = key_or_words.strip().encode(errors="ignore").decode()
        thread_id = await self._database.reading(threads.id_of, key_or_words, guild_id)
        if thread_id is not None:
            return await self.serve(thread_id, guild_id=guild_id)
        floor = (await self._guilds.settings(guild_id)).suggest_threshold
        matches = await self._search(key_or_words, guild_id, MAX_SUGGESTIONS)
        if likelihood(matches) < floor:
            return None
        return await self.serve(matches[0].thread_id, guild_id=guild_id)

    async def _search(
        self, question: str, guild_id: int, limit: int, asker: int | None = None
    ) -> list[Match]:
        """Return a question's matches, by the guild's learned phrasings as well."""
        phrasings = (await self._phrasing_cache.of(guild_id)).asked_by(asker)
        return await self._looked_up(
            guild_id, self._engine.search, question, guild_id, limit, phrasings
        )

    async def _looked_up(
        self, asker: int, step: Callable[P, list[Match]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Match]:
        """Run a search in a guild's turn, and once more after a damaged index was rebuilt.

        Raises Busy where too many questions wait, and SearchError.
        """
        search = timed_search(self._observer, step, *args, **kwargs)
        try:
            return await self._searching.run(asker, search)
        except IndexDamaged:
            await self._repair()
            return await self._searching.run(asker, search)

    async def _answerable(
        self, matches: Sequence[Match], settings: GuildSettings, guild_id: int, form_evidence: float
    ) -> StoredThread | None:
        """Return the thread of the best match if it reaches the threshold and has an answer."""
        if not matches or weighed(matches[0].confidence, form_evidence) < settings.answer_threshold:
            return None
        thread = await self.serve(matches[0].thread_id, guild_id=guild_id)
        return thread if thread is not None and thread.answers else None


def in_serving_order(
    answers: Sequence[StoredAnswer],
    policy: Policy,
    shared: Mapping[int, int] = MappingProxyType({}),
) -> tuple[StoredAnswer, ...]:
    """Return answers in serving order.

    Here, ``shared`` votes count in an answer's tally, by the answer's id (see ``shared_votes``).

    Policy ``accepted``: the accepted answer, unless its tally is negative while
    another's is positive; then by tally, older first. Policy ``score``: by tally,
    accepted breaks ties, older first.
    """
    tallies = {a.id: a.tally + shared.get(a.id, 0) for a in answers}
    disliked = any(a.accepted and tallies[a.id] < 0 for a in answers)
    deposed = disliked and any(tallies[a.id] > 0 for a in answers if not a.accepted)
    accepted_leads = policy is Policy.ACCEPTED and not deposed

    def place(answer: StoredAnswer) -> tuple[bool, int, bool, float, int]:
        when = answer.answered_at.timestamp() if answer.answered_at else float("inf")
        leads = accepted_leads and answer.accepted
        wins_ties = policy is Policy.SCORE and answer.accepted
        return (not leads, -tallies[answer.id], not wins_ties, when, answer.id)

    return tuple(sorted(answers, key=place))


def _verdict(
    matches: Sequence[Match], thread: StoredThread | None, settings: GuildSettings
) -> Verdict:
    if thread is not None:
        return Verdict.ANSWER
    if matches and likelihood(matches) >= settings.suggest_threshold:
        return Verdict.SUGGEST
    return Verdict.NONE
