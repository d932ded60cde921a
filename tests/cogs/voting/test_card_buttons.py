"""Vote buttons on a card that all see, where reactions may not be added."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from tests.kit.messages import labels, last, told
from tests.kit.simcord import overwrite
from tests.kit.world import World

PIN = "How can I pin a message in my channel?"


@pytest.fixture
async def card(world: World) -> Any:
    closed = discord.PermissionOverwrite(add_reactions=False)
    await overwrite(world.env, world.ask, world.guild.roles["TestBot"], closed)
    await world.alice.send(world.ask, PIN)
    return last(world.ask)


async def test_it_has_buttons_that_count_for_everybody(world: World, card: Any):
    assert labels(card) == [
        "Other answers (1)",
        "Not my question",
        "▲ Helpful",
        "▼ Not helpful",
    ]
    assert card.reactions == []
    await world.restart()
    voted = await world.bob.click(card, label="▲ Helpful")
    assert told(voted).ephemeral
    assert told(voted).content == "You voted for it. The answer stands at +1."
    await world.mo.click(card, label="▲ Helpful")
    await world.env.advance_time(6)
    assert last(world.ask).embeds[0].footer.text == "▲ 2 · 1 other answer"
    assert labels(last(world.ask)) == labels(card)
    assert await world.tallies("pins") == [2, 0]
    await world.bob.click(card, label="▲ Helpful")
    await world.env.advance_time(6)
    assert last(world.ask).embeds[0].footer.text == "▲ 1 · 1 other answer"


async def test_what_others_vote_confirms_what_the_asker_taught(world: World):
    await world.wrote(world.alice, "pins")
    closed = discord.PermissionOverwrite(add_reactions=False)
    await overwrite(world.env, world.ask, world.guild.roles["TestBot"], closed)
    words = "pin a mesage in the chanel of the club, how?"
    await world.bob.send(world.ask, f"{world.me} {words}")
    card = last(world.ask)
    await world.bob.click(card, label="▲ Helpful")
    (phrasing,) = await world.app.learning.phrasings(world.guild.id)
    assert (phrasing.text, phrasing.confirmed) == (words, False)
    await world.mo.click(card, label="▲ Helpful")
    (phrasing,) = await world.app.learning.phrasings(world.guild.id)
    assert phrasing.confirmed
    await world.mo.click(card, label="▼ Not helpful")
    assert await world.app.learning.phrasings(world.guild.id) == []


async def test_votes_by_buttons_stay_when_reactions_are_compared(world: World, card: Any):
    await world.bob.click(card, label="▼ Not helpful")
    await world.restart()
    await world.env.settle()
    assert await world.tallies("pins") == [-1, 0]
