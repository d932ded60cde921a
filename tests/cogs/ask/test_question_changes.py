"""Questions that are edited or deleted, and those that a proxy posts again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from bot.models import Mode
from bot.services.queues import Busy
from tests.kit.messages import items, last, offered, size
from tests.kit.simcord import clear_reactions, edit_later, forum_post, overwrite
from tests.kit.world import World

VOTE = "how do I vote on an answer?"
PIN = "how can I pin a message in my channel?"
UNPIN = "how can I unpin a message?"
NOTHING = "boiled eggs, anyone?"


class TestEdited:
    async def test_nothing_was_said_and_now_it_is_a_question(self, world: World):
        message = await world.alice.send(world.general, NOTHING)
        await world.alice.edit(message, f"{world.me} {VOTE}")
        card = last(world.general)
        assert await world.key_of(card) == "vote"
        assert card.reference.message_id == message.id

    async def test_an_answer_takes_the_place_of_the_mark(self, world: World):
        message = await world.alice.send(world.ask, "the boiled eggs of tomorrow morning")
        assert [str(r.emoji) for r in world.ask.history()[0].reactions] == ["👀"]
        await world.alice.edit(message, VOTE)
        assert await world.key_of(last(world.ask)) == "vote"
        assert world.ask.history()[0].reactions == []

    async def test_the_same_answer_changes_nothing(self, world: World):
        message = await world.alice.send(world.ask, VOTE)
        card = last(world.ask)
        before = len(world.env.http_requests)
        await world.alice.edit(message, "how can I vote on the answers?")
        assert len(world.env.http_requests) == before
        assert last(world.ask).id == card.id

    async def test_another_answer_takes_the_place_of_the_first(self, world: World):
        message = await world.alice.send(world.ask, VOTE)
        card = last(world.ask)
        await world.alice.edit(message, UNPIN)
        assert size(world.ask) == 2
        assert last(world.ask).id == card.id
        assert last(world.ask).embeds[0].title == "How can I unpin a message?"
        assert await world.key_of(card) == "unpin"
        await world.bob.react(last(world.ask), "⬆️")
        assert await world.tallies("unpin") == [4]
        assert await world.tallies("vote") == [2, 1]

    async def test_it_teaches_the_words_that_it_has_now(self, world: World):
        message = await world.alice.send(world.ask, VOTE)
        await world.alice.edit(message, UNPIN)
        assert world.app.learning.question(last(world.ask).id) == UNPIN

    @pytest.mark.parametrize("what", ["react", "press", "reply"])
    async def test_a_card_that_somebody_used_stays(self, world: World, what: str):
        message = await world.alice.send(world.ask, VOTE)
        card = last(world.ask)
        if what == "react":
            await world.bob.react(card, "⬆️")
        elif what == "press":
            await world.bob.click(card, label="Other answers (1)")
        else:
            await world.bob.send(world.ask, "that worked for me", reply_to=card)
        await world.alice.edit(message, UNPIN)
        now = world.env.backend.get_message(world.ask.id, card.id)
        assert now.embeds[0]["title"] == "How do I vote on an answer?"
        assert now.content == "-# The question was edited after this answer."
        assert await world.key_of(card) == "vote"
        await world.alice.edit(message, PIN)
        assert world.env.backend.get_message(world.ask.id, card.id).content == now.content

    async def test_without_an_answer_the_card_stays(self, world: World):
        message = await world.alice.send(world.ask, VOTE)
        card = last(world.ask)
        await world.alice.edit(message, NOTHING)
        assert last(world.ask).id == card.id
        assert await world.key_of(card) == "vote"

    async def test_a_line_becomes_an_answer(self, world: World):
        message = await world.alice.send(world.general, f"{world.me} {NOTHING}")
        line = last(world.general)
        await world.alice.edit(message, f"{world.me} {VOTE}")
        assert last(world.general).id == line.id
        assert last(world.general).content == ""
        assert await world.key_of(line) == "vote"
        assert len(last(world.general).reactions) == 2

    async def test_a_line_becomes_suggestions(self, world: World):
        await world.app.guilds.update(world.guild.id, answer_threshold=1.0, suggest_threshold=0.2)
        message = await world.alice.send(world.general, f"{world.me} {NOTHING}")
        line = last(world.general)
        await world.alice.edit(message, f"{world.me} {PIN}")
        assert last(world.general).id == line.id
        assert offered(last(world.general))

    async def test_in_a_direct_message(self, world: World):
        message = await world.alice.send_dm(VOTE)
        await world.alice.user.edit(message, UNPIN)
        assert await world.key_of(last(world.alice.user.dm_channel)) == "unpin"

    async def test_in_a_forum_post(self, world: World):
        forum = world.guild.create_forum_channel("ask")
        post = await forum_post(world.env, world.alice, forum, "Please help", VOTE)
        card = last(post)
        assert await world.key_of(card) == "vote"
        await world.alice.edit(post.history()[0], UNPIN)
        assert await world.key_of(card) == "unpin"

    async def test_after_ten_minutes_nothing_is_looked_at(self, world: World):
        message = await world.alice.send(world.ask, NOTHING)
        before = size(world.ask)
        await edit_later(world.env, message, VOTE, timedelta(minutes=11))
        assert size(world.ask) == before
        message = await world.alice.send(world.ask, NOTHING)
        await edit_later(world.env, message, VOTE, timedelta(minutes=9))
        assert await world.key_of(last(world.ask)) == "vote"

    async def test_previews_of_links_are_no_edit(self, world: World):
        message = await world.alice.send(world.general, f"{world.me} {NOTHING}")
        before = size(world.general)
        await edit_later(world.env, message, f"{world.me} {VOTE}", None)
        assert size(world.general) == before
        assert await world.key_of(last(world.general)) is None

    async def test_messages_from_before_a_restart_are_left_alone(self, world: World):
        message = await world.alice.send(world.ask, VOTE)
        await world.restart()
        before = size(world.ask)
        await world.alice.edit(message, UNPIN)
        assert size(world.ask) == before

    async def test_what_goes_wrong_leaves_the_card(
        self, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        message = await world.alice.send(world.ask, VOTE)
        card = last(world.ask)

        async def busy(*args: Any, **kwargs: Any) -> Any:
            raise Busy

        monkeypatch.setattr(world.app.answering, "ask", busy)
        await world.alice.edit(message, UNPIN)
        assert await world.key_of(card) == "vote"
        assert "was edited, and not looked at" in caplog.text


class TestDeleted:
    async def test_a_deleted_question_takes_its_card_along(self, world: World):
        message = await world.alice.send(world.ask, VOTE)
        card = last(world.ask)
        await world.alice.delete(message)
        assert size(world.ask) == 0
        assert await world.app.postings.get(card.id) is None
        await world.bob.send(world.ask, VOTE)
        assert await world.key_of(last(world.ask)) == "vote"

    async def test_a_line_goes_too(self, world: World):
        message = await world.alice.send(world.general, f"{world.me} {NOTHING}")
        await world.alice.delete(message)
        assert size(world.general) == 0

    async def test_among_many(self, world: World):
        message = await world.alice.send(world.ask, VOTE)
        other = await world.bob.send(world.ask, "hm")
        world.env.backend.bulk_delete_messages(world.ask.id, [message.id, other.id])
        await world.env.settle()
        assert size(world.ask) == 0

    async def test_a_card_with_a_vote_stays(self, world: World):
        message = await world.alice.send(world.ask, VOTE)
        card = last(world.ask)
        await world.bob.react(card, "⬇️")
        await world.alice.delete(message)
        assert last(world.ask).id == card.id
        assert await world.key_of(card) == "vote"

    async def test_a_vote_that_was_taken_away_keeps_nothing(self, world: World):
        message = await world.alice.send(world.ask, VOTE)
        await world.bob.react(last(world.ask), "⬇️")
        await clear_reactions(world.env, last(world.ask))
        await world.alice.delete(message)
        assert size(world.ask) == 0

    async def test_a_card_from_before_a_restart_goes_too(self, world: World):
        message = await world.alice.send(world.ask, VOTE)
        other = await world.bob.send(world.ask, PIN)
        await world.restart()
        await world.alice.delete(message)
        pin, card = world.ask.history()
        assert pin.id == other.id
        assert await world.key_of(card) == "pins"

    async def test_a_card_with_a_pressed_vote_stays(self, world: World):
        no_reactions = discord.PermissionOverwrite(add_reactions=False)
        await overwrite(world.env, world.ask, world.guild.default_role, no_reactions)
        me = world.env.backend.guilds[world.guild.id].members[world.env.backend.bot_user.id]
        for role in me.role_ids:
            await overwrite(world.env, world.ask, SimpleNamespace(id=role), no_reactions)
        for member in (None, world.bob):
            message = await world.alice.send(world.ask, VOTE)
            card = last(world.ask)
            if member is not None:
                way = next(i for i in items(card) if "tw:vote:up" in i.get("custom_id", ""))
                await member.click(card, custom_id=way["custom_id"])
            await world.alice.delete(message)
            assert size(world.ask) == (0 if member is None else 1)

    async def test_deleted_while_the_bot_thinks(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        ask, begun, go_on = world.app.answering.ask, asyncio.Event(), asyncio.Event()

        async def slow(*args: Any, **kwargs: Any) -> Any:
            begun.set()
            await go_on.wait()
            return await ask(*args, **kwargs)

        monkeypatch.setattr(world.app.answering, "ask", slow)
        backend = world.env.backend
        message = backend.create_message(world.ask.id, world.alice.id, VOTE)
        await begun.wait()
        backend.delete_message(world.ask.id, message.id)
        go_on.set()
        await world.env.settle()
        assert not [r for r in world.env.http_requests if r.path.endswith("/messages")]
        assert await world.app.postings.recent(5) == []

    async def test_deleted_while_the_card_is_posted(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ):
        post, backend = world.bot.post, world.env.backend
        deleted = asyncio.Event()

        async def noted(event: discord.RawMessageDeleteEvent) -> None:
            deleted.set()

        async def posted(*args: Any, **kwargs: Any) -> Any:
            sent = await post(*args, **kwargs)
            assert sent.reference is not None
            backend.delete_message(world.ask.id, sent.reference.message_id or 0)
            await deleted.wait()
            return sent

        world.bot.add_listener(noted, "on_raw_message_delete")  # it comes after the cogs' own

        monkeypatch.setattr(world.bot, "post", posted)
        await world.alice.send(world.ask, VOTE)
        assert size(world.ask) == 0
        assert await world.app.postings.recent(5) == []


class TestProxied:
    async def proxy(self, world: World, said: str, proxied: str, *, first: str) -> None:
        """Send a message that PluralKit posts again as a webhook."""
        hook = world.guild.create_webhook(world.ask)
        message = await world.alice.send(world.ask, said)
        if first == "posted":
            await hook.send(proxied, username="Robin")
            await world.alice.delete(message)
        else:
            await world.alice.delete(message)
            await hook.send(proxied, username="Robin")

    @pytest.mark.parametrize("first", ["posted", "deleted"])
    @pytest.mark.parametrize("tag", ["", "R: "])
    async def test_what_a_proxy_posts_is_the_question(self, world: World, first: str, tag: str):
        await self.proxy(world, tag + VOTE, VOTE, first=first)
        proxied, card = world.ask.history()
        assert await world.key_of(card) == "vote"
        assert card.reference is not None
        assert card.reference.message_id == proxied.id
        assert world.app.learning.question(card.id) == ""
        posting = await world.app.postings.get(card.id)
        assert posting is not None
        assert posting.asker_id == 0
        await world.alice.click(card, label="Not my question")
        assert await world.key_of(card) == "vote"  # nobody is the asker
        await world.mo.click(card, label="Not my question")
        assert await world.key_of(card) is None

    async def test_other_webhooks_ask_nothing(self, world: World):
        await self.proxy(world, "good morning everybody", VOTE, first="deleted")
        assert size(world.ask) == 1
        await world.guild.create_webhook(world.general).send(VOTE)
        assert size(world.general) == 1

    async def test_a_proxy_in_another_channel_is_none(self, world: World):
        await world.app.guilds.set_mode(world.guild.id, world.general.id, Mode.QUESTIONS)
        message = await world.alice.send(world.ask, VOTE)
        await world.alice.delete(message)
        await world.guild.create_webhook(world.general).send(VOTE)
        assert size(world.general) == 1

    async def test_a_message_is_repeated_once(self, world: World):
        await self.proxy(world, VOTE, VOTE, first="deleted")
        before = size(world.ask)
        await world.guild.create_webhook(world.ask).send(UNPIN)
        await world.guild.create_webhook(world.ask).send(VOTE)
        assert size(world.ask) == before + 2
