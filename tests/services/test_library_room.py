"""The threads that a server may have of its own, whoever adds them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.app import App
from bot.errors import NotAccepted
from bot.following import BackfillState, FollowedChannel
from bot.models import Answer, Thread
from bot.services.backfill import Backfills
from bot.services.curating import Curating
from bot.services.followed_posts import FollowedPosts
from bot.services.library_room import LibraryFull, Room
from bot.services.post_looks import Wish
from bot.services.request_pace import RequestPace
from bot.store import following, own_threads
from tests.kit.library import BREAD
from tests.kit.posts import (
    ASKER,
    FORUM,
    GUILD,
    HELPER,
    OWNER,
    Channel,
    JumpingClock,
    followed,
    reply,
)

ELSEWHERE = 987


@pytest.fixture
def curating(app: App) -> Curating:
    return Curating(app.database, app._index_sync, Room(2))


def thread(number: int) -> Thread:
    answers = (Answer(body=f"Answer {number}."),)
    return Thread(key=f"k{number}", title=f"What is number {number}?", answers=answers)


async def count(app: App) -> int:
    return await app.database.reading(own_threads.count, GUILD)


async def fill(curating: Curating) -> list[int]:
    return [(await curating.add(GUILD, HELPER, thread(n))).thread_id for n in (1, 2)]


async def test_a_helper_adds_no_more_than_fit_and_is_told(app: App, curating: Curating) -> None:
    await fill(curating)
    with pytest.raises(LibraryFull, match="This server has 2 threads of its own, and may have no"):
        await curating.add(GUILD, HELPER, thread(3))
    assert await count(app) == 2
    await curating.add(ELSEWHERE, HELPER, thread(3))


async def test_what_is_there_may_still_be_changed(app: App, curating: Curating) -> None:
    first, second = await fill(curating)
    await curating.add(GUILD, HELPER, replace(thread(1), title="Another title"))
    await curating.add_answer(GUILD, HELPER, second, Answer(body="One more."))
    await curating.merge(GUILD, HELPER, first, second)
    await curating.undo(GUILD, HELPER, first)
    with pytest.raises(NotAccepted):  # what was retired may come back
        await curating.add(GUILD, HELPER, thread(3))
    assert await count(app) == 2


async def test_a_shared_thread_is_not_copied_where_there_is_no_room(
    app: App, curating: Curating
) -> None:
    await app.library.add([BREAD])
    shared = await app.answering.find("bread")
    assert shared is not None
    (own,) = [(await curating.add(GUILD, HELPER, thread(n))).thread_id for n in (1,)]
    await curating.add_answer(GUILD, HELPER, shared.id, Answer(body="One more."))  # the second
    await curating.add_answer(GUILD, HELPER, shared.id, Answer(body="And another."))
    await app.library.add([replace(BREAD, key="rolls", title="Why are my rolls flat?")])
    rolls = await app.answering.find("rolls")
    assert rolls is not None
    with pytest.raises(LibraryFull):
        await curating.add_answer(GUILD, HELPER, rolls.id, Answer(body="One more."))
    with pytest.raises(LibraryFull):
        await curating.merge(GUILD, HELPER, own, rolls.id)
    assert await count(app) == 2


async def test_a_post_is_not_taken_in_and_whoever_marks_is_told(app: App) -> None:
    posts = FollowedPosts(app.database, app.guilds, app._index_sync, Room(1))
    await app.following.follow(followed())
    channel = Channel(helpers={HELPER})
    first = channel.add(1, reply(1001, "Water it."))
    second = channel.add(2, reply(2001, "Give it shade."))
    await posts.look(followed(), channel, first, Wish(user_id=ASKER, marked=1001))
    with pytest.raises(LibraryFull):
        await posts.look(followed(), channel, second, Wish(user_id=ASKER, marked=2001))
    assert await posts.known(GUILD, second.id) is None
    channel.contents[first.id][1] = reply(1001, "Water it on Mondays.")
    seen = await posts.look(followed(), channel, first)
    assert seen.is_solved
    assert await count(app) == 1


async def test_a_backfill_stops_with_the_reason_and_goes_on_from_there(app: App) -> None:
    channel = Channel(helpers={HELPER})
    for number in range(1, 6):
        channel.solved(number)
    await app.following.follow(followed())
    shown = list[tuple[FollowedChannel, str | None]]()

    async def run(most: int) -> FollowedChannel:
        pace = RequestPace(JumpingClock())
        backfills = Backfills(app.database, app.guilds, app._index_sync, Room(most), pace)
        await backfills.begin(GUILD, FORUM, OWNER)
        (begun,) = await backfills.unfinished()
        await backfills.run(begun, channel, lambda *now: shown.append(now))
        now = await app.database.reading(following.channel, GUILD, FORUM)
        assert now is not None
        return now

    full = await run(2)
    assert full.backfill is not None
    assert full.backfill.state is BackfillState.FAILED
    assert shown[-1][1] is not None
    assert shown[-1][1].startswith("This server has 2 threads of its own, and may have no more.")
    assert full.backfill.counts["solved"] == 2
    done = await run(9)
    assert done.backfill is not None
    assert done.backfill.state is BackfillState.DONE
    assert (done.backfill.counts["solved"], await count(app)) == (5, 5)
