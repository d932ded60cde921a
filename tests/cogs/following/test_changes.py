"""What becomes of a solved post's thread when its messages, the post or the channel change."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import discord
import pytest
from sqlalchemy import update

from bot.curation import Action, ThreadState
from bot.models import Answer
from bot.store.curation_tables import answer_messages
from tests.cogs.following.conftest import ANSWER, QUESTION, TITLE, Help
from tests.kit.forums import set_tags
from tests.kit.messages import last, told
from tests.kit.revisions import kept
from tests.kit.simcord import delete_channel, muted, overwrite, user_thread

SHADE = "Give them shade."


@pytest.fixture
async def solved(help_: Help) -> tuple[Any, Any]:
    """A post that is solved, and the message that solved it."""
    post, answer = await help_.answered()
    await help_.mark(help_.world.alice, answer)
    return post, answer


async def helper_edits(help_: Help, post: Any, body: str) -> None:
    """A helper gives the post's answer other words."""

    def edit(state: ThreadState) -> ThreadState:
        first = replace(state.thread.answers[0], body=body)
        thread = replace(state.thread, answers=(first, *state.thread.answers[1:]))
        return replace(state, thread=thread)

    guild_id = help_.world.guild.id
    thread = await help_.thread(post)
    await help_.world.app.curating.edit(guild_id, help_.fern.id, thread.id, edit)


class TestEdits:
    async def test_of_the_answer_are_taken_over(self, help_: Help, solved: Any):
        post, answer = solved
        await help_.world.bob.edit(answer, SHADE)
        assert await help_.served() == SHADE
        history = await kept(help_.world.app, help_.world.guild.id, (await help_.thread(post)).id)
        assert [r.action for r in history] == [Action.FOLLOWED, Action.SOLVED]

    async def test_of_the_question_are_taken_over(self, help_: Help, solved: Any):
        post, _ = solved
        question = post.history()[0]
        await help_.world.alice.edit(question, "It is sand.")
        assert (await help_.thread(post)).body == "It is sand."

    async def test_of_other_messages_change_nothing(self, help_: Help, solved: Any):
        post, _ = solved
        before = await help_.thread(post)
        other = await help_.say(post, "Thanks!")
        await help_.world.bob.edit(other, "Thank you!")
        assert await help_.thread(post) == before

    async def test_of_what_a_helper_edited_are_proposed(self, help_: Help, solved: Any):
        post, answer = solved
        await helper_edits(help_, post, "Water them **less**.")
        await help_.world.bob.edit(answer, SHADE)
        assert await help_.served() == "Water them **less**."
        (proposal,) = await kept(help_.world.app, help_.world.guild.id, proposed=True)
        assert [a.body for a in proposal.state.thread.answers] == [SHADE]
        await help_.world.bob.edit(answer, SHADE + " And less water.")
        (proposal,) = await kept(help_.world.app, help_.world.guild.id, proposed=True)
        assert [a.body for a in proposal.state.thread.answers] == [SHADE + " And less water."]
        assert (await help_.thread(post)).answers[0].body == "Water them **less**."
        await help_.world.app.curating.restore(help_.world.guild.id, help_.fern.id, proposal.id)
        assert (await help_.thread(post)).answers[0].body == SHADE + " And less water."

    async def test_of_the_question_come_though_a_helper_edited_the_answer(
        self, help_: Help, solved: Any
    ):
        post, _ = solved
        await helper_edits(help_, post, "Water them **less**.")
        await help_.world.alice.edit(post.history()[0], "It is sand.")
        thread = await help_.thread(post)
        assert (thread.body, thread.answers[0].body) == ("It is sand.", "Water them **less**.")

    async def test_a_new_title_is_taken_over(self, help_: Help, solved: Any):
        post, _ = solved
        help_.world.env.backend.edit_channel(post.id, {"name": "Why are they yellow?"})
        await help_.world.env.settle()
        assert (await help_.thread(post)).title == "Why are they yellow?"

    async def test_of_a_question_beside_its_thread_are_taken_over(self, help_: Help):
        world = help_.world
        await world.mo.slash(world.general, "library follow", channel=world.ask)
        await world.alice.send(world.ask, QUESTION)
        question = last(world.ask)
        thread = await user_thread(world.env, world.alice, world.ask, TITLE, question)
        await help_.mark(world.alice, await help_.say(thread, ANSWER))
        await world.alice.edit(question, "It is sand.")
        assert (await help_.thread(thread)).body == "It is sand."


class TestDeletions:
    async def test_of_the_answer_take_it_out(self, help_: Help, solved: Any):
        post, answer = solved
        await help_.world.bob.delete(answer)
        assert (await help_.state(post), await help_.served()) == ("candidate", None)
        assert last(post).content.startswith("-# Not solved yet after all")

    async def test_of_a_further_answer_take_that_out(self, help_: Help):
        post, answer = await help_.answered()
        liked = await help_.say(post, SHADE, help_.fern)
        for member in (help_.world.alice, help_.world.bob):
            await member.react(liked, "👍")
        await help_.mark(help_.world.alice, answer)
        assert len((await help_.thread(post)).answers) == 2
        await help_.fern.delete(liked)
        assert [a.body for a in (await help_.thread(post)).answers] == [ANSWER]

    async def test_of_many_messages_at_once(self, help_: Help, solved: Any):
        post, answer = solved
        help_.world.env.backend.bulk_delete_messages(post.id, [answer.id])
        await help_.world.env.settle()
        assert await help_.served() is None

    async def test_of_the_post_take_it_out(self, help_: Help, solved: Any):
        post, _ = solved
        await delete_channel(help_.world.env, post)
        assert (await help_.state(post), await help_.served()) == (None, None)

    async def test_leave_what_helpers_added(self, help_: Help, solved: Any):
        post, answer = solved
        thread_id, guild_id = (await help_.thread(post)).id, help_.world.guild.id
        await help_.world.app.curating.add_answer(
            guild_id, help_.fern.id, thread_id, Answer(body="Pick the yellow leaves.")
        )
        await help_.world.bob.delete(answer)
        kept = await help_.world.app.answering.serve(thread_id, guild_id=guild_id)
        assert kept is not None
        assert [a.body for a in kept.answers] == ["Pick the yellow leaves."]

    async def test_of_the_proposed_message_end_the_proposal(self, help_: Help):
        post, answer = await help_.answered()
        for member in (help_.world.alice, help_.fern):
            await member.react(answer, "👍")
        await set_tags(help_.world.env, post, "Solved")
        assert await help_.state(post) == "proposed"
        await help_.world.bob.delete(answer)
        assert await help_.state(post) == "candidate"

    async def test_what_is_taken_out_comes_back_by_undo(self, help_: Help, solved: Any):
        post, answer = solved
        thread = await help_.thread(post)
        await help_.world.bob.delete(answer)
        await help_.world.app.curating.undo(help_.world.guild.id, help_.fern.id, thread.id)
        assert await help_.served() == ANSWER

    async def test_in_a_post_that_was_archived(self, help_: Help, solved: Any):
        post, answer = solved
        backend = help_.world.env.backend
        backend.edit_channel(post.id, {}, thread_metadata={"archived": True})
        await help_.world.env.settle()
        backend.delete_message(post.id, answer.id)
        await help_.world.env.settle()
        assert await help_.state(post) == "candidate"

    async def test_in_a_channel_that_is_followed_no_longer(self, help_: Help, solved: Any):
        _, answer = solved
        world = help_.world
        await world.mo.slash(world.general, "library unfollow", channel="help")
        assert await help_.served() == ANSWER
        await world.bob.delete(answer)
        found = await world.app.answering.complete("tomato", guild_id=world.guild.id, limit=9)
        assert found == []


async def test_followed_again_a_helper_s_words_stay(help_: Help, solved: Any):
    world, (post, answer) = help_.world, solved
    await helper_edits(help_, post, "Water them **less**.")
    thread = await help_.thread(post)
    await world.mo.slash(world.general, "library unfollow", channel="help")
    await world.mo.slash(world.general, "library follow", channel=help_.forum)
    assert await help_.state(post) is None
    await help_.mark(help_.fern, answer)
    again = await help_.thread(post)
    assert (again.id, again.answers[0].body) == (thread.id, "Water them **less**.")
    await world.bob.delete(answer)
    assert await world.app.answering.serve(thread.id, guild_id=world.guild.id) is None


async def test_what_a_helper_took_out_stays_out_until_it_is_marked_again(help_: Help, solved: Any):
    world, (post, answer) = help_.world, solved
    thread = await help_.thread(post)
    await world.app.curating.undo(world.guild.id, help_.fern.id, thread.id)
    await world.bob.edit(answer, SHADE)
    assert await help_.thread(post) is None
    await help_.mark(help_.fern, answer)
    assert (await help_.thread(post)).answers[0].body == SHADE


async def test_an_edit_that_was_missed_is_noticed_when_the_answer_is_shown(
    help_: Help, solved: Any
):
    world, (post, answer) = help_.world, solved
    with muted(world.env):
        world.env.backend.edit_message(post.id, answer.id, {"content": SHADE + " <@1>"})
    async with world.app.database.write() as connection:
        await connection.execute(update(answer_messages).values(checked_at=0))
    await help_.served()
    assert (await help_.thread(post)).answers[0].body == SHADE + " @somebody"


async def test_a_deletion_that_was_missed_is_noticed_when_the_answer_is_shown(
    help_: Help, solved: Any
):
    world, (post, answer) = help_.world, solved
    with muted(world.env):
        world.env.backend.delete_message(post.id, answer.id)
    async with world.app.database.write() as connection:
        await connection.execute(update(answer_messages).values(checked_at=0))
    assert await help_.served() is None
    assert await help_.state(post) == "candidate"


async def test_merged_into_another_thread_its_answer_is_kept_in_step(help_: Help, solved: Any):
    world, guild_id = help_.world, help_.world.guild.id
    post, _ = solved
    other = await help_.post("How do I treat yellow tomato leaves?", "Help!")
    await help_.mark(world.alice, await help_.say(other, "Cut them off."))
    first, second = await help_.thread(post), await help_.thread(other)
    done = await world.app.curating.merge(guild_id, help_.fern.id, first.id, second.id)
    assert done.thread_id == first.id
    cut = other.history()[1]
    await world.bob.edit(cut, "Cut them all off.")
    kept = await world.app.answering.serve(first.id, guild_id=guild_id)
    assert kept is not None
    assert {a.body for a in kept.answers} == {ANSWER, "Cut them all off."}
    await world.bob.delete(cut)
    kept = await world.app.answering.serve(first.id, guild_id=guild_id)
    assert kept is not None
    assert [a.body for a in kept.answers] == [ANSWER]


class TestChannels:
    async def test_a_new_name_is_noted(self, help_: Help, solved: Any):
        help_.world.env.backend.edit_channel(help_.forum.id, {"name": "questions"})
        await help_.world.env.settle()
        (channel,) = await help_.world.app.following.channels(help_.world.guild.id)
        assert channel.name == "questions"

    async def test_one_that_is_deleted_is_said_once_and_its_threads_go(
        self, help_: Help, solved: Any, caplog: pytest.LogCaptureFixture
    ):
        await delete_channel(help_.world.env, help_.forum)
        said = [r for r in caplog.records if "the followed channel" in r.getMessage()]
        assert len(said) == 1
        assert await help_.served() is None
        listed = told(await help_.world.mo.slash(help_.world.general, "library followed"))
        assert "#help · was deleted" in listed.embeds[0].description

    async def test_one_that_is_hidden_is_said_once_and_nothing_is_half_done(
        self, help_: Help, solved: Any, caplog: pytest.LogCaptureFixture
    ):
        world = help_.world
        post, _ = solved
        other = await help_.say(post, SHADE)
        hidden = discord.PermissionOverwrite(read_message_history=False)
        me = next(r for r in world.env.backend.guilds[world.guild.id].roles.values() if r.managed)
        await overwrite(world.env, help_.forum, me, hidden)
        for _ in range(2):
            said = await help_.mark_as(help_.fern, other)
            assert said.startswith(f"I can't read <#{help_.forum.id}> any more.")
        assert len(world.env.errors) == 2
        lines = [r for r in caplog.records if "read_message_history" in r.getMessage()]
        assert len(lines) == 1
        assert await help_.served() == ANSWER
        assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_an_asker_who_left_takes_nothing_along(help_: Help, solved: Any):
    post, answer = solved
    help_.world.guild.remove_member(help_.world.alice)
    await help_.world.env.settle()
    await help_.world.bob.edit(answer, SHADE)
    assert await help_.served() == SHADE
    await help_.fern.click(last(post), label="Not the solution")
    assert await help_.state(post) == "refused"


async def test_after_a_restart_the_line_s_button_works(help_: Help, solved: Any):
    post, _ = solved
    await help_.world.restart()
    await help_.world.alice.click(last(post), label="Not the solution")
    assert await help_.state(post) == "refused"


async def test_who_asks_to_be_forgotten_is_not_known_as_the_asker(help_: Help, solved: Any):
    post, _ = solved
    await help_.world.app.voting.forget_user(help_.world.alice.id)
    known = await help_.world.app.followed_posts.known(help_.world.guild.id, post.id)
    assert known is not None
    assert known.asker_id == 0
