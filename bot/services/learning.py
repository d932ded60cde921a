"""Learned phrasings: a question that its asker confirms becomes a phrasing of the thread.

Until then, questions are in memory only and go with the process. So nothing is learned from
a posting made before a restart, but what was learned from it can still be taken back.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime

from bot.errors import NotFound
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import SHARED, Posting, Vote
from bot.phrasings import LearnedPhrasing, Standing
from bot.search.text import clean, wording
from bot.services.embedding import Embedding
from bot.services.guilds import Guilds
from bot.services.question_form import reads_like_a_question
from bot.services.recent_questions import RecentQuestion, RecentQuestions
from bot.services.teaching_rules import (
    DAY,
    MAX_A_DAY,
    MAX_LENGTH,
    is_new,
    is_worth_learning,
    lacks_wording,
)
from bot.store import learned, postings, threads, votes
from bot.store.database import Database
from bot.store.learned import NewPhrasing
from bot.store.votes import VotePlace

MAX_PER_THREAD = 20
"""Phrasings that a guild keeps of one thread, of all its members together."""

MAX_SEARCH_WORDS = 50
"""Words of a search for phrasings that are used: each is a condition of the query."""

NO_SUCH_PHRASING = N_("There is no such phrasing here (any more).")

log = logging.getLogger(__name__)


class Learning:
    """Learns from a guild's members by their votes and choices, and takes it back."""

    def __init__(self, database: Database, guilds: Guilds, embedding: Embedding):
        self._database, self._guilds, self._embedding = database, guilds, embedding
        self._questions = RecentQuestions()

    async def remember_question(
        self,
        message_id: int,
        *,
        guild_id: int,
        user_id: int,
        question: str,
        joined_at: datetime | None = None,
    ) -> None:
        """Remember for a while the question that the bot's message replies to.

        ``question`` is in the own words of ``user_id``, who joined the guild at ``joined_at``.
        Questions of direct messages, of guilds that don't learn, and those not worth learning
        are not kept.
        """
        text = clean(question)
        if is_worth_learning(text) and await self._is_enabled(guild_id):
            self._questions.keep(message_id, RecentQuestion(user_id, text, joined_at))

    def question(self, message_id: int) -> str:
        """Return the question that a message replies to; empty if it isn't known."""
        asked = self._questions.get(message_id)
        return asked.text if asked else ""

    def drop(self, message_ids: Collection[int]) -> None:
        """Drop the questions of messages that are deleted or can't be judged any more."""
        self._questions.drop(message_ids)

    async def chose(self, message_id: int, *, helps: bool = False) -> None:
        """Learn that the asker chose the thread that a posting shows.

        ``helps`` says that they are a helper, whose choice is enough for all the guild.
        """
        posting = await self._posting(message_id)
        if posting is not None:
            standing = Standing.ONE_ENOUGH if helps else Standing.NONE
            await self._learn(posting, chosen=True, standing=standing)

    async def teach(
        self,
        guild_id: int,
        thread_id: int,
        text: str,
        user_id: int,
        message_id: int,
        *,
        has_title: bool = False,
    ) -> bool:
        """Teach that a question asks for a thread: it counts for the guild at once.

        The caller has checked that a helper does it, or who asked what became the thread.
        ``user_id`` wrote it, in the message ``message_id``; with their ``forget_user`` it goes.
        ``has_title`` says that it stands below a post's title: then it is taught only if it reads
        like a question. Returns False where the guild doesn't learn, or it is the thread's own.
        """
        said = clean(text)
        if has_title and not reads_like_a_question(said):
            return False
        if not is_worth_learning(said) or not await self._is_enabled(guild_id):
            return False
        phrasing = NewPhrasing(
            guild_id=guild_id,
            thread_id=thread_id,
            text=said,
            wording=wording(said),
            user_id=user_id,
            message_id=message_id,
            chosen=True,
            standing=Standing.KEPT,
        )
        async with self._database.write() as connection:
            visible = await threads.fetch(connection, [thread_id], guild_id)
            if not lacks_wording(visible.get(thread_id), phrasing.wording):
                return False
            known = await learned.add(connection, phrasing, MAX_PER_THREAD)
        await self._learned(phrasing, known)
        return True

    async def voted(self, message_id: int, user_id: int, joined_at: datetime | None = None) -> None:
        """Learn, or take back, after a member's vote on a posting changed.

        An asker's up-vote is learned from, another member's confirms what was learned, and
        neither any longer once it is gone; anybody's down-vote takes the wording back.
        ``joined_at`` is when the member joined the guild.
        """
        posting = await self._posting(message_id)
        if posting is None:
            return
        vote = await self._database.reading(votes.in_force, VotePlace.of(posting), user_id)
        if vote is Vote.DOWN:
            await self.refused(posting)
        elif user_id == posting.asker_id:
            await (self._learn(posting) if vote is Vote.UP else self._withdraw(posting))
        elif vote is not Vote.UP:
            await self._database.writing(learned.withdraw, message_id, user_id)
        elif not is_new(joined_at) and await self._is_enabled(posting.guild_id):
            await self._confirm(posting, user_id)

    async def pressed(self, *, answer_id: int, guild_id: int, user_id: int) -> None:
        """Learn from a vote by a button, if it is for the answer to the member's own question."""
        if guild_id == SHARED:
            return
        posting = await self._database.reading(postings.asked_by, user_id, guild_id, answer_id)
        if posting is not None:
            await self.voted(posting.message_id, user_id)

    async def cleared(self, message_id: int) -> None:
        """Take back what an asker's vote taught, after all votes on a posting were removed."""
        posting = await self._posting(message_id)
        if posting is not None:
            await self.voted(message_id, posting.asker_id)

    async def reconciled(self, message_id: int) -> None:
        """Learn, or take back, after votes on a posting were found changed."""
        posting = await self._posting(message_id)
        if posting is None:
            return
        down = await self._database.reading(votes.any_down, message_id)
        await (self.refused(posting) if down else self.cleared(message_id))

    async def refused(self, posting: Posting) -> None:
        """Forget the phrasings learned from a posting, and its question's wording: it was wrong."""
        asked = self._questions.get(posting.message_id)
        same = wording(asked.text) if asked else None
        gone = await self._database.writing(
            learned.take_back, posting.guild_id, posting.thread_id, posting.message_id, same
        )
        _log_gone(posting, gone)

    async def phrasings(self, guild_id: int) -> list[LearnedPhrasing]:
        """Return a guild's phrasings, the one taught last first."""
        only_kept = (await self._guilds.settings(guild_id)).confirm_phrasings
        return await self._database.reading(learned.of_guild, guild_id, only_kept=only_kept)

    async def find(self, guild_id: int, typed: str) -> list[LearnedPhrasing]:
        """Return a guild's phrasings with all the words of ``typed``, the one taught last first."""
        wanted = list(dict.fromkeys(wording(typed[:MAX_LENGTH]).split()))
        parts = wanted[:MAX_SEARCH_WORDS]
        only_kept = (await self._guilds.settings(guild_id)).confirm_phrasings
        return await self._database.reading(learned.saying, guild_id, parts, only_kept=only_kept)

    async def keep(self, guild_id: int, phrasing_id: int) -> str:
        """Let a phrasing count for the guild, and return its text. Raises NotFound."""
        async with self._database.write() as connection:
            text = await learned.keep(connection, guild_id, phrasing_id)
        if text is None:
            raise NotFound(_(NO_SUCH_PHRASING))
        log.info("guild %d: a helper kept phrasing %d", guild_id, phrasing_id)
        return text

    async def remove(self, guild_id: int, phrasing_id: int) -> str:
        """Delete a phrasing and return its text. Raises NotFound."""
        text = await self._database.writing(learned.remove, guild_id, phrasing_id)
        if text is None:
            raise NotFound(_(NO_SUCH_PHRASING))
        log.info("guild %d: a helper removed phrasing %d", guild_id, phrasing_id)
        return text

    async def forget_user(self, user_id: int) -> int:
        """Forget a member's questions and phrasings; return how many phrasings were deleted."""
        self._questions.forget_user(user_id)
        return await self._database.writing(learned.forget_user, user_id)

    async def _is_enabled(self, guild_id: int) -> bool:
        return guild_id != SHARED and (await self._guilds.settings(guild_id)).learn_phrasings

    async def _posting(self, message_id: int) -> Posting | None:
        """Return the posting that a message is, unless it is a direct message."""
        posting = await self._database.reading(postings.get, message_id)
        return posting if posting is not None and posting.guild_id != SHARED else None

    async def _learn(
        self, posting: Posting, *, chosen: bool = False, standing: Standing = Standing.NONE
    ) -> None:
        asked = self._questions.get(posting.message_id)
        if asked is None or asked.user_id != posting.asker_id:
            return
        if not await self._is_enabled(posting.guild_id):
            return
        phrasing = NewPhrasing(
            guild_id=posting.guild_id,
            thread_id=posting.thread_id,
            text=asked.text,
            wording=wording(asked.text),
            user_id=asked.user_id,
            message_id=posting.message_id,
            chosen=chosen,
            standing=standing,
        )
        async with self._database.write() as connection:
            visible = await threads.fetch(connection, [posting.thread_id], posting.guild_id)
            if not lacks_wording(visible.get(posting.thread_id), phrasing.wording):
                return
            place, asker = VotePlace.of(posting), posting.asker_id
            if not chosen and await votes.in_force(connection, place, asker) is not Vote.UP:
                return  # it was taken away while we waited for the lock
            day = datetime.now(UTC) - DAY
            taught = await learned.taught_since(connection, posting.guild_id, asker, day)
            counts = not is_new(asked.joined_at) and taught < MAX_A_DAY
            phrasing = replace(phrasing, counts=counts)
            known = await learned.add(connection, phrasing, MAX_PER_THREAD)
        await self._learned(phrasing, known)

    async def _learned(self, phrasing: NewPhrasing, known: int | None) -> None:
        """Log what was learned, and make its vector; ``None`` says that it was known."""
        if known is None:
            return
        log.info(
            "guild %d learned phrasing %d of thread %d",
            phrasing.guild_id,
            known,
            phrasing.thread_id,
        )
        log.debug("the phrasing is: %r", phrasing.text)
        await self._embed()

    async def _confirm(self, posting: Posting, user_id: int) -> None:
        async with self._database.write() as connection:
            if await votes.in_force(connection, VotePlace.of(posting), user_id) is not Vote.UP:
                return  # it was taken away while we waited for the lock
            day = datetime.now(UTC) - DAY
            taught = await learned.taught_since(connection, posting.guild_id, user_id, day)
            if taught < MAX_A_DAY:
                await learned.confirm(connection, posting, user_id, MAX_PER_THREAD)

    async def _embed(self) -> None:
        """Make vectors of new phrasings, so that they match by meaning too, not by words alone."""
        try:
            await self._embedding.make_learned()
        except Exception:  # the vote stands, and the index sync tries again
            log.exception("what was learned has no vector yet")

    async def _withdraw(self, posting: Posting) -> None:
        async with self._database.write() as connection:
            place, asker = VotePlace.of(posting), posting.asker_id
            if await votes.in_force(connection, place, asker) is Vote.UP:
                return  # it was given again while we waited for the lock
            gone = await learned.withdraw(connection, posting.message_id)
        _log_gone(posting, gone)


def _log_gone(posting: Posting, gone: int) -> None:
    if gone:
        log.info(
            "guild %d forgot %d phrasings of thread %d", posting.guild_id, gone, posting.thread_id
        )
