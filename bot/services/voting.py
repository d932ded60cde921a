"""Votes: one a member, answer and guild, however many messages show the answer."""

from __future__ import annotations

from collections.abc import Mapping

from bot.errors import NotFound, ThreadwiseError
from bot.models import Posting, Vote
from bot.store import postings, threads, votes
from bot.store.database import Database
from bot.store.votes import BUTTON, Ballot


class VoteRefused(ThreadwiseError):
    """Nobody votes on their own answer."""


class Voting:
    """What reactions and buttons do to votes. What returns has been written to disk."""

    def __init__(self, database: Database):
        self._database = database

    async def react(
        self, *, message_id: int, user_id: int, value: Vote, author_handle: str | None = None
    ) -> bool:
        """A member's reaction was added; ``author_handle`` is their unique Discord name.

        False when the message shows no answer, or the member's own.
        """
        if not await self._shows_answer(message_id):
            return False
        async with self._database.write() as connection:
            posting = await postings.get(connection, message_id)
            if posting is None:
                return False
            author = await threads.author_of(connection, posting.answer_id)
            if _is_own(author, user_id, author_handle):
                return False
            await votes.give(connection, _ballot(posting, user_id), message_id, value)
            return True

    async def unreact(self, *, message_id: int, user_id: int, value: Vote) -> bool:
        """A member's reaction was taken away; False when it did not count."""
        if not await self._shows_answer(message_id):
            return False
        async with self._database.write() as connection:
            posting = await postings.get(connection, message_id)
            if posting is None:
                return False
            return await votes.take(connection, _ballot(posting, user_id), message_id, value)

    async def clear(self, *, message_id: int, value: Vote | None = None) -> None:
        """All reactions of a message were taken away, or all of one value."""
        if await self._shows_answer(message_id):
            async with self._database.write() as connection:
                await votes.clear(connection, message_id, value)

    async def press(
        self,
        *,
        answer_id: int,
        guild_id: int,
        user_id: int,
        value: Vote,
        author_handle: str | None = None,
    ) -> Vote | None:
        """A vote button: pressed again, it takes the vote back. Returns the vote in force.

        Raises NotFound for an answer that is gone, VoteRefused for one's own.
        """
        async with self._database.write() as connection:
            if not await votes.tallies(connection, [answer_id], guild_id):
                raise NotFound("This answer is not in the library any more.")
            author = await threads.author_of(connection, answer_id)
            if _is_own(author, user_id, author_handle):
                raise VoteRefused("You can't vote on your own answer.")
            ballot = Ballot(answer_id, guild_id, user_id)
            if await votes.in_force(connection, ballot) is value:
                await votes.take_back_presses(connection, ballot)
            else:
                await votes.give(connection, ballot, BUTTON, value)
            return await votes.in_force(connection, ballot)

    async def reconcile(
        self,
        *,
        message_id: int,
        reactions: Mapping[int, frozenset[Vote]],
        handles: Mapping[int, str] | None = None,
    ) -> int:
        """Make the votes true to what a message shows now: user id -> values.

        ``handles`` gives members' unique names, to leave out the answer's author.
        What is new counts as given just now, which is all that can be known. Returns
        how many reactions had come or gone.
        """
        shown = {(user_id, v) for user_id, values in reactions.items() for v in values}
        async with self._database.write() as connection:
            posting = await postings.get(connection, message_id)
            if posting is None:
                return 0
            known = await votes.standing(connection, message_id)
            for user_id, value in known - shown:
                await votes.take(connection, _ballot(posting, user_id), message_id, value)
            author, new = await threads.author_of(connection, posting.answer_id), 0
            for user_id, value in sorted(shown - known):
                if not _is_own(author, user_id, (handles or {}).get(user_id)):
                    await votes.give(connection, _ballot(posting, user_id), message_id, value)
                    new += 1
            return new + len(known - shown)

    async def tally(self, answer_id: int, guild_id: int) -> int | None:
        """Source score plus this guild's votes; ``None`` when the answer is gone."""
        async with self._database.read() as connection:
            return (await votes.tallies(connection, [answer_id], guild_id)).get(answer_id)

    async def forget_user(self, user_id: int) -> int:
        """Delete all that is kept about a member; returns how many votes that were."""
        async with self._database.write() as connection:
            return await votes.forget_user(connection, user_id)

    async def _shows_answer(self, message_id: int) -> bool:
        """A look without the write lock: most reactions in a guild are not for us."""
        async with self._database.read() as connection:
            return await postings.get(connection, message_id) is not None


def _ballot(posting: Posting, user_id: int) -> Ballot:
    return Ballot(posting.answer_id, posting.guild_id, user_id)


def _is_own(author: str | None, user_id: int, handle: str | None) -> bool:
    """Whether the member wrote the answer: its author is their mention or unique name."""
    names = {f"<@{user_id}>", f"<@!{user_id}>"} | ({handle.casefold()} if handle else set())
    return author is not None and author.strip().removeprefix("@").casefold() in names
