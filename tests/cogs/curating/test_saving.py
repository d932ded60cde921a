"""*Save as answer*: a form with the question filled in, and a thread of the server's own."""

from __future__ import annotations

from typing import Any

import pytest
from simcord import MemberActor

from bot.curation import AuthorChoice
from bot.store import origins
from tests.kit.messages import labels, last, shown, told
from tests.kit.revisions import kept
from tests.kit.simcord import forum_post, join_guild
from tests.kit.world import World

QUESTION = "where can I find the key of the tool shed?"
ANSWER = "It hangs behind the red door."
FILLED = {"title": "Where is the key of the tool shed?", "answer": ANSWER}


async def reply(world: World) -> Any:
    """Bob's answer to a question of alice."""
    asked = await world.alice.send(world.general, QUESTION)
    return await world.bob.send(world.general, ANSWER, reply_to=asked)


def form(result: Any) -> dict[str, Any]:
    """The fields of a form by their names."""
    fields = [row["component"] for row in result.modal["components"]]
    return {field["custom_id"]: field for field in fields}


async def save(world: World, helper: MemberActor, message: Any, **filled: str) -> Any:
    opened = await helper.context_menu(world.general, "Save as answer", message)
    values = {name: field.get("value") or "" for name, field in form(opened).items()}
    return await helper.submit_modal(opened, values | filled)


async def answers(world: World, question: str = QUESTION) -> str | None:
    """What alice is told in #ask."""
    before = len(world.ask.history())
    await world.alice.send(world.ask, question)
    if len(world.ask.history()) < before + 2:
        return None
    embeds = last(world.ask).embeds
    return embeds[0].description if embeds else None


async def test_the_form_has_the_question_and_the_answer(world: World, hal: MemberActor):
    opened = await hal.context_menu(world.general, "Save as answer", await reply(world))
    fields = form(opened)
    assert fields["title"]["value"] == QUESTION
    assert fields["answer"]["value"] == ANSWER
    assert not fields["tags"].get("value")


async def test_what_was_saved_is_served_at_once(world: World, hal: MemberActor):
    saved = await save(world, hal, await reply(world), tags="keys,  tool shed,")
    assert told(saved).content == f"Saved, and found from now on: **{QUESTION}**"
    assert labels(told(saved)) == ["Undo"]
    assert (await answers(world) or "").startswith(ANSWER)
    thread = await world.app.answering.find(QUESTION, guild_id=world.guild.id)
    assert thread is not None
    assert thread.tags == ("keys", "tool shed")
    assert thread.source == "#general"
    (answer,) = thread.answers
    assert (answer.author, answer.accepted) == ("bob", True)
    assert answer.url is not None
    assert str(world.general.id) in answer.url
    async with world.app.database.read() as connection:
        author = await origins.author_of(connection, answer.id)
    assert author.user_id == world.bob.id


async def test_undo_takes_it_out_and_back(world: World, hal: MemberActor):
    saved = await save(world, hal, await reply(world))
    await hal.click(told(saved), label="Undo")
    assert await answers(world) is None
    await hal.click(told(saved), label="Undo")
    assert (await answers(world) or "").startswith(ANSWER)


async def test_a_close_thread_can_take_the_answer(world: World, hal: MemberActor):
    asked = await world.alice.send(world.general, "how do I vote on answers?")
    message = await world.bob.send(world.general, "Click the arrows.", reply_to=asked)
    saved = await save(world, hal, message)
    assert "One thread asks nearly the same: **How do I vote on an answer?**" in told(saved).content
    await hal.click(told(saved), label="Add it there instead")
    thread = await world.app.answering.find("vote", guild_id=world.guild.id)
    assert thread is not None
    assert "Click the arrows." in [answer.body for answer in thread.answers]
    assert len(thread.answers) == 3


async def test_only_helpers_save(world: World):
    for member, says in ((world.alice, "Only helpers"), (world.mo, None)):
        opened = await member.context_menu(world.general, "Save as answer", await reply(world))
        if says is None:
            assert form(opened)
        else:
            assert shown(opened).content.startswith(says)
            assert len(world.env.errors) == 1


async def test_who_is_refused_is_told_whom_to_ask(world: World, hal: MemberActor):
    refused = await world.alice.slash(world.general, "answer add")
    (role,) = (await world.app.guilds.settings(world.guild.id)).helper_role_ids
    assert shown(refused).content == (
        f"Only helpers of this server can do that. Ask <@&{role}>, or whoever manages this server."
    )
    assert len(world.env.errors) == 1


async def test_the_role_is_looked_at_again_when_the_form_is_sent(world: World, hal: MemberActor):
    message = await reply(world)
    opened = await hal.context_menu(world.general, "Save as answer", message)
    await world.app.guilds.update(world.guild.id, helper_role_ids=())
    sent = await hal.submit_modal(opened, FILLED)
    assert told(sent).content.startswith("Only helpers")
    assert len(world.env.errors) == 1
    assert await answers(world) is None


async def test_nothing_shows_in_another_server(world: World, hal: MemberActor):
    await save(world, hal, await reply(world))
    other = await join_guild(world.env, channels=("ask",))
    carl = other.add_member(world.env.create_user("carl"))
    await carl.send(other.channels["ask"], QUESTION)
    assert last(other.channels["ask"]).content == QUESTION
    assert await kept(world.app, other.id) == []


async def test_a_message_that_is_deleted_meanwhile_is_not_saved(world: World, hal: MemberActor):
    message = await reply(world)
    opened = await hal.context_menu(world.general, "Save as answer", message)
    await world.bob.delete(message)
    sent = await hal.submit_modal(opened, FILLED)
    assert told(sent).content == "That message was deleted meanwhile. I have saved nothing."
    assert len(world.env.errors) == 1
    assert await answers(world) is None


async def test_a_picture_is_named_with_a_link(world: World, hal: MemberActor):
    message = await world.bob.send(world.general, "", attachments=[("map.png", b"x")])
    opened = await hal.context_menu(world.general, "Save as answer", message)
    assert form(opened)["answer"]["value"] == f"📎 [map.png]({message.jump_url})"


async def test_a_long_question_is_whole_once_below_its_first_sentences(
    world: World, hal: MemberActor
):
    first = "Where can I find the key of the old tool shed behind the second greenhouse, please?"
    asked = await world.alice.send(world.general, f"{first} " + "I have looked everywhere. " * 12)
    message = await world.bob.send(world.general, ANSWER, reply_to=asked)
    fields = form(await hal.context_menu(world.general, "Save as answer", message))
    title = fields["title"]["value"]
    assert title == f"{first} " + ("I have looked everywhere. " * 8).strip()
    assert fields["body"]["value"] == asked.content.strip()


async def test_a_question_with_a_picture_names_that_below(world: World, hal: MemberActor):
    picture = [("map.png", b"x")]
    asked = await world.alice.send(world.general, QUESTION, attachments=picture)
    message = await world.bob.send(world.general, ANSWER, reply_to=asked)
    fields = form(await hal.context_menu(world.general, "Save as answer", message))
    assert fields["title"]["value"] == QUESTION
    assert fields["body"]["value"] == f"📎 [map.png]({asked.jump_url})"


async def test_the_words_that_were_asked_find_it_whatever_its_title(world: World, hal: MemberActor):
    asked = await world.alice.send(
        world.general, f"{world.bob.mention} how do I open that wooden thing?"
    )
    message = await world.bob.send(world.general, ANSWER, reply_to=asked)
    await save(world, hal, message, title="Key of the tool shed")
    assert (await answers(world, "how do i open that wooden thing") or "").startswith(ANSWER)
    (phrasing,) = await world.app.learning.phrasings(world.guild.id)
    assert (phrasing.user_id, phrasing.kept) == (world.alice.id, True)
    asked = shown(await world.alice.slash(world.general, "forget-me"))
    await world.alice.click(asked, label="Take my words out")
    assert await world.app.learning.phrasings(world.guild.id) == []


async def test_the_words_go_along_to_the_thread_that_asks_the_same(world: World, hal: MemberActor):
    asked = await world.alice.send(world.general, "how do I vote on answers?")
    message = await world.bob.send(world.general, "Click the arrows.", reply_to=asked)
    saved = await save(world, hal, message, title="How do I vote on an answer, please?")
    await hal.click(told(saved), label="Add it there instead")
    (phrasing,) = await world.app.learning.phrasings(world.guild.id)
    assert phrasing.title == "How do I vote on an answer?"
    asked = shown(await world.alice.slash(world.general, "forget-me"))
    await world.alice.click(asked, label="Take my words out")
    assert await world.app.learning.phrasings(world.guild.id) == []


async def test_a_forward_says_what_it_forwards(world: World, hal: MemberActor):
    original = await world.bob.send(world.ask, ANSWER, attachments=[("map.png", b"x")])
    message = await world.alice.forward(original, world.general)
    opened = await hal.context_menu(world.general, "Save as answer", message)
    assert form(opened)["answer"]["value"] == f"{ANSWER}\n\n📎 [map.png]({message.jump_url})"


async def test_an_asker_who_wants_nothing_kept_meanwhile_is_asked_again(
    world: World, hal: MemberActor
):
    opened = await hal.context_menu(world.general, "Save as answer", await reply(world))
    await world.app.authors.choose(world.alice.id, AuthorChoice.LEAVE_OUT)
    sent = await hal.submit_modal(opened, FILLED)
    assert told(sent).content.startswith("Whoever asked that has asked me meanwhile to keep")
    assert len(world.env.errors) == 1
    assert await answers(world) is None


async def test_an_asker_whose_name_goes_meanwhile_is_not_named(world: World, hal: MemberActor):
    opened = await hal.context_menu(world.general, "Save as answer", await reply(world))
    await world.app.authors.choose(world.alice.id, AuthorChoice.WITHOUT_NAME)
    await hal.submit_modal(opened, FILLED)
    thread = await world.app.answering.find(FILLED["title"], guild_id=world.guild.id)
    assert thread is not None
    assert thread.author is None


@pytest.mark.parametrize("title", ["\u200b", " \u2060 "])
async def test_a_title_of_nothing_is_refused(world: World, hal: MemberActor, title: str):
    sent = await save(world, hal, await reply(world), title=title)
    assert "Nothing was changed" in told(sent).content
    assert len(world.env.errors) == 1


async def test_mentions_are_names_and_ping_nobody(world: World, hal: MemberActor):
    asked = await world.alice.send(world.general, f"who has the key? <@{world.bob.id}> @everyone")
    message = await world.bob.send(world.general, f"ask <@{world.mo.id}>", reply_to=asked)
    opened = await hal.context_menu(world.general, "Save as answer", message)
    assert form(opened)["answer"]["value"] == "ask @mo"
    assert "<@" not in form(opened)["title"]["value"]


async def test_a_forum_post_gives_its_title(world: World, hal: MemberActor):
    forum = world.guild.create_forum_channel("help")
    post = await forum_post(world.env, world.alice, forum, "Broken rake", "It has no teeth.")
    message = await world.bob.send(post, "Buy another.")
    opened = await hal.context_menu(post, "Save as answer", message)
    fields = form(opened)
    assert (fields["title"]["value"], fields["body"]["value"]) == (
        "Broken rake",
        "It has no teeth.",
    )


async def test_who_wants_nothing_kept_is_not_saved(world: World, hal: MemberActor):
    async with world.app.database.write() as connection:
        await origins.choose(connection, world.bob.id, AuthorChoice.LEAVE_OUT)
        await origins.choose(connection, world.alice.id, AuthorChoice.WITHOUT_NAME)
    refused = await hal.context_menu(world.general, "Save as answer", await reply(world))
    assert shown(refused).content.startswith("Whoever wrote that message asked me")
    message = await world.alice.send(world.general, ANSWER)
    await save(world, hal, message, title="Where is the key?")
    thread = await world.app.answering.find("Where is the key?", guild_id=world.guild.id)
    assert thread is not None
    assert thread.answers[0].author is None


async def test_a_question_whose_author_wants_nothing_kept_is_not_filled_in(
    world: World, hal: MemberActor
):
    message = await reply(world)
    await world.app.authors.choose(world.alice.user.id, AuthorChoice.LEAVE_OUT)
    fields = form(await hal.context_menu(world.general, "Save as answer", message))
    assert not fields["title"].get("value")
    assert not fields["body"].get("value")
    assert fields["answer"]["value"] == ANSWER


async def test_the_question_of_who_wants_nothing_kept_is_left_blank(world: World, hal: MemberActor):
    async with world.app.database.write() as connection:
        await origins.choose(connection, world.alice.id, AuthorChoice.LEAVE_OUT)
    message = await reply(world)
    opened = await hal.context_menu(world.general, "Save as answer", message)
    assert not form(opened)["title"].get("value")
    await save(world, hal, message, title=FILLED["title"])
    thread = await world.app.answering.find(FILLED["title"], guild_id=world.guild.id)
    assert thread is not None
    assert (thread.author, thread.url) == (None, message.jump_url)
