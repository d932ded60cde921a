"""Questions in forums: the title with the first message, and one answer a post."""

from __future__ import annotations

import pytest
from simcord import ChannelHandle

from bot.models import Mode
from tests.kit.messages import last, size
from tests.kit.simcord import forum_post
from tests.kit.world import World

VOTE = "How do I vote on an answer?"
UNPIN = "how can I unpin a message?"
SMALL_TALK = "Hello everybody, I joined yesterday and like it here. Thanks in advance!"


@pytest.fixture
async def forum(world: World) -> ChannelHandle:
    """A forum whose posts are answered."""
    made = world.guild.create_forum_channel("help")
    await world.app.guilds.set_mode(world.guild.id, made.id, Mode.QUESTIONS)
    return made


@pytest.mark.parametrize("said", [SMALL_TALK, "I see arrows under it. What are they for?", "."])
async def test_the_title_is_the_question(world: World, forum: ChannelHandle, said: str):
    post = await forum_post(world.env, world.alice, forum, VOTE, said)
    card = last(post)
    assert await world.key_of(card) == "vote"
    assert card.reference.message_id == post.id
    posting = await world.app.postings.get(card.id)
    assert posting is not None
    assert posting.asker_id == world.alice.id


async def test_a_title_needs_no_form(world: World, forum: ChannelHandle):
    post = await forum_post(world.env, world.alice, forum, "unpin a message", "please")
    assert await world.key_of(last(post)) == "unpin"


async def test_a_title_is_the_question_of_a_picture(world: World, forum: ChannelHandle):
    files = world.env.backend.store_attachments(forum.id, [("cat.png", b"x")])
    post = await forum_post(world.env, world.alice, forum, VOTE, attachments=files)
    assert await world.key_of(last(post)) == "vote"


async def test_the_first_message_may_come_before_the_post(world: World, forum: ChannelHandle):
    post = await forum_post(world.env, world.alice, forum, VOTE, SMALL_TALK, announced=False)
    assert await world.key_of(last(post)) == "vote"


async def test_later_messages_get_no_answer_again(world: World, forum: ChannelHandle):
    post = await forum_post(world.env, world.alice, forum, VOTE, SMALL_TALK)
    for actor in (world.alice, world.bob, world.mo):
        before = size(post)
        await actor.send(post, UNPIN)
        assert size(post) == before + 1
    await world.bob.send(post, f"{world.me} {UNPIN}")
    assert await world.key_of(last(post)) == "unpin"


async def test_whoever_opened_an_unanswered_post_may_say_more(world: World, forum: ChannelHandle):
    post = await forum_post(world.env, world.alice, forum, "Please help", SMALL_TALK)
    assert size(post) == 1
    for actor in (world.bob, world.mo):
        await actor.send(post, UNPIN)
        assert last(post).author.id == actor.id
    await world.alice.send(post, UNPIN)
    assert await world.key_of(last(post)) == "unpin"


async def test_helpers_own_questions_get_nothing_unless_addressed(
    world: World, forum: ChannelHandle
):
    role = world.guild.create_role("Helpers")
    helper = world.guild.add_member(world.env.create_user("helper"), roles=[role])
    await world.app.guilds.update(world.guild.id, helper_role_ids=(role.id,))
    for actor in (world.mo, helper):
        post = await forum_post(world.env, actor, forum, "Please help", SMALL_TALK)
        await actor.send(post, UNPIN)
        assert last(post).author.id == actor.id
        await actor.send(post, f"{world.me} {UNPIN}")
        assert await world.key_of(last(post)) == "unpin"


async def test_messages_that_come_together_get_one_answer(world: World, forum: ChannelHandle):
    backend = world.env.backend
    thread = backend.create_thread(forum.id, VOTE, world.alice.id, broadcast=False)
    backend.announce_thread_create(thread)
    first = backend.prepare_message(thread.id, world.alice.id, ".")
    first.id = thread.id
    backend.commit_message(first)
    backend.create_message(thread.id, world.alice.id, UNPIN)
    await world.env.settle()
    me = backend.bot_user.id
    cards = [m for m in backend.messages[thread.id].values() if m.author_id == me]
    assert len(cards) == 1


async def test_a_post_outside_of_ask_channels_gets_nothing(world: World):
    forum = world.guild.create_forum_channel("gallery")
    post = await forum_post(world.env, world.alice, forum, VOTE, SMALL_TALK)
    assert size(post) == 1
    post = await forum_post(world.env, world.alice, forum, VOTE, world.me)
    assert await world.key_of(last(post)) == "vote"


async def test_a_title_that_says_nothing_leaves_the_question_to_the_message(
    world: World, forum: ChannelHandle
):
    post = await forum_post(world.env, world.alice, forum, "help", UNPIN)
    assert await world.key_of(last(post)) == "unpin"


async def test_a_forum_is_known_by_its_name(world: World):
    forum = world.guild.create_forum_channel("💬・ask")
    post = await forum_post(world.env, world.alice, forum, VOTE, SMALL_TALK)
    assert await world.key_of(last(post)) == "vote"
