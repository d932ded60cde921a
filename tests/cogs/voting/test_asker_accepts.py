"""Who asked a forum post accepts its answers; nobody else does, and no other answers."""

from __future__ import annotations

from typing import Any

import pytest

from bot.curation import Action, Origin
from bot.models import Answer, Thread
from bot.ui.answer_buttons import Accept
from bot.ui.items import Place
from tests.kit.messages import labels, shown
from tests.kit.world import World

POST = 900
TITLE = "My rake lost its teeth, what now?"


@pytest.fixture
async def thread_id(world: World) -> int:
    """A thread of alice's forum post, with two answers."""
    thread = Thread(
        key=f"discord:800/{POST}",
        title=TITLE,
        answers=(Answer(body="Glue them.", key="901"), Answer(body="Buy one.", key="902")),
    )
    asked = Origin(channel_id=POST, message_id=POST, author_id=world.alice.id)
    done = await world.app.curating.add(world.guild.id, 0, thread, Action.SOLVED, question=asked)
    return done.thread_id


async def page(world: World, member: Any) -> Any:
    opened = await member.slash(world.general, "thread", query=TITLE)
    return opened


async def test_the_asker_accepts_and_takes_it_back(world: World, thread_id: int):
    opened = await page(world, world.alice)
    await world.alice.click(shown(opened), label="Next")
    await world.alice.click(shown(opened), label="Accept")
    thread = await world.app.answering.find(TITLE, guild_id=world.guild.id)
    assert thread is not None
    assert [a.body for a in thread.answers if a.accepted] == ["Buy one."]
    await world.alice.click(shown(opened), label="Take acceptance back")
    thread = await world.app.answering.find(TITLE, guild_id=world.guild.id)
    assert thread is not None
    assert not any(a.accepted for a in thread.answers)


async def test_others_have_no_button(world: World, thread_id: int):
    assert "Accept" not in labels(shown(await page(world, world.bob)))
    vote = await world.alice.slash(world.general, "thread", query="vote")
    await world.alice.click(shown(vote), label="Next")
    assert "Accept" not in labels(shown(vote))


async def test_an_answer_of_another_thread_is_refused(world: World, thread_id: int):
    """The thread in the id of a button is anybody's word; the answer's own thread counts."""
    other = await world.app.answering.find("vote", guild_id=world.guild.id)
    assert other is not None
    forged = Accept(Place(thread_id, other.answers[-1].id))
    thread = await world.app.accepting.thread_of(forged.place.answer_id)
    assert thread == other.id
    asker = world.app.accepting.is_asker(world.guild.id, thread, world.alice.id)
    assert not await asker
    assert await world.app.accepting.is_asker(world.guild.id, thread_id, world.alice.id)
    assert not await world.app.accepting.is_asker(world.guild.id + 1, thread_id, world.alice.id)
