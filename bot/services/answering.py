"""Answering: a question to its verdict, a thread to its answers in serving order."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import ParamSpec

from bot.models import (
    SHARED,
    GuildSettings,
    Match,
    Policy,
    Reply,
    StoredAnswer,
    StoredThread,
    Verdict,
)
from bot.search.engine import Engine
from bot.search.index import IndexDamaged
from bot.services.fair_queue import FairQueue
from bot.services.guilds import Guilds
from bot.services.phrasing_cache import PhrasingCache
from bot.services.suggestions import MAX_SUGGESTIONS, likelihood
from bot.store import threads
from bot.store.database import Database

P = ParamSpec("P")

LOOKED_UP = 50
"""Related threads that are looked up at most; a library has but some of them."""

log = logging.getLogger(__name__)

_ASKING = re.compile(
    r"^\W*(?:(?:hi|hey|hello|so|ok|okay|and|but|please|guys|everyone|all|anyone)\b\W*)*"
    r"(?:who|whom|whose|what|whats|when|where|which|why|how|hows|is|are|am|was|were|do|does|did|"
    r"can|could|may|might|will|would|shall|should|has|have|had|any\s?(?:one|body|idea|way)|"
    r"isnt|arent|dont|doesnt|didnt|cant|couldnt|wont|wouldnt|help)\b",
    re.IGNORECASE,
)
_QUESTION_MARKS = ("?", "\uff1f", "\u061f", "\u037e")


def reads_like_a_question(text: str) -> bool:
    """Whether a message asks something: a question mark, or the way questions begin."""
    if any(mark in text for mark in _QUESTION_MARKS):
        return True
    spoken = text.replace("'", "").replace("\u2019", "")
    return len(spoken.split()) >= 3 and _ASKING.match(spoken) is not None


class Answering:
    """What the house says to a question, and how it shows a thread.

    ``mend`` has a damaged search index made anew.
    """

    def __init__(
        self,
        database: Database,
        engine: Engine,
        guilds: Guilds,
        mend: Callable[[], Awaitable[None]],
    ):
        self._database, self._engine, self._guilds = database, engine, guilds
        self._mend = mend
        self._phrasing_cache = PhrasingCache(database, engine, guilds)
        self._searching = FairQueue()

    @property
    def is_busy(self) -> bool:
        """Whether so many questions wait that one more may be turned away."""
        return self._searching.is_full

    def close(self) -> None:
        """Search no more."""
        self._searching.close()

    async def ask(self, question: str, *, guild_id: int = SHARED, limit: int = 5) -> Reply:
        """The verdict on a question, with up to ``limit`` matches, best first.

        Raises Busy where too many questions wait.
        """
        started = time.perf_counter()
        settings = await self._guilds.settings(guild_id)
        matches = await self._search(question, guild_id, max(limit, MAX_SUGGESTIONS))
        thread = await self._answerable(matches, settings, guild_id)
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
        """A thread as a guild sees it, the answer to serve first; ``None`` if it may not."""
        async with self._database.read() as connection:
            found = await threads.fetch(connection, [thread_id], guild_id)
        thread = found.get(thread_id)
        if thread is None:
            return None
        policy = (await self._guilds.settings(guild_id)).policy
        return replace(thread, answers=in_serving_order(thread.answers, policy))

    async def related(
        self, thread: StoredThread, *, guild_id: int = SHARED, limit: int = 5
    ) -> list[tuple[str, str | None]]:
        """The threads that a thread's source points to: titles and addresses, in its order."""
        keys = [key for key in dict.fromkeys(thread.related) if key != thread.key]
        async with self._database.read() as connection:
            found = await threads.titles_of(connection, keys[:LOOKED_UP], guild_id)
        return [found[key] for key in keys if key in found][:limit]

    async def complete(
        self, text: str, *, guild_id: int = SHARED, limit: int = 25, own: bool = False
    ) -> list[Match]:
        """Threads whose title someone is typing, likeliest first; only a guild's ``own``.

        Raises Busy where too many questions wait.
        """
        return await self._looked_up(
            guild_id, self._engine.complete, text, guild_id, limit, own=own
        )

    async def find(self, key_or_words: str, *, guild_id: int = SHARED) -> StoredThread | None:
        """The thread with this source key, else the one that the words are most like."""
        # A terminal may hand on halves of surrogate pairs, which no database takes.
        key_or_words = key_or_words.strip().encode(errors="ignore").decode()
        async with self._database.read() as connection:
            thread_id = await threads.id_of(connection, key_or_words, guild_id)
        if thread_id is not None:
            return await self.serve(thread_id, guild_id=guild_id)
        floor = (await self._guilds.settings(guild_id)).suggest_threshold
        matches = await self._search(key_or_words, guild_id, MAX_SUGGESTIONS)
        if likelihood(matches) < floor:
            return None
        return await self.serve(matches[0].thread_id, guild_id=guild_id)

    async def _search(self, question: str, guild_id: int, limit: int) -> list[Match]:
        """The threads that a question means, by what this guild has taught as well."""
        taught = await self._phrasing_cache.of(guild_id)
        return await self._looked_up(
            guild_id, self._engine.search, question, guild_id, limit, taught
        )

    async def _looked_up(
        self, asker: int, step: Callable[P, list[Match]], *args: P.args, **kwargs: P.kwargs
    ) -> list[Match]:
        """Look something up in a guild's turn; once more if the index is damaged, when mended.

        Raises Busy where too many questions wait, and SearchError.
        """
        try:
            return await self._searching.run(asker, step, *args, **kwargs)
        except IndexDamaged:
            await self._mend()
            return await self._searching.run(asker, step, *args, **kwargs)

    async def _answerable(
        self, matches: Sequence[Match], settings: GuildSettings, guild_id: int
    ) -> StoredThread | None:
        """The best match as a thread, if it is sure enough and has an answer."""
        if not matches or matches[0].confidence < settings.answer_threshold:
            return None
        thread = await self.serve(matches[0].thread_id, guild_id=guild_id)
        return thread if thread is not None and thread.answers else None


def in_serving_order(answers: Sequence[StoredAnswer], policy: Policy) -> tuple[StoredAnswer, ...]:
    """A thread's answers, the one to serve first.

    Policy ``accepted``: the accepted answer, unless its tally is negative while
    another's is positive; then by tally, older first. Policy ``score``: by tally,
    accepted breaks ties, older first.
    """
    disliked = any(a.accepted and a.tally < 0 for a in answers)
    deposed = disliked and any(a.tally > 0 for a in answers if not a.accepted)
    accepted_leads = policy is Policy.ACCEPTED and not deposed

    def place(answer: StoredAnswer) -> tuple[bool, int, bool, float, int]:
        when = answer.answered_at.timestamp() if answer.answered_at else float("inf")
        leads = accepted_leads and answer.accepted
        wins_ties = policy is Policy.SCORE and answer.accepted
        return (not leads, -answer.tally, not wins_ties, when, answer.id)

    return tuple(sorted(answers, key=place))


def _verdict(
    matches: Sequence[Match], thread: StoredThread | None, settings: GuildSettings
) -> Verdict:
    if thread is not None:
        return Verdict.ANSWER
    if matches and likelihood(matches) >= settings.suggest_threshold:
        return Verdict.SUGGEST
    return Verdict.NONE
