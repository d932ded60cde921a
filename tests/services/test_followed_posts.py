"""Looking at posts: what is said of them, whatever happens meanwhile, and in no other guild."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.app import App
from bot.curation import AuthorChoice
from bot.errors import StoreError, Unreachable
from bot.following import PostState
from bot.posts import Post
from bot.services import followed_posts as module
from bot.services import post_reader
from bot.services.post_looks import NO_WISH, PostLook, Wish
from bot.solutions import Rule
from bot.store import following
from tests.kit.posts import (
    ASKER,
    CHECK,
    FORUM,
    FRIEND,
    GUILD,
    HELPER,
    Channel,
    failing,
    followed,
    reply,
)
from tests.kit.revisions import kept

MONDAYS, SHADE = "Water it on Mondays.", "Give it shade."


@pytest.fixture
def channel() -> Channel:
    return Channel(helpers={HELPER})


@pytest.fixture
async def app(app: App) -> App:
    await app.following.follow(followed())
    return app


async def look(
    app: App, channel: Channel, post: Post, wish: Wish = NO_WISH, **how: Any
) -> PostLook:
    return await app.followed_posts.look(followed(**how), channel, post, wish)


def marked(message_id: int) -> Wish:
    return Wish(user_id=ASKER, marked=message_id)


async def bodies(app: App, seen: PostLook) -> list[str]:
    assert seen.now is not None
    assert seen.now.thread_id is not None
    thread = await app.answering.serve(seen.now.thread_id, guild_id=GUILD)
    return [] if thread is None else [answer.body for answer in thread.answers]


async def test_looking_again_changes_nothing(app: App, channel: Channel):
    post = channel.add(1, reply(1001, MONDAYS), reply(1002, SHADE, {"👍": 2}))
    first = await look(app, channel, post, marked(1001))
    again = await look(app, channel, post)
    assert (first.is_changed, again.is_changed) == (True, False)
    assert again.now == first.now
    assert await bodies(app, again) == [MONDAYS, SHADE]
    assert first.now is not None
    assert len(await kept(app, GUILD, first.now.thread_id or 0)) == 1


async def test_of_a_post_that_is_open_nothing_is_written(app: App, channel: Channel):
    post = channel.add(1, reply(1001, MONDAYS))
    seen = await look(app, channel, post)
    assert not seen.is_changed
    assert await app.followed_posts.known(GUILD, post.id) is None


async def test_marks_go_by_their_order(app: App, channel: Channel):
    channel.reactors = {1002: [HELPER]}
    post = channel.add(1, reply(1001, MONDAYS), reply(1002, SHADE, {CHECK: 1}))
    assert await bodies(app, await look(app, channel, post)) == [SHADE]
    assert await bodies(app, await look(app, channel, post, marked(1001))) == [MONDAYS]
    back = await look(app, channel, post, Wish(user_id=ASKER, rejects=True))
    assert await bodies(app, back) == [SHADE]
    assert back.now is not None
    assert (back.now.rule, back.now.rejected) == (Rule.EMOJI, (1001,))
    end = await look(app, channel, post, Wish(user_id=ASKER, rejects=True, reopens=True))
    assert end.now is not None
    assert (end.now.state, end.now.rejected) == (PostState.REFUSED, (1001, 1002))
    assert await bodies(app, end) == []
    again = await look(app, channel, post, Wish(user_id=HELPER, chosen=1002))
    assert await bodies(app, again) == [SHADE]


async def test_the_tag_that_the_bot_set_proposes_nothing(app: App, channel: Channel):
    liked = reply(1002, SHADE, {"👍": 3})
    post = channel.add(1, reply(1001, MONDAYS), liked)
    await look(app, channel, post, marked(1001))
    tagged = replace(post, tags=("Solved",))
    seen = await look(app, channel, tagged, Wish(user_id=ASKER, rejects=True))
    assert seen.now is not None
    assert seen.now.state is PostState.REFUSED


async def test_a_proposal_that_was_skipped_is_made_no_more(app: App, channel: Channel):
    post = channel.add(1, reply(1001, MONDAYS, {"👍": 3}), tags=["Solved"])
    seen = await look(app, channel, post)
    assert seen.now is not None
    assert (seen.now.state, seen.now.proposed_id) == (PostState.PROPOSED, 1001)
    async with app.database.write() as connection:
        await following.put_post(connection, replace(seen.now, state=PostState.SKIPPED))
    seen = await look(app, channel, post)
    assert seen.now is not None
    assert seen.now.state is PostState.SKIPPED
    seen = await look(app, channel, post, marked(1001))
    assert seen.is_solved


async def test_reactions_are_enough_where_that_was_chosen(app: App, channel: Channel):
    post = channel.add(1, reply(1001, MONDAYS, {"👍": 3}), tags=["Solved"])
    assert (await look(app, channel, post, take_by_reactions=True)).is_solved


async def test_what_somebody_wrote_meanwhile_counts(app: App, channel: Channel):
    post = channel.add(1, reply(1001, MONDAYS), reply(1002, SHADE))
    first, second = await asyncio.gather(
        look(app, channel, post, marked(1001)), look(app, channel, post, marked(1002))
    )
    assert first.now is not None
    assert second.now is not None
    known = await app.followed_posts.known(GUILD, post.id)
    assert known in (first.now, second.now)
    assert await bodies(app, PostLook(before=None, now=known)) in ([MONDAYS], [SHADE])
    assert first.now.thread_id == second.now.thread_id


async def test_more_messages_than_are_looked_at(
    app: App, channel: Channel, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(post_reader, "LOOKED_AT", 100)
    many = [reply(1001 + n, f"{n}") for n in range(150)]
    post = channel.add(1, *many)
    seen = await look(app, channel, post, marked(1150))
    assert (seen.is_solved, seen.is_cut) == (False, True)
    seen = await look(app, channel, post, marked(1050))
    assert (seen.is_solved, seen.is_cut) == (True, True)


async def test_what_fails_changes_nothing(
    app: App, channel: Channel, monkeypatch: pytest.MonkeyPatch
):
    post = channel.add(1, reply(1001, MONDAYS))
    channel.on_request = failing(1)
    with pytest.raises(Unreachable):
        await look(app, channel, post, marked(1001))

    async def full(*_: Any) -> None:
        raise StoreError("no room left")

    with monkeypatch.context() as patch:
        patch.setattr("bot.store.following.put_post", full)
        with pytest.raises(StoreError):
            await look(app, channel, post, marked(1001))
    assert await app.followed_posts.known(GUILD, post.id) is None
    found = await app.answering.complete("plant", guild_id=GUILD, limit=5)
    assert found == []
    assert (await look(app, channel, post, marked(1001))).is_solved


async def test_a_deleted_channel_takes_all_its_posts_along(
    app: App, channel: Channel, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "AT_ONCE", 2)
    seen = [await look(app, channel, channel.solved(n)) for n in range(1, 6)]
    assert all(each.is_solved for each in seen)
    await app.followed_posts.channel_gone(2, FORUM)
    assert await bodies(app, seen[0])
    await app.followed_posts.channel_gone(GUILD, FORUM)
    for each in seen:
        assert await bodies(app, each) == []
    assert await app.followed_posts.gone(GUILD, 1000) is None


async def test_no_other_guild_knows_of_it(app: App, channel: Channel):
    seen = await look(app, channel, channel.solved(1))
    assert seen.now is not None
    assert await app.followed_posts.known(2, seen.now.post_id) is None
    assert await app.followed_posts.gone(2, seen.now.post_id) is None
    assert not await app.followed_posts.is_answer(2, seen.now.solution_id or 0)
    assert await app.followed_posts.is_answer(GUILD, seen.now.solution_id or 0)
    assert await app.answering.serve(seen.now.thread_id or 0, guild_id=2) is None


async def test_a_line_is_noted_of_what_is_known_alone(app: App, channel: Channel):
    seen = await look(app, channel, channel.solved(1))
    await app.followed_posts.note_line(GUILD, 1000, 77)
    await app.followed_posts.note_line(GUILD, 4000, 78)
    known = await app.followed_posts.known(GUILD, 1000)
    assert seen.now is not None
    assert known == replace(seen.now, note_id=77)
    assert await app.followed_posts.known(GUILD, 4000) is None


async def test_words_that_are_taken_out_while_a_post_is_read_are_not_kept(
    app: App, channel: Channel, monkeypatch: pytest.MonkeyPatch
):
    post = channel.add(1, reply(1001, MONDAYS, {CHECK: 1}))
    asked = channel.reacted

    async def reacted(*args: Any, **how: Any) -> Any:
        await app.authors.choose(FRIEND, AuthorChoice.LEAVE_OUT)
        return await asked(*args, **how)

    channel.reactors = {1001: [ASKER]}
    monkeypatch.setattr(channel, "reacted", reacted)
    seen = await look(app, channel, post)
    assert not seen.is_solved
    assert await kept(app, GUILD) == []
