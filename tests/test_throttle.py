"""Limits of questions and votes: one private message beyond them, answers to everybody else."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import discord
import pytest

from bot.replies import explained
from bot.services import queues
from bot.services.queues import Busy
from bot.services.rate_limit import LimitOwner, Refusal
from bot.settings import Settings
from tests.kit.messages import confirm, vote_id
from tests.kit.waiting import HANG, until
from tests.kit.world import World

QUESTION = "How do I vote on an answer?"
OTHERS = "Other answers (1)"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "member_questions_per_minute": 3,
            "server_questions_per_minute": 5,
            "cooldown_seconds": 0,
        }
    )


def said(message: Any) -> str:
    assert message is not None
    return str(message.content)


def heard_of_limit(messages: list[discord.Message]) -> list[discord.Message]:
    return [m for m in messages if "Please try again in" in m.content]


async def test_commands_are_refused_privately(world: World) -> None:
    for _ in range(3):
        reply = await world.alice.slash(world.general, "ask", question=QUESTION, share=True)
        assert not reply.ephemeral
    reply = await world.alice.slash(world.general, "ask", question=QUESTION, share=True)
    assert reply.ephemeral
    assert said(reply.response) == "That was a lot at once. Please try again in 20 seconds."
    found = await world.alice.slash(world.general, "thread", query="vote")
    assert "a lot at once" in said(found.response)
    reply = await world.bob.slash(world.general, "ask", question=QUESTION, share=True)
    assert not reply.ephemeral


async def test_the_context_menu_counts(world: World) -> None:
    message = await world.bob.send(world.general, QUESTION)
    for _ in range(3):
        await world.alice.context_menu(world.general, "Find an answer", message)
    reply = await world.alice.context_menu(world.general, "Find an answer", message)
    assert reply.ephemeral
    assert "a lot at once" in said(reply.response)


async def test_a_message_with_several_questions_counts_as_so_many(world: World) -> None:
    parts = f"{QUESTION} How can I unpin a message? How can I pin a message in my channel?"
    await world.alice.send(world.ask, parts)
    assert len(world.ask.history()) == 3
    await world.alice.send(world.general, f"{world.me} {QUESTION}")
    assert len(heard_of_limit(world.general.history())) == 1


async def test_small_talk_beside_a_question_costs_nothing(world: World) -> None:
    for _ in range(3):
        await world.alice.send(world.general, f"{world.me} how are you? {QUESTION}")
    assert heard_of_limit(world.general.history()) == []
    await world.alice.send(world.general, f"{world.me} how are you? {QUESTION}")
    assert len(heard_of_limit(world.general.history())) == 1


async def test_after_a_while_questions_are_taken_again(world: World) -> None:
    for _ in range(4):
        await world.alice.slash(world.general, "ask", question=QUESTION, share=True)
    await world.env.advance_time(20)
    reply = await world.alice.slash(world.general, "ask", question=QUESTION, share=True)
    assert not reply.ephemeral
    reply = await world.alice.slash(world.general, "ask", question=QUESTION, share=True)
    assert reply.ephemeral


async def test_mentions_are_refused_with_one_line_a_minute(world: World) -> None:
    for _ in range(10):
        await world.alice.send(world.general, f"{world.me} {QUESTION}")
    shown = world.general.history()
    assert len([m for m in shown if m.embeds]) == 3
    assert len(heard_of_limit(shown)) == 1
    await world.env.advance_time(61)
    for _ in range(5):
        await world.alice.send(world.general, f"{world.me} {QUESTION}")
    assert len(heard_of_limit(world.general.history())) == 2


async def test_who_did_not_address_the_bot_hears_nothing(world: World) -> None:
    for _ in range(6):
        await world.alice.send(world.ask, QUESTION)
    shown = world.ask.history()
    assert len([m for m in shown if m.embeds]) == 3
    assert heard_of_limit(shown) == []


async def test_all_members_of_a_server_share_its_limit(world: World) -> None:
    for who in (world.alice, world.bob):
        for _ in range(3):
            reply = await who.slash(world.general, "ask", question=QUESTION, share=True)
    assert said(reply.response).startswith("Your server is asking me a lot just now.")
    assert reply.ephemeral


async def test_direct_messages_count_to_the_member(world: World) -> None:
    for _ in range(6):
        await world.alice.send_dm(QUESTION)
    shown = world.alice.user.dm_channel.history()
    assert len([m for m in shown if m.embeds]) == 3
    assert len(heard_of_limit(shown)) == 1


async def test_presses_are_refused_once_and_then_without_a_word(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.alice.slash(world.general, "ask", question=QUESTION, share=True)
    card = world.general.last_message
    assert card is not None
    served = 0
    serve = world.app.answering.serve

    async def counted(*arguments: int, **named: int) -> object:
        nonlocal served
        served += 1
        return await serve(*arguments, **named)

    monkeypatch.setattr(world.app.answering, "serve", counted)
    replies = [await world.alice.click(card, label=OTHERS) for _ in range(12)]
    assert served == 8  # two questions are left, and a press costs a quarter of one
    told = [r.response for r in replies if r.response and "a lot at once" in r.response.content]
    assert len(told) == 1
    assert replies[8].ephemeral


async def test_a_vote_that_is_not_taken_is_always_told(world: World) -> None:
    opened = await world.alice.slash(world.general, "thread", query="vote")
    assert opened.response is not None
    await world.alice.click(opened.response, label="Next")
    up, down = (vote_id(opened.response, vote) for vote in ("up", "down"))
    for _ in range(7):  # with the question and the page, that is all for this minute
        await world.alice.click(opened.response, custom_id=up)
    before = await world.tallies("vote")
    for _ in range(2):
        last = await world.alice.click(opened.response, custom_id=down)
        assert "a lot at once" in said(last.response)
        assert last.ephemeral
    assert await world.tallies("vote") == before == [3, 1]


async def test_typing_gets_no_completions_any_more(world: World) -> None:
    typed = [
        await world.alice.autocomplete(world.general, "thread", "query", "vo") for _ in range(61)
    ]
    assert all(typed[:60])
    assert not typed[60]


async def test_forget_me_is_no_question(world: World) -> None:
    for _ in range(3):
        await world.alice.slash(world.general, "ask", question=QUESTION, share=True)
    for _ in range(2):
        left = await confirm(world.alice, world.general, "forget-me", "Delete it")
        assert said(left).startswith("Done:")
    reply = await world.alice.slash(world.general, "ask", question=QUESTION, share=True)
    assert said(reply.response).endswith("in 20 seconds.")


async def test_moderators_are_held_to_the_servers_limit_and_can_manage(world: World) -> None:
    for _ in range(5):
        reply = await world.mo.slash(world.general, "ask", question=QUESTION, share=True)
        assert not reply.ephemeral
    reply = await world.mo.slash(world.general, "ask", question=QUESTION, share=True)
    assert "Your server" in said(reply.response)
    reply = await world.mo.slash(world.general, "settings show")
    assert reply.response is not None
    assert "try again" not in reply.response.content


@pytest.mark.parametrize(("wait", "when"), [(0.01, "a second"), (1.2, "2 seconds"), (60, "60 s")])
def test_the_time_is_reported(wait: float, when: str) -> None:
    assert when in explained(Refusal(LimitOwner.MEMBER, wait))


class TestBusy:
    """More questions than are held."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(
            update={"member_questions_per_minute": 0, "server_questions_per_minute": 0}
        )

    @pytest.fixture
    async def held(self, world: World, monkeypatch: pytest.MonkeyPatch):
        """All places are taken by questions of this server, until the test ends."""
        monkeypatch.setattr(world.app.answering._searching, "_most", 2)
        gate, search = threading.Event(), world.app.engine.search

        def waits(*arguments: object) -> object:
            gate.wait(HANG)
            return search(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(world.app.engine, "search", waits)
        asking = [
            asyncio.create_task(world.app.answering.ask(QUESTION, guild_id=world.guild.id))
            for _ in range(queues.WORKERS + 2)
        ]
        await until(lambda: world.app.answering.is_busy)
        yield
        gate.set()
        await asyncio.gather(*asking)

    async def test_who_asks_is_reported(self, world: World, held: None) -> None:
        reply = await world.alice.slash(world.general, "ask", question=QUESTION, share=True)
        assert reply.ephemeral
        assert "a lot of questions" in said(reply.response)
        for _ in range(3):
            await world.alice.send(world.general, f"{world.me} {QUESTION}")
        shown = [m for m in world.general.history() if "a lot of questions" in m.content]
        assert len(shown) == 1
        await world.alice.send(world.ask, QUESTION)
        assert "a lot of" not in said(world.ask.last_message)
        assert await world.alice.autocomplete(world.general, "thread", "query", "vo") == []
        (error,) = world.env.errors  # raised by the command, and told by who reports errors
        assert isinstance(error.__cause__, Busy)
