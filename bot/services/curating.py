"""Curating: helpers save, add, edit and merge threads of their guild, and undo what was changed.

Nothing here asks who somebody is: whoever calls has checked that they are a helper of the guild.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.curation import (
    Action,
    Changed,
    Editable,
    Origin,
    Outcome,
    Revision,
    ThreadState,
    outcome_of,
)
from bot.errors import NotAccepted, NotFound, SearchError, ThreadwiseError
from bot.i18n import N_
from bot.i18n import gettext as _
from bot.models import Answer, Thread, plain_key
from bot.services.index_sync import IndexSync
from bot.services.library_room import Room
from bot.store import curating, message_threads, overrides, own_threads, postings, revisions
from bot.store.curating import Change
from bot.store.database import Database

TOKEN = 16
"""Characters of a digest that stand for a thread's texts: a custom id has room for no more."""

GONE = N_("That thread is not in the library any more.")
NO_ANSWER = N_("That answer is not in the library any more.")
NO_TITLE = N_("A thread needs a question, in a few words. Nothing was changed.")
NO_TEXT = N_("An answer needs words. Nothing was changed.")
SAME_THREAD = N_("Those two are the same thread.")
NOTHING_CHANGED = N_("Nothing was changed: it says that already.")
NOTHING_BEFORE = N_("There is nothing to undo: nobody has changed that thread here.")

log = logging.getLogger(__name__)


class Conflict(ThreadwiseError):
    """Somebody else changed a thread since a helper began to; ``revision`` is what they did.

    It is ``None`` where an import did.
    """

    exit_code = 1

    def __init__(self, revision: Revision | None):
        self.revision = revision
        super().__init__(_("Somebody else changed this thread meanwhile."))


Edit = Callable[[ThreadState], ThreadState]
"""Makes a state of a thread into another. Raises NotFound, or NotAccepted."""


class Curating:
    """Changes a guild's own threads for its helpers, and keeps what was before."""

    def __init__(self, database: Database, index_sync: IndexSync, room: Room | None = None):
        self._database, self._index_sync = database, index_sync
        self._room = room or Room()

    async def add(
        self,
        guild_id: int,
        user_id: int,
        thread: Thread,
        action: Action = Action.ADDED,
        *,
        question: Origin | None = None,
        answers: Mapping[str, Origin] | None = None,
    ) -> Changed:
        """Add a thread, or put it in place of the guild's one with its key; it is found at once.

        ``question`` and ``answers``, by the answers' keys, are the messages that they are.
        Raises NotAccepted.
        """
        check(thread)
        async with self._database.write() as connection:
            await self._room.for_key(connection, guild_id, thread.key)
            change = await Change.begin(connection, guild_id, action, user_id)
            thread_id = await message_threads.add(
                connection, change, thread, question, answers or {}
            )
            done = await _changed(connection, guild_id, thread_id)
        return await self._published(done, change)

    async def add_answer(
        self, guild_id: int, user_id: int, thread_id: int, answer: Answer
    ) -> Changed:
        """Add an answer to a thread that the guild sees, as the last one. Raises NotFound.

        One with the same key is replaced.
        """

        def add(state: ThreadState) -> ThreadState:
            known = {a.key: i for a, i in state.pairs} if answer.key else {}
            kept = [(a, i) for a, i in state.pairs if not answer.key or a.key != answer.key]
            return state.with_pairs((*kept, (answer, known.get(answer.key))))

        return await self.edit(guild_id, user_id, thread_id, add, action=Action.ANSWERED)

    async def editable(self, guild_id: int, thread_id: int) -> Editable:
        """Return a thread that the guild sees, to be edited. Raises NotFound."""
        async with self._database.read() as connection:
            found = await own_threads.seen(connection, guild_id, thread_id)
        if found is None:
            raise NotFound(_(GONE))
        seen_id, state = found
        return Editable(
            thread_id=seen_id, state=state, token=revisions.digest(state.thread)[:TOKEN]
        )

    async def edit(
        self,
        guild_id: int,
        user_id: int,
        thread_id: int,
        edit: Edit,
        *,
        token: str | None = None,
        action: Action = Action.EDITED,
    ) -> Changed:
        """Edit a thread that the guild sees; a shared one becomes the guild's own version.

        ``token`` is of what was to be edited. Raises NotFound, NotAccepted, and Conflict where
        the thread says something else by now.
        """
        async with self._database.write() as connection:
            found = await own_threads.seen(connection, guild_id, thread_id)
            if found is None:
                raise NotFound(_(GONE))
            if token is not None and token != revisions.digest(found[1].thread)[:TOKEN]:
                newest = await revisions.of_thread(connection, guild_id, found[0], 1)
                raise Conflict(newest[0] if newest else None)
            state = edit(found[1])
            if state == found[1]:
                raise NotAccepted(_(NOTHING_CHANGED))
            check(state.thread)
            await self._room.for_version(connection, guild_id, found[0])
            change = await Change.begin(connection, guild_id, action, user_id)
            own_id = await curating.own_version(connection, change, found[0])
            if own_id != found[0]:
                state = await overrides.own_state(connection, own_id, state)
            await curating.put(connection, change, own_id, state)
            done = await _changed(connection, guild_id, own_id)
        return await self._published(done, change)

    async def shown_answer(self, guild_id: int, answer_id: int) -> int:
        """Return the answer that a guild is shown in the place of one, or that itself."""
        return await self._database.reading(overrides.shown_answer, guild_id, answer_id)

    async def merge(self, guild_id: int, user_id: int, first_id: int, second_id: int) -> Changed:
        """Merge two threads that the guild sees into the older. Raises NotFound, NotAccepted."""
        async with self._database.write() as connection:
            found = [await own_threads.seen(connection, guild_id, i) for i in (first_id, second_id)]
            if None in found:
                raise NotFound(_(GONE))
            change = await Change.begin(connection, guild_id, Action.MERGED, user_id)
            seen = {pair[0] for pair in found if pair is not None}
            if len(seen) < 2:
                raise NotAccepted(_(SAME_THREAD))
            for thread_id in sorted(seen):
                await self._room.for_version(connection, guild_id, thread_id)
            own = [await curating.own_version(connection, change, i) for i in sorted(seen)]
            kept = await curating.merge(connection, change, own[0], own[1])
            done = await _changed(connection, guild_id, kept)
        return await self._published(done, change)

    async def revision(self, guild_id: int, revision_id: int) -> Revision:
        """Return a guild's revision. Raises NotFound."""
        found = await self._database.reading(revisions.get, guild_id, revision_id)
        if found is None:
            raise NotFound(_(GONE))
        return found

    async def restore(self, guild_id: int, user_id: int, revision_id: int) -> Changed:
        """Make a thread what it was in a revision, or take a proposed one over. Raises NotFound."""
        return await self._restore(
            guild_id, user_id, lambda connection: revisions.get(connection, guild_id, revision_id)
        )

    async def undo(self, guild_id: int, user_id: int, thread_id: int) -> Changed:
        """Take the last change of a thread back, which may be an undoing itself.

        Raises NotFound where nobody has changed it.
        """

        async def before(connection: Any) -> Revision | None:
            own_id = await own_threads.own_id(connection, guild_id, thread_id)
            return None if own_id is None else await revisions.to_undo(connection, own_id)

        return await self._restore(guild_id, user_id, before, undoes=True)

    async def _restore(
        self,
        guild_id: int,
        user_id: int,
        find: Callable[[Any], Awaitable[Revision | None]],
        *,
        undoes: bool = False,
    ) -> Changed:
        async with self._database.write() as connection:
            revision = await find(connection)
            if revision is None:
                raise NotFound(_(NOTHING_BEFORE if undoes else GONE))
            thread_id = revision.thread_id
            was = await own_threads.own(connection, guild_id, thread_id)
            if was is None:
                raise NotFound(_(GONE))
            redoes = undoes and await revisions.is_undone(connection, thread_id)
            change = await Change.begin(connection, guild_id, Action.RESTORED, user_id)
            # A version that goes gives its messages back to the shared thread.
            before = await _changed(connection, guild_id, thread_id)
            await curating.restore(connection, change, revision)
            done = await _changed(connection, guild_id, thread_id)
            now = await own_threads.own(connection, guild_id, thread_id) or was
            is_version = await own_threads.is_version(connection, thread_id)
            outcome = outcome_of(was, now, not redoes if undoes else None, is_version=is_version)
            if revision.is_proposed:
                outcome = Outcome.TAKEN_OVER
            shown = dict.fromkeys((*done.messages, *before.messages))
            done = replace(done, messages=tuple(shown), outcome=outcome)
        return await self._published(done, change)

    async def _published(self, done: Changed, change: Change) -> Changed:
        """Have a change found by the next question."""
        log.info("guild %d: thread %d was %s", change.guild_id, done.thread_id, change.action)
        try:
            await self._index_sync.catch_up()
        except SearchError as error:  # the change is made, and indexed with the next
            log.warning("thread %d is not found as it is for now: %s", done.thread_id, error)
        return done


async def _changed(connection: Any, guild_id: int, thread_id: int) -> Changed:
    """Return what a change came to; of a thread that it merged again, that of the other."""
    thread_id = await own_threads.own_id(connection, guild_id, thread_id) or thread_id
    state = await own_threads.own(connection, guild_id, thread_id)
    assert state is not None
    shown = await postings.of_thread(connection, thread_id, guild_id)
    return Changed(thread_id, state.thread.title, tuple(shown))


def check(thread: Thread) -> None:
    """Raise NotAccepted for a thread that could not be served."""
    if not plain_key(thread.title):
        raise NotAccepted(_(NO_TITLE))
    if any(not plain_key(answer.body) for answer in thread.answers):
        raise NotAccepted(_(NO_TEXT))
