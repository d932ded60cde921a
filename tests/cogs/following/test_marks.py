"""What else solves posts: the emoji, other bots' marks, a tag and reactions."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from tests.cogs.following.conftest import ANSWER, Help
from tests.kit.forums import set_tags, tag_names
from tests.kit.messages import last, size
from tests.kit.simcord import clear_reactions, user_thread

SHADE = "Give them shade."


class TestEmoji:
    async def test_of_the_asker(self, help_: Help):
        post, answer = await help_.answered()
        await help_.world.alice.react(answer, "✅")
        assert (await help_.state(post), await help_.served()) == ("solved", ANSWER)
        assert "Solved by [this message]" in last(post).content
        assert tag_names(help_.world.env, post) == ["Solved"]

    async def test_of_a_helper(self, help_: Help):
        post, answer = await help_.answered()
        await help_.fern.react(answer, "✅")
        assert await help_.state(post) == "solved"

    async def test_of_a_member_marks_nothing(self, help_: Help):
        post, answer = await help_.answered()
        await help_.world.bob.react(answer, "✅")
        assert await help_.state(post) is None
        assert last(post).content == ANSWER

    async def test_other_emoji_mark_nothing(self, help_: Help):
        post, answer = await help_.answered()
        await help_.world.alice.react(answer, "👍")
        assert await help_.state(post) is None

    async def test_the_server_may_choose_another(self, help_: Help):
        await help_.world.app.guilds.update(help_.world.guild.id, solution_emoji="🎯")
        post, answer = await help_.answered()
        await help_.world.alice.react(answer, "✅")
        assert await help_.state(post) is None
        await help_.world.alice.react(answer, "🎯")
        assert await help_.state(post) == "solved"

    async def test_taken_back_the_post_is_open_again(self, help_: Help):
        post, answer = await help_.answered()
        await help_.world.alice.react(answer, "✅")
        await help_.world.alice.unreact(answer, "✅")
        assert (await help_.state(post), await help_.served()) == ("candidate", None)
        assert tag_names(help_.world.env, post) == []
        assert last(post).content.startswith("-# Not solved yet after all")

    async def test_cleared_by_a_moderator_it_is_open_again(self, help_: Help):
        post, answer = await help_.answered()
        await help_.world.alice.react(answer, "✅")
        await clear_reactions(help_.world.env, answer)
        assert await help_.state(post) == "candidate"

    async def test_elsewhere_the_asker_changes_the_solution(self, help_: Help):
        post, answer = await help_.answered()
        other = await help_.say(post, SHADE)
        await help_.fern.react(answer, "✅")
        await help_.world.alice.react(other, "✅")
        assert [a.body for a in (await help_.thread(post)).answers] == [SHADE]
        assert size(post) == 4  # the question, two answers, one line

    async def test_what_was_marked_by_the_menu_stays(self, help_: Help):
        post, answer = await help_.answered()
        other = await help_.say(post, SHADE)
        await help_.mark(help_.fern, answer)
        await help_.world.alice.react(other, "✅")
        assert (await help_.thread(post)).answers[0].body == ANSWER

    async def test_given_again_it_counts_after_not_the_solution(self, help_: Help):
        post, answer = await help_.answered()
        await help_.world.alice.react(answer, "✅")
        await help_.fern.click(last(post), label="Not the solution")
        assert await help_.state(post) == "refused"
        await help_.world.alice.unreact(answer, "✅")
        await help_.world.alice.react(answer, "✅")
        assert await help_.state(post) == "solved"

    async def test_in_a_text_channel_of_who_wrote_the_question(self, help_: Help):
        world = help_.world
        await world.mo.slash(world.general, "library follow", channel=world.ask)
        await world.alice.send(world.ask, "Why do tomatoes turn yellow?")
        thread = await user_thread(world.env, world.mo, world.ask, "tomatoes", last(world.ask))
        answer = await help_.say(thread, ANSWER)
        await world.bob.react(answer, "✅")
        assert await help_.state(thread) is None
        await world.alice.react(answer, "✅")
        assert await help_.state(thread) == "solved"


class TestOtherBots:
    @pytest.fixture
    def bot(self, help_: Help) -> Any:
        """Another bot of the server."""
        return help_.world.guild.add_member(help_.world.env.create_user("answers", bot=True))

    def said(self, help_: Help, bot: Any, post: Any, said: str = "", **parts: Any) -> None:
        help_.world.env.backend.create_message(post.id, bot.id, said, **parts)

    async def test_an_embed_that_names_it(self, help_: Help, bot: Any):
        post, answer = await help_.answered()
        embed = discord.Embed(title="Solution").add_field(
            name="Solution Message ID", value=str(answer.id)
        )
        self.said(help_, bot, post, embeds=[embed.to_dict()])
        await help_.world.env.settle()
        assert (await help_.state(post), await help_.served()) == ("solved", ANSWER)

    async def test_a_link_beside_the_word(self, help_: Help, bot: Any):
        post, answer = await help_.answered()
        self.said(help_, bot, post, f"Solved: {answer.jump_url}")
        await help_.world.env.settle()
        assert await help_.state(post) == "solved"

    async def test_of_a_member_it_is_no_mark(self, help_: Help):
        post, answer = await help_.answered()
        await help_.say(post, f"Solved: {answer.jump_url}")
        assert await help_.state(post) is None


class TestReactions:
    async def liked(self, help_: Help) -> Any:
        post, answer = await help_.answered()
        for member in (help_.world.alice, help_.fern):
            await member.react(answer, "👍")
        return post

    async def test_with_a_tag_are_a_proposal(self, help_: Help):
        post = await self.liked(help_)
        assert await help_.state(post) is None
        await set_tags(help_.world.env, post, "Solved")
        assert await help_.state(post) == "proposed"
        assert (await help_.served(), last(post).content) == (None, ANSWER)

    async def test_that_come_after_the_tag_are_one_too(self, help_: Help):
        post, answer = await help_.answered()
        await set_tags(help_.world.env, post, "Solved")
        await help_.world.alice.react(answer, "👍")
        assert await help_.state(post) is None
        await help_.fern.react(answer, "❤️")
        assert await help_.state(post) == "proposed"

    async def test_are_enough_where_the_server_chose_so(self, help_: Help):
        world = help_.world
        await world.mo.slash(
            world.general, "library follow", channel=help_.forum, take_by_reactions=True
        )
        post = await self.liked(help_)
        await set_tags(world.env, post, "Solved")
        assert (await help_.state(post), await help_.served()) == ("solved", ANSWER)

    async def test_without_the_tag_it_is_a_proposal_no_longer(self, help_: Help):
        post = await self.liked(help_)
        await set_tags(help_.world.env, post, "Solved")
        await set_tags(help_.world.env, post)
        assert await help_.state(post) == "candidate"

    async def test_a_proposal_can_be_marked(self, help_: Help):
        post = await self.liked(help_)
        await set_tags(help_.world.env, post, "Solved")
        answer = last(post)
        await help_.mark(help_.world.alice, answer)
        assert await help_.state(post) == "solved"


async def test_a_candidate_is_never_served(help_: Help):
    await help_.answered()
    assert await help_.served() is None
    found = await help_.world.app.answering.complete(
        "tomatoes", guild_id=help_.world.guild.id, limit=9
    )
    assert found == []


async def test_what_happens_in_channels_that_are_not_followed_is_nothing(help_: Help):
    world = help_.world
    await world.mo.slash(world.general, "library unfollow", channel="help")
    post, answer = await help_.answered()
    await world.alice.react(answer, "✅")
    assert await help_.state(post) is None
    assert last(post).content == ANSWER
