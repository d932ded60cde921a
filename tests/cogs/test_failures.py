"""Failures of Discord, of the store and of permissions, as the bot meets them."""

from __future__ import annotations

import logging

import discord
import pytest

from bot.errors import StoreBusy
from tests.kit.messages import labels, last, shown, size, told
from tests.kit.simcord import delete_channel
from tests.kit.world import World

VOTE = "how do I vote on an answer?"


def room(world: World, **denied: bool):
    """A channel in which the bot lacks permissions."""
    overwrite = discord.PermissionOverwrite(**dict.fromkeys(denied, False))
    role = world.guild.roles["TestBot"]
    return world.guild.create_text_channel("narrow", overwrites={role: overwrite})


async def test_channel_where_it_may_not_write(world: World, caplog: pytest.LogCaptureFixture):
    channel = room(world, send_messages=True)
    for _ in range(3):
        await world.alice.send(channel, f"{world.me} {VOTE}")
    assert size(channel) == 3
    assert caplog.text.count("the permission send_messages is missing") == 1
    assert not [r for r in world.env.http_requests if r.path.endswith("/messages")]


async def test_without_embed_links_the_card_is_text(world: World, caplog: pytest.LogCaptureFixture):
    channel = room(world, embed_links=True)
    await world.alice.send(channel, f"{world.me} {VOTE}")
    card = last(channel)
    assert card.embeds == []
    first, second, third, fourth, body = card.content.split("\n")
    assert first == "**How do I vote on an answer?**"
    assert second == "<https://example.org/vote>"
    assert third.startswith("-# ✅ accepted · ▲ 2 · ")
    assert fourth == "-# from: dave · example.org · CC BY-SA 4.0"
    assert body == "React with **⬆️** or ⬇️."
    assert labels(card) == ["Other answers (1)", "Not my question"]
    assert len(card.reactions) == 2
    opened = await world.alice.click(card, label="Other answers (1)")
    assert "Use the buttons of the pager." in shown(opened).content
    assert "embed_links" in caplog.text


async def test_without_add_reactions_the_rest_works(world: World, caplog: pytest.LogCaptureFixture):
    channel = room(world, add_reactions=True)
    await world.alice.send(channel, f"{world.me} {VOTE}")
    await world.alice.send(channel, f"{world.me} how can I unpin a message?")
    assert await world.key_of(last(channel)) == "unpin"
    assert last(channel).reactions == []
    assert caplog.text.count("the permission add_reactions is missing") == 1


async def test_without_history_it_answers_without_replying(world: World):
    channel = room(world, read_message_history=True)
    await world.alice.send(channel, f"{world.me} {VOTE}")
    assert await world.key_of(last(channel)) == "vote"
    assert last(channel).reference is None


async def test_question_deleted_before_the_answer_gets_none(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    ask = world.app.answering.ask

    async def slowly(*args, **kwargs):
        for message in world.ask.history():
            world.env.backend.delete_message(world.ask.id, message.id)
        return await ask(*args, **kwargs)

    monkeypatch.setattr(world.app.answering, "ask", slowly)
    await world.alice.send(world.ask, VOTE)
    assert world.ask.history() == []


async def test_channel_deleted_before_the_answer(world: World, monkeypatch: pytest.MonkeyPatch):
    ask = world.app.answering.ask

    async def slowly(*args, **kwargs):
        world.env.backend.delete_channel(world.ask.id)
        return await ask(*args, **kwargs)

    monkeypatch.setattr(world.app.answering, "ask", slowly)
    await world.alice.send(world.general, "hello")
    world.env.backend.create_message(world.ask.id, world.alice.id, VOTE)
    await world.env.settle()
    assert await world.app.postings.recent(10) == []
    assert not world.env.errors


async def test_discord_fails_once(world: World, caplog: pytest.LogCaptureFixture):
    world.env.inject_error("POST", "/channels/*/messages", status=500)
    await world.alice.send(world.ask, VOTE)
    assert size(world.ask) == 1
    assert "could not post" in caplog.text
    assert "Traceback" not in caplog.text
    await world.alice.send(world.ask, VOTE)
    assert await world.key_of(last(world.ask)) == "vote"


async def test_reaction_that_discord_refuses(world: World, caplog: pytest.LogCaptureFixture):
    world.env.inject_error("PUT", "*/reactions/*", status=400, code=10014)
    await world.alice.send(world.ask, VOTE)
    assert await world.key_of(last(world.ask)) == "vote"
    assert "can't react with" in caplog.text


async def test_discord_fails_a_command(world: World, caplog: pytest.LogCaptureFixture):
    world.env.inject_error("PATCH", "/webhooks/*", status=500)
    result = await world.alice.slash(world.general, "ask", question=VOTE)
    assert "Please try again" in told(result).content
    assert world.env.errors
    assert "Traceback" not in caplog.text


async def test_store_fails(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def fail(*args, **kwargs):
        raise StoreBusy("database is locked")

    monkeypatch.setattr(world.app.answering, "ask", fail)
    await world.alice.send(world.ask, VOTE)
    assert size(world.ask) == 1
    await world.alice.send(world.ask, f"{world.me} {VOTE}")
    assert last(world.ask).content.startswith("Sorry")
    incident = last(world.ask).content.split("`")[1]
    assert f"incident {incident} in message" in caplog.text
    result = await world.alice.slash(world.general, "ask", question=VOTE)
    said = told(result)
    assert said.ephemeral
    assert "incident" in said.content
    assert "locked" not in said.content
    incident = said.content.split("`")[1]
    assert f"incident {incident} in ask" in caplog.text
    assert len(world.env.errors) == 1


async def test_unforeseen_error_behind_a_button(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    await world.alice.send(world.ask, VOTE)

    async def fail(*args, **kwargs):
        raise RuntimeError("boom")

    monkeypatch.setattr(world.app.answering, "serve", fail)
    result = await world.alice.click(last(world.ask), label="Other answers (1)")
    assert "incident" in told(result).content
    assert told(result).ephemeral
    assert "OtherAnswers" in caplog.text


async def test_unforeseen_error_while_hearing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def fail(*args, **kwargs):
        raise RuntimeError("boom")

    monkeypatch.setattr(world.app.answering, "ask", fail)
    await world.alice.send(world.general, f"{world.me} {VOTE}")
    assert last(world.general).content.startswith("Sorry")
    incident = last(world.general).content.split("`")[1]
    (line,) = [record for record in caplog.records if hasattr(record, "incident")]
    assert line.incident == incident
    assert line.getMessage() == f"incident {incident} in on_message"
    assert line.exc_info
    assert [str(e) for e in world.env.errors] == ["boom"]


async def test_deleted_channel_is_no_trouble(world: World):
    await world.alice.send(world.ask, VOTE)
    await delete_channel(world.env, world.ask)
    await world.restart()
    assert await world.app.postings.recent(10) == []


async def test_logs_hold_no_words_of_people(world: World, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    await world.alice.send(world.ask, "how do I vote on an answer, zanzibar?")
    await world.alice.slash(world.general, "ask", question="zanzibar?")
    await world.alice.slash(world.general, "thread", query="zanzibar")
    ours = [r.getMessage() for r in caplog.records if r.name.startswith(("bot", "cogs"))]
    assert ours
    assert not any("zanzibar" in line.lower() for line in ours)
