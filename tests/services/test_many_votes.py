"""Hundreds of members who vote at once."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter

import pytest

from bot.app import App
from bot.models import Answer, Thread, Vote
from tests.kit.library import HERE, post
from tests.kit.votes import give_reaction, press_button

pytestmark = pytest.mark.both_databases

VOTES = int(os.environ.get("THREADWISE_TEST_VOTES", "400"))
"""400 take seconds; ``THREADWISE_TEST_VOTES=10000`` gives as many as we promise to bear."""

MEMBERS, ANSWERS, AT_ONCE = 200, 100, 50


async def test_many_votes_at_once_leave_the_tallies_of_a_plain_count(
    app: App,
) -> None:
    """The members' votes overlap and change; each member's own come one after another."""
    said = tuple(Answer(body=f"Answer {n}", score=n) for n in range(ANSWERS))
    await app.library.add([Thread(key="poll", title="Which one?", answers=said)])
    thread = await app.answering.find("poll")
    assert thread is not None
    messages = {answer.id: await post(app, answer) for answer in thread.answers}
    chance = random.Random(2)
    given: dict[int, list[tuple[int, Vote]]] = {
        member: [
            (chance.choice(sorted(messages)), chance.choice((Vote.UP, Vote.UP, Vote.DOWN)))
            for _ in range(max(2, VOTES // MEMBERS))
        ]
        for member in range(MEMBERS)
    }
    free = asyncio.Semaphore(AT_ONCE)

    async def vote_all(member: int) -> None:
        for n, (answer_id, value) in enumerate(given[member]):
            async with free:
                if n % 5 == 1:
                    before = dict(given[member][:n]).get(answer_id)
                    if before is not value:  # a button pressed again would take it back
                        await press_button(
                            app.voting,
                            answer_id=answer_id,
                            guild_id=HERE,
                            user_id=member,
                            value=value,
                        )
                else:
                    assert await give_reaction(
                        app.voting, message_id=messages[answer_id], user_id=member, value=value
                    )

    await asyncio.gather(*(vote_all(member) for member in given))

    last = {(m, a): value for m, votes in given.items() for a, value in votes}
    expected = Counter({answer.id: answer.score for answer in thread.answers})
    for (_, answer_id), value in last.items():
        expected[answer_id] += value
    counted = await app.answering.find("poll", guild_id=HERE)
    assert counted is not None
    assert {answer.id: answer.tally for answer in counted.answers} == expected
    assert (await app.library.count()).votes == len(last)
