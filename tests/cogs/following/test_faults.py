"""What goes wrong while a post is marked: it is said once, and nothing is half done."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bot.errors import StoreError
from bot.services import post_reader
from tests.cogs.following.conftest import ANSWER, Help
from tests.kit.forums import tag_names
from tests.kit.messages import last, size


async def test_the_message_is_deleted_meanwhile(help_: Help, monkeypatch: pytest.MonkeyPatch):
    post, answer = await help_.answered()
    read = post_reader.read_post

    async def late(*arguments: Any) -> Any:
        help_.world.env.backend.delete_message(post.id, answer.id)
        return await read(*arguments)

    monkeypatch.setattr("bot.services.followed_posts.read_post", late)
    said = await help_.mark_as(help_.fern, answer)
    assert said == "That post, or the message, is not there any more."
    assert len(help_.world.env.errors) == 1
    assert await help_.state(post) is None


async def test_a_message_beyond_those_that_are_looked_at(
    help_: Help, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(post_reader, "LOOKED_AT", 1)
    _, answer = await help_.answered()
    said = await help_.mark_as(help_.fern, answer)
    assert said == "I look at the first 500 messages of a post, and that one comes later."
    assert len(help_.world.env.errors) == 1


async def test_the_database_can_not_be_written(help_: Help, monkeypatch: pytest.MonkeyPatch):
    post, answer = await help_.answered()

    async def full(*_: Any) -> None:
        raise StoreError("no room left")

    with monkeypatch.context() as patch:
        patch.setattr("bot.store.following.put_post", full)
        assert "something went wrong" in await help_.mark_as(help_.fern, answer)
        await help_.world.alice.react(answer, "✅")
    assert len(help_.world.env.errors) == 1
    assert (await help_.state(post), tag_names(help_.world.env, post)) == (None, [])
    assert last(post).content == ANSWER
    assert await help_.mark_as(help_.fern, answer) != ""
    assert await help_.served() == ANSWER


async def test_the_line_can_not_be_posted(
    help_: Help, hurried: None, caplog: pytest.LogCaptureFixture
):
    post, answer = await help_.answered()
    help_.world.env.inject_error("POST", "/channels/*/messages", status=500)
    said = await help_.mark_as(help_.fern, answer)
    assert said.startswith("Saved, ")
    assert last(post).content == ANSWER
    assert await help_.served() == ANSWER
    lines = [r for r in caplog.records if "the line below it" in r.getMessage()]
    assert len(lines) == 1


async def test_the_tag_can_not_be_set(help_: Help, hurried: None, caplog: pytest.LogCaptureFixture):
    post, answer = await help_.answered()
    help_.world.env.inject_error("PATCH", "/channels/*", status=400)
    await help_.mark(help_.fern, answer)
    assert (tag_names(help_.world.env, post), await help_.served()) == ([], ANSWER)
    assert len([r for r in caplog.records if "its tag stays" in r.getMessage()]) == 1


async def test_a_line_that_was_deleted_is_posted_anew(help_: Help):
    post, answer = await help_.answered()
    other = await help_.say(post, "Give them shade.")
    await help_.mark(help_.fern, answer)
    help_.world.env.backend.delete_message(post.id, last(post).id)
    await help_.world.env.settle()
    await help_.mark(help_.fern, other)
    assert other.jump_url in last(post).content


async def test_two_at_once_leave_one_solution_and_one_line(help_: Help):
    post, answer = await help_.answered()
    other = await help_.say(post, "Give them shade.")
    backend = help_.world.env.backend
    for member, message in ((help_.fern, answer), (help_.world.alice, other)):
        backend.set_reaction(post.id, message.id, "✅", member.id, True)
    await help_.world.env.settle()
    (kept,) = (await help_.thread(post)).answers
    assert size(post) == 4
    assert f"/{kept.key})" in last(post).content


async def test_a_picture_alone_can_be_the_solution(help_: Help):
    post = await help_.post()
    await help_.world.bob.send(post, attachments=[("roots.png", b"x")])
    await help_.mark(help_.fern, last(post))
    (kept,) = (await help_.thread(post)).answers
    assert kept.body.startswith("📎 [roots.png](")


async def test_what_is_said_nothing_of_is_not_an_error(
    help_: Help, caplog: pytest.LogCaptureFixture
):
    post, answer = await help_.answered()
    await help_.world.bob.react(answer, "🙃")
    await help_.world.bob.delete(answer)
    assert await help_.state(post) is None
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
