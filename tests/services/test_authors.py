"""What members wrote: followed where nobody else wrote it, and out of all states for good."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from bot.app import App
from bot.curation import Action, AuthorChoice, Origin
from bot.models import Answer, Thread, Vote
from bot.services.curating import Edit
from bot.services.post_looks import Wish
from bot.store.curation_tables import followed_posts, revisions
from tests.kit.posts import ASKER, FORUM, GUILD, HELPER, Channel, followed, reply
from tests.kit.revisions import kept
from tests.kit.votes import press_button
from tests.services.test_followed_posts import MONDAYS, SHADE, look, marked

ANN, BOB, CARL = 21, 22, 31
CHANNEL = 5


@pytest.fixture
def channel() -> Channel:
    return Channel(helpers={HELPER})


@pytest.fixture
async def app(app: App) -> App:
    await app.following.follow(followed())
    return app


async def save(
    app: App, message_id: int, author_id: int, *, asker: int = CARL, channel: int = CHANNEL
) -> int:
    """Save a message as the answer to the one before it; returns the thread's id."""
    answer = Answer(key=str(message_id), body=f"words {author_id}", author=f"member {author_id}")
    thread = Thread(
        key=f"discord:{channel}/{message_id}", title=f"Question {message_id}?", answers=(answer,)
    )
    done = await app.curating.add(
        GUILD,
        HELPER,
        thread,
        Action.SAVED,
        question=Origin(channel_id=channel, message_id=message_id - 1, author_id=asker),
        answers={
            str(message_id): Origin(channel_id=channel, message_id=message_id, author_id=author_id)
        },
    )
    return done.thread_id


async def merged(app: App) -> int:
    """Two saved threads, merged into the first: of ann, and of bob."""
    both = [await save(app, 101, ANN), await save(app, 201, BOB, asker=ASKER)]
    return (await app.curating.merge(GUILD, HELPER, *both)).thread_id


def with_body(body: str) -> Edit:
    """An edit that gives the first answer another text."""

    def edit(state: Any) -> Any:
        first, *others = state.thread.answers
        answers = (replace(first, body=body), *others)
        return replace(state, thread=replace(state.thread, answers=answers))

    return edit


async def bodies(app: App, thread_id: int) -> list[str]:
    thread = await app.answering.serve(thread_id, guild_id=GUILD)
    return [] if thread is None else [answer.body for answer in thread.answers]


async def histories(app: App) -> str:
    async with app.database.read() as connection:
        return json.dumps((await connection.scalars(select(revisions.c.state))).all())


class TestFollowing:
    async def test_a_helpers_words_stay_though_another_message_was_deleted(self, app: App) -> None:
        thread_id = await merged(app)
        await app.curating.edit(GUILD, HELPER, thread_id, with_body("a helper's"))
        await app.authors.gone(GUILD, 201)
        await app.authors.looked_at(GUILD, 101, "ann's")
        assert await bodies(app, thread_id) == ["a helper's"]
        (proposal,) = await kept(app, GUILD, proposed=True)
        assert proposal.state.thread.answers[0].body == "ann's"

    async def test_a_helpers_words_stay_though_something_was_proposed(
        self, app: App, channel: Channel
    ) -> None:
        post = channel.add(1, reply(1001, MONDAYS))
        seen = await look(app, channel, post, marked(1001))
        assert seen.now is not None
        thread_id = seen.now.thread_id or 0
        await app.curating.edit(GUILD, HELPER, thread_id, with_body("a helper's"))
        channel.contents[1000][1] = reply(1001, SHADE)
        await look(app, channel, post)
        await app.authors.looked_at(GUILD, 1001, SHADE)
        assert await bodies(app, thread_id) == ["a helper's"]

    async def test_a_helpers_words_stay_when_their_thread_was_merged(
        self, app: App, channel: Channel
    ) -> None:
        older = await save(app, 101, ANN)
        post = channel.add(1, reply(1001, MONDAYS))
        seen = await look(app, channel, post, marked(1001))
        assert seen.now is not None
        newer = seen.now.thread_id or 0
        await app.curating.edit(GUILD, HELPER, newer, with_body("a helper's"))
        await app.curating.merge(GUILD, HELPER, older, newer)
        channel.contents[1000][1] = reply(1001, SHADE)
        await look(app, channel, post)
        assert sorted(await bodies(app, older)) == ["a helper's", "words 21"]

    async def test_a_solved_posts_text_is_made_by_looks_alone(
        self, app: App, channel: Channel
    ) -> None:
        files = replace(reply(1001, MONDAYS), attachments=("leaf.png",))
        seen = await look(app, channel, channel.add(1, files), marked(1001))
        assert seen.now is not None
        thread_id = seen.now.thread_id or 0
        before = await bodies(app, thread_id)
        assert await app.authors.looked_at(GUILD, 1001, f"{MONDAYS} `leaf.png`") == []
        assert await bodies(app, thread_id) == before
        assert await app.authors.to_look_at(1) is None

    async def test_messages_of_posts_that_nobody_looks_at_are_followed(
        self, app: App, channel: Channel
    ) -> None:
        open_again = channel.add(1, reply(1001, MONDAYS), reply(1002, SHADE))
        await look(app, channel, open_again, marked(1001))
        await look(app, channel, open_again, Wish(user_id=ASKER, rejects=True, reopens=True))
        await save(app, 1002, ANN, channel=open_again.id)
        await look(app, channel, channel.add(2, reply(2001, MONDAYS)), marked(2001))
        assert await app.authors.answers_among(GUILD, [1002, 2001]) == [1002]
        await app.following.unfollow(GUILD, FORUM)
        assert await app.authors.answers_among(GUILD, [2001]) == [2001]


class TestChoices:
    async def test_are_done_to_the_history_of_a_merged_thread(self, app: App) -> None:
        await merged(app)
        await app.authors.choose(BOB, AuthorChoice.WITHOUT_NAME)
        kept = await histories(app)
        assert ("member 22" in kept, "member 21" in kept) == (False, True)

    async def test_are_done_to_threads_that_were_merged_for_a_while(self, app: App) -> None:
        thread_id = await merged(app)
        await app.curating.undo(GUILD, HELPER, thread_id)
        await app.authors.choose(BOB, AuthorChoice.LEAVE_OUT)
        kept = await histories(app)
        assert ("words 22" in kept, "words 21" in kept) == (False, True)

    async def test_a_merge_can_be_undone_without_what_was_taken_out(self, app: App) -> None:
        thread_id = await merged(app)
        await app.authors.choose(BOB, AuthorChoice.LEAVE_OUT)
        await app.curating.undo(GUILD, HELPER, thread_id)
        assert await bodies(app, thread_id) == ["words 21"]
        assert "words 22" not in await histories(app)

    async def test_a_merge_can_be_done_again_without_what_was_deleted(self, app: App) -> None:
        thread_id = await merged(app)
        await app.curating.undo(GUILD, HELPER, thread_id)
        await app.authors.choose(ASKER, AuthorChoice.LEAVE_OUT)  # with all of the other thread
        await app.curating.undo(GUILD, HELPER, thread_id)
        assert await bodies(app, thread_id) == ["words 21"]

    async def test_nothing_stays_known_of_the_posts_of_who_left(
        self, app: App, channel: Channel
    ) -> None:
        await look(app, channel, channel.solved(1))
        liked = reply(2001, MONDAYS, {"👍": 3})
        await look(app, channel, channel.add(2, liked, tags=["Solved"]))
        await app.authors.choose(ASKER, AuthorChoice.LEAVE_OUT)
        async with app.database.read() as connection:
            assert (await connection.execute(select(followed_posts))).all() == []

    async def test_votes_go_back_to_the_shared_thread_when_its_version_is_left_empty(
        self, app: App
    ) -> None:
        shared = Thread(key="shed", title="Where is the shed?", answers=(Answer(body="Behind."),))
        await app.library.add([shared])
        there = await app.answering.find("shed", guild_id=GUILD)
        assert there is not None
        behind = there.answers[0].id
        await press_button(
            app.voting, answer_id=behind, guild_id=GUILD, user_id=CARL, value=Vote.UP
        )
        saved = await save(app, 101, ANN)
        merged_id = (await app.curating.merge(GUILD, HELPER, there.id, saved)).thread_id
        own = await app.answering.serve(merged_id, guild_id=GUILD)
        assert own is not None
        taken_out = {answer.id for answer in own.answers if answer.body == "Behind."}
        await app.curating.edit(GUILD, HELPER, merged_id, lambda state: state.without(taken_out))
        assert await bodies(app, merged_id) == ["words 21"]
        await app.authors.choose(ANN, AuthorChoice.LEAVE_OUT)
        again = await app.answering.serve(there.id, guild_id=GUILD)
        assert again is not None
        assert {answer.id: answer.votes for answer in again.answers} == {behind: 1}
