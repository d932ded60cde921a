"""Helpers accept answers in the pager: for their server alone, and it can be taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from bot.errors import StoreError
from bot.models import SHARED, Answer, Policy, Thread
from bot.store import postings
from bot.store.tables import acceptances
from bot.ui import cards
from cogs.voting.tally_updater import PAUSE
from tests.kit.messages import labels, last, shown, told
from tests.kit.simcord import join_guild
from tests.kit.world import THREADS, World

QUESTION = "how do I vote on an answer?"
FIRST, SECOND = "React with **⬆️** or ⬇️.", "Use the buttons of the pager."


async def page(world: World, member: Any, answer: int) -> Any:
    """The member's private page of an answer of the thread, counted from 1."""
    opened = await member.slash(world.general, "thread", query="vote")
    for _ in range(answer):
        await member.click(shown(opened), label="Next")
    assert f"answer {answer} of 2" in shown(opened).embeds[0].footer.text
    return opened


@pytest.fixture
async def accepted(world: World) -> Any:
    """The page on which mo has accepted the second answer."""
    opened = await page(world, world.mo, 2)
    await world.mo.click(shown(opened), label="Accept")
    return opened


async def accepted_bodies(world: World, guild_id: int) -> list[str]:
    thread = await world.app.answering.find("vote", guild_id=guild_id)
    assert thread is not None
    return [answer.body for answer in thread.answers if answer.accepted]


async def test_the_accepted_answer_is_served_and_the_page_says_so(world: World, accepted: Any):
    assert shown(accepted).content == "This is the accepted answer on this server now."
    assert shown(accepted).embeds[0].author.name == "Accepted answer"
    assert "Take acceptance back" in labels(shown(accepted))
    await world.alice.send(world.ask, QUESTION)
    assert last(world.ask).embeds[0].description.startswith(SECOND)
    assert last(world.ask).embeds[0].author.name == "Accepted answer"


async def test_taking_it_back_restores_what_the_source_accepts(world: World, accepted: Any):
    await world.mo.click(shown(accepted), label="Take acceptance back")
    assert (
        shown(accepted).content == "Taken back: what the thread's source accepts holds here again."
    )
    assert await accepted_bodies(world, world.guild.id) == [FIRST]
    await world.alice.send(world.ask, QUESTION)
    assert last(world.ask).embeds[0].description.startswith(FIRST)


async def test_other_servers_and_the_library_stay(world: World, accepted: Any):
    other = await join_guild(world.env, channels=("ask",))
    carl = other.add_member(world.env.create_user("carl"))
    await carl.send(other.channels["ask"], QUESTION)
    assert last(other.channels["ask"]).embeds[0].description.startswith(FIRST)
    assert await accepted_bodies(world, other.id) == [FIRST]
    assert await accepted_bodies(world, SHARED) == [FIRST]
    assert await accepted_bodies(world, world.guild.id) == [SECOND]


async def test_one_answer_of_a_thread_is_accepted(world: World, accepted: Any):
    await world.mo.click(shown(accepted), label="Next")
    await world.mo.click(shown(accepted), label="Accept")
    assert await accepted_bodies(world, world.guild.id) == [FIRST]
    await world.mo.click(shown(accepted), label="Take acceptance back")
    assert await accepted_bodies(world, world.guild.id) == [FIRST]


async def test_it_is_said_where_votes_put_another_first(world: World):
    await world.app.guilds.update(world.guild.id, answer_policy=Policy.SCORE)
    opened = await page(world, world.mo, 2)
    await world.mo.click(shown(opened), label="Accept")
    said = "This is the accepted answer on this server now."
    more = "Another answer still comes first here, by its votes."
    assert shown(opened).content == f"{said} {more}"
    await world.alice.send(world.ask, QUESTION)
    assert last(world.ask).embeds[0].description.startswith(FIRST)
    await world.mo.click(shown(opened), label="Take acceptance back")
    assert more not in shown(opened).content


async def test_who_accepted_it_can_be_forgotten(world: World, accepted: Any):
    await world.app.voting.forget_user(world.mo.id)
    assert await accepted_bodies(world, world.guild.id) == [SECOND]
    async with world.app.database.read() as connection:
        assert await connection.scalar(select(acceptances.c.user_id)) == 0


async def test_cards_that_show_the_thread_are_drawn_anew(world: World):
    await world.alice.send(world.ask, QUESTION)
    before = last(world.ask).embeds[0]
    assert (before.author.name, before.colour) == ("Accepted answer", cards.ACCEPTED)
    opened = await page(world, world.mo, 2)
    await world.mo.click(shown(opened), label="Accept")
    drawn = last(world.ask).embeds[0]
    assert (drawn.author.name, drawn.colour) == ("Answer", cards.ANSWER)
    assert drawn.footer.text == "▲ 2 · another answer is accepted · 1 other answer"
    await world.mo.click(shown(opened), label="Take acceptance back")
    await world.env.advance_time(PAUSE)
    assert last(world.ask).embeds[0] == before


async def test_members_have_no_button(world: World, accepted: Any):
    opened = await page(world, world.alice, 1)
    assert not {"Accept", "Take acceptance back"} & set(labels(shown(opened)))
    await world.alice.click(shown(opened), label="Back")
    assert await accepted_bodies(world, world.guild.id) == [SECOND]


async def test_a_helper_role_is_looked_at_when_it_is_pressed(world: World):
    role = world.guild.create_role("Helpers")
    await world.app.guilds.update(world.guild.id, helper_role_ids=(role.id,))
    fern = world.guild.add_member(world.env.create_user("fern"), roles=[role])
    opened = await page(world, fern, 2)
    await world.app.guilds.update(world.guild.id, helper_role_ids=())
    await fern.click(shown(opened), label="Accept")
    assert shown(opened).content == "Only helpers of this server can accept an answer."
    assert "Accept" not in labels(shown(opened))
    assert await accepted_bodies(world, world.guild.id) == [FIRST]


async def test_an_accepted_answer_that_is_gone_leaves_the_source_s(world: World, accepted: Any):
    left = Thread(key="vote", title="How do I vote?", answers=(Answer(body=FIRST, accepted=True),))
    await world.app.library.add([left])
    assert await accepted_bodies(world, world.guild.id) == [FIRST]
    await world.mo.click(shown(accepted), label="Back")
    assert "Take acceptance back" not in labels(shown(accepted))


async def test_it_can_be_taken_back_once_the_source_accepts_the_same(world: World, accepted: Any):
    thread = next(thread for thread in THREADS if thread.key == "vote")
    first, second = thread.answers
    now = (replace(first, accepted=False), replace(second, accepted=True))
    await world.app.library.add([replace(thread, answers=now)])
    await world.mo.click(shown(accepted), label="Take acceptance back")
    assert "what the thread's source accepts holds here again" in shown(accepted).content
    assert await accepted_bodies(world, world.guild.id) == [SECOND]


@pytest.mark.parametrize("label", ["Accept", "Take acceptance back"])
async def test_all_is_written_or_nothing(
    world: World, accepted: Any, label: str, monkeypatch: pytest.MonkeyPatch
):
    async def locked(*_: Any) -> None:
        raise StoreError("the database is locked")

    if label == "Accept":
        await world.mo.click(shown(accepted), label="Next")
    monkeypatch.setattr(postings, "of_thread", locked)
    pressed = await world.mo.click(shown(accepted), label=label)
    assert told(pressed).content.startswith("That is not saved")
    assert await accepted_bodies(world, world.guild.id) == [SECOND]


async def test_what_could_not_be_written_is_said(world: World, monkeypatch: pytest.MonkeyPatch):
    async def locked(*_: Any) -> None:
        raise StoreError("the database is locked")

    opened = await page(world, world.mo, 2)
    with monkeypatch.context() as patched:
        patched.setattr(world.app.accepting, "accept", locked)
        pressed = await world.mo.click(shown(opened), label="Accept")
    assert told(pressed).content.startswith("That is not saved")
    assert await accepted_bodies(world, world.guild.id) == [FIRST]
    await world.mo.click(shown(opened), label="Accept")
    assert await accepted_bodies(world, world.guild.id) == [SECOND]
