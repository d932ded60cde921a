"""Votes that identical answers share where threads have the same answers.

Such threads are one group to whoever asks (``bot/search/groups.py``), and any of them may be
shown. Which of its answers comes first should not depend on which one it is. So the votes on the
same text in the others of the group count for the order. Nothing else follows from them: votes
stay where they were given, and every card shows the tally of its own answer.
"""

from __future__ import annotations

from collections import Counter

from bot.errors import SearchError
from bot.models import StoredThread
from bot.search.documents import folded
from bot.search.engine import Engine
from bot.store.database import Database
from bot.store.votes import votes_on
from bot.worker import in_thread


async def shared_votes(
    database: Database, engine: Engine, thread: StoredThread, guild_id: int
) -> dict[int, int]:
    """Return a guild's votes on the same texts in other threads with the same answers.

    By the ids of the thread's own answers; where it has one, none are looked up, nor while the
    index can't be read.
    """
    if len(thread.answers) < 2:
        return {}
    try:
        group = await in_thread(engine.same_answers, thread, guild_id)
    except SearchError:
        return {}
    others = [thread_id for thread_id in group if thread_id != thread.id]
    if not others:
        return {}
    given = Counter[str]()
    for body, votes in await database.reading(votes_on, others, guild_id):
        given[folded(body)] += votes
    found = {answer.id: given[folded(answer.body)] for answer in thread.answers}
    return {answer_id: votes for answer_id, votes in found.items() if votes}
