"""Threads that are made of Discord's messages: written together with what they are made of.

Every function runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.curation import Origin
from bot.models import Thread
from bot.store import curating, origins, own_threads
from bot.store.curating import Change


async def add(
    connection: AsyncConnection,
    change: Change,
    thread: Thread,
    question: Origin | None,
    answers: Mapping[str, Origin],
) -> int:
    """Add a thread to a guild's own, or put it in place of the one with its key; return its id.

    ``question`` and ``answers``, by the answers' keys, are the messages that they are.
    """
    thread_id = await curating.add(connection, change, thread)
    if question is not None:
        await origins.set_thread(connection, change.guild_id, thread_id, question)
    await set_answers(connection, change.guild_id, thread_id, answers)
    return thread_id


async def set_answers(
    connection: AsyncConnection, guild_id: int, thread_id: int, answers: Mapping[str, Origin]
) -> None:
    """Note which messages answers are, by the answers' keys."""
    state = await own_threads.own(connection, guild_id, thread_id)
    assert state is not None
    for answer, answer_id in state.pairs:
        origin = answers.get(answer.key or "")
        if origin is not None and answer_id is not None:
            await origins.set_answer(connection, guild_id, answer_id, origin)
