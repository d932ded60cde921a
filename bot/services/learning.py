"""Learning from askers: a question that its asker confirms becomes a phrasing of the thread.

Until then, what people ask is in memory only and goes with the process. So a posting
of before a restart teaches nothing, though what it taught can still be taken back.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from bot.errors import NotFound
from bot.models import SHARED, LearnedPhrasing, Posting, StoredThread, Vote
from bot.search.text import STOP_WORDS, clean, wording
from bot.services.embedding import Embedding
from bot.services.guilds import Guilds
from bot.services.recent_questions import Heard, Questions
from bot.store import learned, postings, threads, votes
from bot.store.database import Database
from bot.store.learned import Lesson
from bot.store.votes import VotePlace

LONGEST = 300
"""Characters of a question that is learned; longer ones tell a story nobody will repeat."""

CAP = 20
"""Phrasings that a guild keeps for one thread; its members share the room."""

MOST_PARTS = 50
"""Words of what is typed that a phrasing is looked for by."""

log = logging.getLogger(__name__)


class Learning:
    """What a guild's members teach by their votes and choices, and how it is taken back."""

    def __init__(self, database: Database, guilds: Guilds, embedding: Embedding):
        self._database, self._guilds, self._embedding = database, guilds, embedding
        self._questions = Questions()

    async def heard(self, message_id: int, *, guild_id: int, user_id: int, question: str) -> None:
        """Remember for a while what a message of ours replies to, if it may be learned.

        ``question`` are ``user_id``'s own words. Nothing is kept of direct messages, nor
        in guilds that don't want it.
        """
        text = clean(question)
        if _worth_learning(text) and await self._wanted(guild_id):
            self._questions.keep(message_id, Heard(user_id, text))

    def question(self, message_id: int) -> str:
        """What a message replies to; empty if that is not known (any more)."""
        heard = self._questions.get(message_id)
        return heard.text if heard else ""

    def drop(self, message_ids: Collection[int]) -> None:
        """These messages are gone, or wait for nobody's judgement any more."""
        self._questions.drop(message_ids)

    async def chose(self, message_id: int) -> None:
        """The asker chose the thread that a posting shows."""
        posting = await self._posting(message_id)
        if posting is not None:
            await self._teach(posting, chosen=True)

    async def voted(self, message_id: int, user_id: int) -> None:
        """A member's vote on a posting has changed: see what is in force now.

        The asker's up-vote teaches; without it nothing was taught; anybody's down-vote
        takes the wording back.
        """
        posting = await self._posting(message_id)
        if posting is None:
            return
        async with self._database.read() as connection:
            vote = await votes.in_force(connection, VotePlace.of(posting), user_id)
        if vote is Vote.DOWN:
            await self.refused(posting)
        elif user_id == posting.asker_id:
            await (self._teach(posting) if vote is Vote.UP else self._withdraw(posting))

    async def pressed(self, *, answer_id: int, guild_id: int, user_id: int) -> None:
        """A member voted by a button, which stands under no posting: is it their question's?"""
        if guild_id == SHARED:
            return
        async with self._database.read() as connection:
            posting = await postings.asked_by(connection, user_id, guild_id, answer_id)
        if posting is not None:
            await self.voted(posting.message_id, user_id)

    async def cleared(self, message_id: int) -> None:
        """All votes on a posting were taken away, its asker's with them."""
        posting = await self._posting(message_id)
        if posting is not None:
            await self.voted(message_id, posting.asker_id)

    async def reconciled(self, message_id: int) -> None:
        """Votes on a posting were found changed: see whose are in force now."""
        posting = await self._posting(message_id)
        if posting is None:
            return
        async with self._database.read() as connection:
            down = await votes.any_down(connection, message_id)
        await (self.refused(posting) if down else self.cleared(message_id))

    async def refused(self, posting: Posting) -> None:
        """A posting was no answer to its question: forget what it taught, and the wording."""
        heard = self._questions.get(posting.message_id)
        same = wording(heard.text) if heard else None
        async with self._database.write() as connection:
            gone = await learned.take_back(
                connection, posting.guild_id, posting.thread_id, posting.message_id, same
            )
        _log_gone(posting, gone)

    async def phrasings(self, guild_id: int) -> list[LearnedPhrasing]:
        """What a guild has learned, newest first."""
        async with self._database.read() as connection:
            return await learned.of_guild(connection, guild_id)

    async def find(self, guild_id: int, typed: str) -> list[LearnedPhrasing]:
        """A guild's phrasings in which all that is being typed occurs, newest first."""
        wanted = list(dict.fromkeys(wording(typed[:LONGEST]).split()))
        async with self._database.read() as connection:
            return await learned.saying(connection, guild_id, wanted[:MOST_PARTS])

    async def remove(self, guild_id: int, phrasing_id: int) -> str:
        """Forget a phrasing and return its text. Raises NotFound without one of this id."""
        async with self._database.write() as connection:
            text = await learned.remove(connection, guild_id, phrasing_id)
        if text is None:
            raise NotFound("There is no such phrasing here (any more).")
        log.info("guild %d: a moderator removed phrasing %d", guild_id, phrasing_id)
        return text

    async def forget_user(self, user_id: int) -> int:
        """Forget all that a member asked or taught; returns how many phrasings that were."""
        self._questions.forget_user(user_id)
        async with self._database.write() as connection:
            return await learned.forget_user(connection, user_id)

    async def _wanted(self, guild_id: int) -> bool:
        return guild_id != SHARED and (await self._guilds.settings(guild_id)).learn_phrasings

    async def _posting(self, message_id: int) -> Posting | None:
        """The posting that a message is, where there is something to learn from it."""
        async with self._database.read() as connection:
            posting = await postings.get(connection, message_id)
        return posting if posting is not None and posting.guild_id != SHARED else None

    async def _teach(self, posting: Posting, *, chosen: bool = False) -> None:
        heard = self._questions.get(posting.message_id)
        if heard is None or heard.user_id != posting.asker_id:
            return
        if not await self._wanted(posting.guild_id):
            return
        lesson = Lesson(
            guild_id=posting.guild_id,
            thread_id=posting.thread_id,
            text=heard.text,
            wording=wording(heard.text),
            user_id=heard.user_id,
            message_id=posting.message_id,
            chosen=chosen,
        )
        async with self._database.write() as connection:
            found = await threads.fetch(connection, [posting.thread_id], posting.guild_id)
            thread = found.get(posting.thread_id)
            if thread is None or _says(thread, lesson.wording):
                return
            place, asker = VotePlace.of(posting), posting.asker_id
            if not chosen and await votes.in_force(connection, place, asker) is not Vote.UP:
                return  # it was taken away while we waited for the lock
            known = await learned.add(connection, lesson, CAP)
        if known is not None:
            log.info("guild %d learned phrasing %d of thread %d", lesson.guild_id, known, thread.id)
            log.debug("the phrasing is: %r", lesson.text)
            await self._embed()

    async def _embed(self) -> None:
        """Let what was taught just now count by its meaning; its words count already."""
        try:
            await self._embedding.make_learned()
        except Exception:  # the vote stands; whoever follows the library tries again
            log.exception("what was learned has no vector yet")

    async def _withdraw(self, posting: Posting) -> None:
        async with self._database.write() as connection:
            place, asker = VotePlace.of(posting), posting.asker_id
            if await votes.in_force(connection, place, asker) is Vote.UP:
                return  # it was given again while we waited for the lock
            gone = await learned.withdraw(connection, posting.message_id)
        _log_gone(posting, gone)


def _worth_learning(text: str) -> bool:
    """Whether a question is short enough, and says what it is about."""
    said = wording(text).split()
    return len(text) <= LONGEST and any(word not in STOP_WORDS for word in said)


def _says(thread: StoredThread, words: str) -> bool:
    """Whether a thread's own title or phrasings are in these words."""
    return words in {wording(name) for name in (thread.title, *thread.phrasings)}


def _log_gone(posting: Posting, gone: int) -> None:
    if gone:
        log.info(
            "guild %d forgot %d phrasings of thread %d", posting.guild_id, gone, posting.thread_id
        )
