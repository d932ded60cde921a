"""What the bot takes as meant for it: its role, quiet replies, forwards and text files."""

from __future__ import annotations

import pytest
from simcord.backend import serializers

from bot.models import Mode
from tests.kit.messages import last, shown, size
from tests.kit.simcord import managed_role, reply_without_ping
from tests.kit.world import World

VOTE = "how do I vote on an answer?"
UNPIN = "and how can I unpin a message?"


async def test_a_mention_of_its_role_is_a_mention(world: World):
    role = await managed_role(world.env, world.guild)
    await world.alice.send(world.general, f"{role} {VOTE}")
    assert await world.key_of(last(world.general)) == "vote"
    question = await world.bob.send(world.general, UNPIN)
    await world.alice.send(world.general, role, reply_to=question)
    assert await world.key_of(last(world.general)) == "unpin"


async def test_a_mention_of_another_role_is_none(world: World):
    await managed_role(world.env, world.guild)
    other = world.guild.create_role("Gardeners")
    await world.alice.send(world.general, f"{other.mention} {VOTE}")
    assert size(world.general) == 1


async def test_a_reply_to_the_bot_counts_without_the_ping(world: World):
    await world.alice.send(world.general, f"{world.me} {VOTE}")
    card = last(world.general)
    await reply_without_ping(world.env, world.alice, card, "thanks a lot")
    assert last(world.general).content == "thanks a lot"
    await reply_without_ping(world.env, world.alice, card, UNPIN)
    assert await world.key_of(last(world.general)) == "unpin"


async def test_a_reply_to_somebody_else_is_none_of_its_business(world: World):
    theirs = await world.bob.send(world.general, "good morning")
    await reply_without_ping(world.env, world.alice, theirs, VOTE)
    assert last(world.general).content == VOTE


async def test_what_a_reply_refers_to_is_fetched_where_it_did_not_come_along(world: World):
    await world.alice.send(world.general, f"{world.me} {VOTE}")
    card = last(world.general)
    backend = world.env.backend
    reference = {"message_id": str(card.id), "channel_id": str(world.general.id)}
    said = backend.create_message(
        world.general.id, world.alice.id, UNPIN, reference=reference, broadcast=False
    )
    raw = {
        **serializers.message_payload(backend, said),
        "guild_id": str(world.guild.id),
        "mentions": [],
    }
    del raw["referenced_message"]
    backend.emit("MESSAGE_CREATE", raw)
    await world.env.settle()
    assert await world.key_of(last(world.general)) == "unpin"


async def test_a_forwarded_question_is_answered_where_questions_are(world: World):
    question = await world.bob.send(world.general, VOTE)
    await world.alice.forward(question, world.ask)
    card = last(world.ask)
    assert await world.key_of(card) == "vote"
    assert world.app.learning.question(card.id) == ""  # nobody teaches what others have said


async def test_a_bare_mention_under_a_forward_asks_for_it(world: World):
    question = await world.bob.send(world.ask, "good morning")
    question = await world.bob.send(world.general, VOTE)
    other = world.guild.create_text_channel("chat")
    forward = await world.alice.forward(question, other)
    assert size(other) == 1
    await world.alice.send(other, world.me, reply_to=forward)
    assert await world.key_of(last(other)) == "vote"


async def test_a_bare_mention_after_a_forward_is_about_it(world: World):
    question = await world.bob.send(world.general, VOTE)
    other = world.guild.create_text_channel("chat")
    await world.alice.forward(question, other)
    await world.bob.send(other, world.me)  # somebody else's forward
    assert await world.key_of(last(other)) is None
    await world.alice.send(other, world.me)
    assert await world.key_of(last(other)) == "vote"


async def test_the_menu_reads_a_forward(world: World):
    question = await world.bob.send(world.general, VOTE)
    forward = await world.bob.forward(question, world.general)
    result = await world.alice.context_menu(world.general, "Find an answer", forward)
    assert await world.key_of(shown(result).message) == "vote"


async def test_a_text_file_is_read_with_a_short_message(world: World):
    for name in ("message.txt", "server.log", "NOTES.TXT"):
        channel = world.guild.create_text_channel(name.lower().replace(".", "-"))
        await world.app.guilds.set_mode(world.guild.id, channel.id, Mode.QUESTIONS)
        await world.alice.send(channel, "", attachments=[(name, VOTE.encode())])
        assert await world.key_of(last(channel)) == "vote", name


async def test_a_text_file_is_read_with_a_long_message_only_if_it_is_addressed(world: World):
    chatter = "It was raining in the garden all day long, and nobody came. " * 5
    file = ("message.txt", VOTE.encode())
    channel = world.guild.create_text_channel("chat")
    await world.app.guilds.set_mode(world.guild.id, channel.id, Mode.QUESTIONS)
    await world.app.guilds.update(world.guild.id, answer_threshold=0.1, suggest_threshold=0.0)
    await world.alice.send(channel, chatter, attachments=[file])
    assert await world.key_of(last(channel)) != "vote"
    await world.alice.send(channel, f"{world.me} {chatter}", attachments=[file])
    assert await world.key_of(last(channel)) == "vote"


async def test_the_menu_reads_a_text_file(world: World):
    question = await world.bob.send(world.general, "", attachments=[("a.txt", VOTE.encode())])
    result = await world.alice.context_menu(world.general, "Find an answer", question)
    assert await world.key_of(shown(result).message) == "vote"


async def test_other_files_are_not_read(world: World):
    for name, data in (
        ("cat.png", VOTE.encode()),
        ("large.txt", VOTE.encode() + b" " * 65_536),
        ("binary.log", b"\0\1" + VOTE.encode()),
    ):
        await world.alice.send(world.ask, "", attachments=[(name, data)])
        assert last(world.ask).author.id == world.alice.id, name


async def test_a_file_that_can_not_be_had_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(world.env.backend.cdn, "get", lambda url: None)
    file = ("message.txt", b"?")
    await world.alice.send(world.ask, VOTE, attachments=[file])
    assert await world.key_of(last(world.ask)) == "vote"


async def test_a_mark_in_a_link_asks_nothing(world: World):
    await world.alice.send(world.general, f"{world.me} {VOTE}")
    said = "vote on an answer https://example.org/a?b=c"
    await world.alice.send(world.general, said, reply_to=last(world.general))
    assert last(world.general).content == said


async def test_questions_in_other_languages_are_looked_up(world: World):
    await world.app.guilds.update(world.guild.id, answer_threshold=0.0, suggest_threshold=0.0)
    await world.alice.send(world.ask, "wie kann ich pin message channel")
    assert await world.key_of(last(world.ask)) == "pins"
