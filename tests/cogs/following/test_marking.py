"""*Mark as solution*: by whom, where, what is saved, what people see, and how it is undone."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from bot.curation import AuthorChoice
from bot.store import origins
from tests.cogs.following.conftest import ANSWER, ASKED, QUESTION, TITLE, Help
from tests.kit.forums import forum_with_tags, set_tags, tag_names
from tests.kit.messages import labels, last, size, told
from tests.kit.revisions import kept
from tests.kit.simcord import join_guild, overwrite, user_thread


async def test_a_post_marked_by_its_asker_answers_the_next_question(help_: Help):
    _, answer = await help_.answered()
    assert await help_.served() is None
    said = await help_.mark_as(help_.world.alice, answer)
    assert said == f"Saved, and found here from now on: **{TITLE}**"
    assert await help_.served() == ANSWER


async def test_what_is_saved_says_where_it_is_from(help_: Help):
    post, answer = await help_.answered("Ask <@1>, or " + ANSWER)
    await help_.mark(help_.world.alice, answer)
    thread = await help_.thread(post)
    assert (thread.title, thread.body, thread.author) == (TITLE, QUESTION, "alice")
    assert (thread.key, thread.source) == (f"discord:{help_.forum.id}/{post.id}", "#help")
    link = f"https://discord.com/channels/{help_.world.guild.id}/{post.id}"
    assert thread.url == link
    (kept,) = thread.answers
    assert (kept.body, kept.author) == ("Ask @somebody, or " + ANSWER, "bob")
    assert (kept.key, kept.url, kept.accepted) == (str(answer.id), f"{link}/{answer.id}", True)
    async with help_.world.app.database.read() as connection:
        assert await origins.author_of(connection, kept.id) == ("bob", help_.world.bob.id)
        origin = await origins.of_thread(connection, thread.id, help_.world.guild.id)
        assert origin is not None
        assert (origin.message_id, origin.author_id) == (post.id, help_.world.alice.id)


async def test_the_post_gets_its_tag_and_one_quiet_line(help_: Help):
    post, answer = await help_.answered()
    await set_tags(help_.world.env, post, "Bug")
    await help_.mark(help_.fern, answer)
    assert tag_names(help_.world.env, post) == ["Bug", "Solved"]
    line = last(post)
    assert line.content.startswith(f"-# ✅ Solved by [this message]({answer.jump_url}).")
    assert "`/forget-me` takes yours out." in line.content
    assert labels(line) == ["Not the solution"]
    assert line.flags.suppress_notifications
    thread = await help_.thread(post)
    assert thread.tags == ("Bug",)
    count = size(post)
    assert await help_.mark_as(help_.world.alice, answer) == (
        f"In the library already, and solved by that message: **{TITLE}**"
    )
    assert size(post) == count


async def test_members_mark_nothing(help_: Help):
    post, answer = await help_.answered()
    said = await help_.mark_as(help_.world.bob, answer)
    assert said == "Only who asked this, or a helper of this server, can say what solved it."
    assert len(help_.world.env.errors) == 1
    assert (await help_.state(post), tag_names(help_.world.env, post)) == (None, [])
    assert last(post).content == ANSWER


async def test_the_role_is_looked_at_when_it_is_pressed(help_: Help):
    post, answer = await help_.answered()
    await help_.mark(help_.fern, answer)
    await help_.world.app.guilds.update(help_.world.guild.id, helper_role_ids=())
    pressed = await help_.fern.click(last(post), label="Not the solution")
    assert told(pressed).content == (
        "Only who asked this, or a helper of this server, can say what solved it."
    )
    assert await help_.state(post) == "solved"


class TestWhatCannotBe:
    async def refused(self, help_: Help, member: Any, message: Any) -> str:
        before = len(help_.world.env.errors)
        said = await help_.mark_as(member, message)
        assert len(help_.world.env.errors) == before + 1
        return said

    async def test_a_message_elsewhere(self, help_: Help):
        await help_.world.bob.send(help_.world.general, ANSWER)
        said = await self.refused(help_, help_.fern, last(help_.world.general))
        assert said.startswith("This works in the posts of channels that I follow.")

    async def test_a_forum_that_is_not_followed(self, help_: Help):
        help_.forum = await forum_with_tags(help_.world.env, help_.world.guild, "other")
        _, answer = await help_.answered()
        said = await self.refused(help_, help_.fern, answer)
        assert said.startswith("This works in the posts of channels that I follow.")

    async def test_the_question_itself(self, help_: Help):
        post = await help_.post()
        said = await self.refused(help_, help_.fern, last(post))
        assert said == "That is the question itself. Choose the message that solved it."

    async def test_a_message_of_the_bot(self, help_: Help):
        post, answer = await help_.answered()
        await help_.mark(help_.fern, answer)
        said = await self.refused(help_, help_.fern, last(post))
        assert said == "There is nothing in that message that I could keep."

    async def test_a_message_of_somebody_who_wants_to_be_left_out(self, help_: Help):
        _, answer = await help_.answered()
        async with help_.world.app.database.write() as connection:
            await origins.choose(connection, help_.world.bob.id, AuthorChoice.LEAVE_OUT)
        said = await self.refused(help_, help_.fern, answer)
        assert said.startswith("Who wrote that wants their messages kept out of the library")
        assert await help_.served() is None


async def test_who_wants_no_name_is_somebody(help_: Help):
    post, answer = await help_.answered()
    async with help_.world.app.database.write() as connection:
        await origins.choose(connection, help_.world.bob.id, AuthorChoice.WITHOUT_NAME)
    await help_.mark(help_.fern, answer)
    (kept,) = (await help_.thread(post)).answers
    assert kept.author == "somebody"


async def test_liked_messages_are_further_answers(help_: Help):
    post, answer = await help_.answered()
    liked = await help_.say(post, "Or move them to sand.", help_.fern)
    unliked = await help_.say(post, "No idea.")
    for member in (help_.world.alice, help_.world.mo):
        await member.react(liked, "👍")
    await help_.world.alice.react(unliked, "👍")
    await help_.mark(help_.world.alice, answer)
    kept = {a.body: (a.accepted, a.score) for a in (await help_.thread(post)).answers}
    assert kept == {ANSWER: (True, 0), "Or move them to sand.": (False, 0)}
    await help_.fern.react(unliked, "👍")
    assert len((await help_.thread(post)).answers) == 3


class TestTakingBack:
    async def test_not_the_solution_takes_it_out(self, help_: Help):
        post, answer = await help_.answered()
        await help_.mark(help_.fern, answer)
        pressed = await help_.world.alice.click(last(post), label="Not the solution")
        assert told(pressed).content == (
            "Reopened: it is out of the library until something solves it."
        )
        assert await help_.served() is None
        assert (await help_.state(post), tag_names(help_.world.env, post)) == ("refused", [])
        line = last(post)
        assert line.content == ("-# Not solved yet after all: I took it out of my library again.")
        assert labels(line) == []

    async def test_another_mark_counts_then(self, help_: Help):
        post, answer = await help_.answered()
        other = await help_.say(post, "Give them shade.")
        await help_.world.alice.react(other, "✅")
        await help_.mark(help_.fern, answer)
        assert await help_.served() == ANSWER
        pressed = await help_.fern.click(last(post), label="Not the solution")
        assert told(pressed).content == ("Thank you. Another message counts as the solution now.")
        assert await help_.served() == "Give them shade."
        assert [a.body for a in (await help_.thread(post)).answers] == ["Give them shade."]
        assert last(post).content.startswith(f"-# ✅ Solved by [this message]({other.jump_url}).")

    async def test_reopen_takes_it_out_whatever_other_marks_say(self, help_: Help):
        post, answer = await help_.answered()
        other = await help_.say(post, "Give them shade.")
        await help_.world.alice.react(other, "✅")
        marked = await help_.mark(help_.fern, answer)
        await help_.fern.click(told(marked), label="Reopen")
        assert await help_.state(post) == "refused"
        assert await help_.served() is None

    async def test_it_can_be_marked_again_and_keeps_its_votes(self, help_: Help):
        post, answer = await help_.answered()
        await help_.mark(help_.fern, answer)
        assert await help_.served() == ANSWER
        await help_.world.alice.react(last(help_.world.general), "⬆️")
        await help_.fern.click(last(post), label="Not the solution")
        await help_.mark(help_.fern, answer)
        (kept,) = (await help_.thread(post)).answers
        assert kept.tally == 1
        assert "Solved by [this message]" in last(post).content

    async def test_members_take_nothing_back(self, help_: Help):
        post, answer = await help_.answered()
        await help_.mark(help_.fern, answer)
        await help_.world.bob.click(last(post), label="Not the solution")
        assert await help_.state(post) == "solved"

    async def test_what_is_not_solved_is_said(self, help_: Help):
        post, answer = await help_.answered()
        marked = await help_.mark(help_.fern, answer)
        await help_.fern.click(last(post), label="Not the solution")
        pressed = await help_.fern.click(told(marked), label="Reopen")
        assert told(pressed).content == "It is not in the library as solved."


class TestTags:
    async def test_a_post_with_five_tags_is_saved_all_the_same(self, help_: Help):
        post, answer = await help_.answered()
        await set_tags(help_.world.env, post, *"abcde")
        said = await help_.mark_as(help_.fern, answer)
        assert "It has five tags already, so I could not set the one for solved posts." in said
        assert "It has five tags already" in last(post).content
        assert tag_names(help_.world.env, post) == [*"abcde"]
        assert await help_.served() == ANSWER

    async def test_without_the_permission_it_is_saved_all_the_same(self, help_: Help):
        world = help_.world
        post, answer = await help_.answered()
        denied = discord.PermissionOverwrite(manage_threads=False)
        await overwrite(world.env, help_.forum, world.guild.default_role, denied)
        said = await help_.mark_as(help_.fern, answer)
        assert "I may not set its tag: I need the permission *Manage Threads*." in said
        assert (tag_names(world.env, post), await help_.served()) == ([], ANSWER)

    @pytest.mark.parametrize("how", ["archived", "locked"])
    async def test_a_closed_post_stays_closed(self, help_: Help, how: str):
        post, answer = await help_.answered()
        count = size(post)
        help_.world.env.backend.edit_channel(post.id, {}, thread_metadata={how: True})
        await help_.world.env.settle()
        said = await help_.mark_as(help_.fern, answer)
        assert "It is closed, so I set no tag and wrote nothing there." in said
        assert (size(post), await help_.served()) == (count, ANSWER)


async def test_where_the_bot_may_not_write_it_is_saved_all_the_same(help_: Help):
    world = help_.world
    post, answer = await help_.answered()
    denied = discord.PermissionOverwrite(send_messages_in_threads=False)
    await overwrite(world.env, help_.forum, world.guild.default_role, denied)
    await help_.mark(help_.fern, answer)
    assert (last(post).content, await help_.served()) == (ANSWER, ANSWER)


class TestTextChannels:
    @pytest.fixture
    async def thread(self, help_: Help) -> Any:
        """A Discord thread that mo made of a question of alice's."""
        world = help_.world
        await world.mo.slash(world.general, "library follow", channel=world.ask)
        await world.alice.send(world.ask, QUESTION)
        asked = last(world.ask)
        return await user_thread(world.env, world.mo, world.ask, TITLE, asked)

    async def test_who_wrote_the_question_is_the_asker(self, help_: Help, thread: Any):
        answer = await help_.say(thread, ANSWER)
        said = await help_.mark_as(help_.world.alice, answer)
        assert said == f"Saved, and found here from now on: **{TITLE}**"
        kept = await help_.thread(thread)
        assert (kept.title, kept.body, kept.author) == (TITLE, QUESTION, "alice")
        assert await help_.served() == ANSWER
        assert "Solved by [this message]" in last(thread).content


async def test_other_servers_have_nothing_of_it(help_: Help):
    post, answer = await help_.answered()
    await help_.mark(help_.fern, answer)
    other = await join_guild(help_.world.env, channels=("talk",))
    carl = other.add_member(help_.world.env.create_user("carl"))
    talk = other.channels["talk"]
    await carl.send(talk, f"{help_.world.me} {ASKED}")
    assert not last(talk).embeds
    found = await help_.world.app.answering.complete("tomato", guild_id=other.id, limit=9)
    assert [match.title for match in found] == []
    assert await help_.world.app.followed_posts.known(other.id, post.id) is None
    assert await kept(help_.world.app, other.id) == []


ASKING = "My leaves look sick, what can I do?"


async def test_the_words_of_the_question_find_it_at_once(help_: Help):
    post = await help_.post(said=ASKING)
    await help_.mark(help_.world.alice, await help_.say(post, ANSWER))
    assert await help_.served("my leaves look sick what can i do") == ANSWER
    (phrasing,) = await help_.world.app.learning.phrasings(help_.world.guild.id)
    assert (phrasing.user_id, phrasing.kept) == (help_.world.alice.id, True)


async def test_what_only_adds_to_a_title_is_no_question(help_: Help):
    _, answer = await help_.answered()
    await help_.mark(help_.fern, answer)
    assert await help_.world.app.learning.phrasings(help_.world.guild.id) == []


async def test_the_message_that_a_thread_was_made_of_is_its_question(help_: Help):
    world = help_.world
    await world.mo.slash(world.general, "library follow", channel=world.ask)
    asked = await world.alice.send(world.ask, "sick leaves everywhere here")
    thread = await user_thread(world.env, world.mo, world.ask, "Leaves", asked)
    await help_.mark(help_.fern, await help_.say(thread, ANSWER))
    assert await help_.served("sick leaves everywhere here") == ANSWER
