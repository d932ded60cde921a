"""Authors: what members wrote on Discord, and what they want done with it."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.curation import Action, AuthorChoice, Origin
from bot.services import post_changes
from bot.services.index_sync import IndexSync
from bot.store import authors, curating, origins, overrides, own_threads, postings, revisions
from bot.store.curating import Change
from bot.store.database import Database

LOOKED_AT_AGAIN = timedelta(days=1)
"""After how long a message is looked at again, whether it is on Discord as it was."""

log = logging.getLogger(__name__)


class Authors:
    """Keeps what members choose, and the library in step with the messages that it is made of."""

    def __init__(self, database: Database, index_sync: IndexSync):
        self._database, self._index_sync = database, index_sync

    async def choice(self, user_id: int) -> AuthorChoice | None:
        """Return what a member wants done with their messages, if they said."""
        return await self._database.reading(origins.choice_of, user_id)

    async def count(self, user_id: int) -> int:
        """Count the questions and answers that a member wrote, on all servers."""
        return await self._database.reading(authors.count, user_id)

    async def cards(self, user_id: int) -> list[tuple[int, int]]:
        """Return the newest messages that show what a member wrote: (channel, message)."""
        return await self._database.reading(authors.cards, user_id)

    async def choose(self, user_id: int, choice: AuthorChoice | None) -> int:
        """Do what a member wants with all that they wrote, and keep it for what comes.

        Returns how many texts are without their name, or out of the library. ``None`` lets
        what they write be saved again; nothing comes back by that.
        """
        async with self._database.write() as connection:
            await origins.choose(connection, user_id, choice)
            if choice is AuthorChoice.WITHOUT_NAME:
                changed = await authors.take_name_off(connection, user_id)
            elif choice is AuthorChoice.LEAVE_OUT:
                changed = await authors.take_words_out(connection, user_id)
            else:
                changed = 0
        if changed:
            log.info("%d texts: their author chose %s", changed, choice)
            await self._index_sync.catch_up()
        return changed

    async def forget_user(self, user_id: int) -> None:
        """Keep no longer that a member changed threads as a helper; what they changed stays."""
        await self._database.writing(revisions.forget_user, user_id)

    async def to_look_at(self, answer_id: int) -> Origin | None:
        """Return the message that an answer is, if it was not looked at within a day."""
        before = time.time_ns() // 1000 - LOOKED_AT_AGAIN // timedelta(microseconds=1)
        return await self._database.reading(origins.unchecked, answer_id, before)

    async def seen(self, answer_id: int) -> None:
        """Note that the message that an answer is was looked at, and is there."""
        await self._database.writing(origins.set_checked, answer_id)

    async def is_answer(self, guild_id: int, message_id: int) -> bool:
        """Return whether ``answers_among`` has a guild's message."""
        return bool(await self.answers_among(guild_id, [message_id]))

    async def answers_among(self, guild_id: int, message_ids: Sequence[int]) -> list[int]:
        """Return those of a guild's messages that are answers of the library.

        Without those of solved posts in followed channels: ``FollowedPosts`` keeps these.
        """
        return await self._database.reading(origins.answers_among, guild_id, message_ids)

    async def looked_at(self, guild_id: int, message_id: int, text: str) -> list[int]:
        """Note that a message is there, and what it says now; return what is to be drawn anew.

        A solution follows its message. What a helper wrote or saved stays, and the message's
        new text is proposed to them.
        """
        changed = dict[int, None]()
        async with self._database.write() as connection:
            for answer_id in await origins.answers_of_message(connection, guild_id, message_id):
                await origins.set_checked(connection, answer_id)
                shown = await _follow(connection, guild_id, answer_id, text)
                changed |= dict.fromkeys(shown)
        if changed:
            await self._index_sync.catch_up()
        return [*changed]

    async def gone(self, guild_id: int, message_id: int) -> list[int]:
        """Take the answers out that a deleted message was; return what is to be drawn anew.

        A thread that has no other answer is retired.
        """
        taken_out, shown = list[int](), dict[int, None]()
        async with self._database.write() as connection:
            for answer_id in await origins.answers_of_message(connection, guild_id, message_id):
                thread_id = await origins.thread_of_answer(connection, answer_id)
                state = await own_threads.own(connection, guild_id, thread_id)
                if state is None:
                    continue
                cards = await postings.of_thread(connection, thread_id, guild_id)
                change = await Change.begin(connection, guild_id, Action.FOLLOWED, 0)
                await curating.put(connection, change, thread_id, state.without({answer_id}))
                shown |= dict.fromkeys(cards)
                taken_out.append(thread_id)
        for thread_id in taken_out:
            log.info("guild %d: an answer of thread %d was deleted on Discord", guild_id, thread_id)
        if taken_out:
            await self._index_sync.catch_up()
        return [*shown]


async def _follow(connection: Any, guild_id: int, answer_id: int, text: str) -> list[int]:
    """Make an answer say what its message says, or propose that; return what is drawn anew."""
    thread_id = await origins.thread_of_answer(connection, answer_id)
    state = await own_threads.own(connection, guild_id, thread_id)
    if state is None or answer_id not in state.answer_ids:
        return []
    if await origins.is_of_post(connection, answer_id):
        return []  # its text is made otherwise: see FollowedPosts.look
    place = state.answer_ids.index(answer_id)
    given = [*state.thread.answers]
    if not text.strip() or given[place].body == text:
        return []
    given[place] = replace(given[place], body=text)
    new = replace(state, thread=replace(state.thread, answers=tuple(given)))
    words = await post_changes.words_of(connection, guild_id, thread_id, state)
    if answer_id in words.answers:
        await overrides.propose(connection, guild_id, thread_id, new)
        return []
    change = await Change.begin(connection, guild_id, Action.FOLLOWED, 0)
    await curating.put(connection, change, thread_id, new)
    return await postings.of_thread(connection, thread_id, guild_id)
