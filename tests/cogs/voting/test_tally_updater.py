"""The tally on a card follows the votes on it, without a flood of edits."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from bot.client import ThreadBot
from bot.models import Posting
from cogs.voting import tally_updater
from cogs.voting.posted_card import PostedCard, fetch_card
from cogs.voting.tally_updater import PAUSE
from tests.kit.messages import items, last
from tests.kit.simcord import clear_reactions, muted
from tests.kit.world import World

PIN = "how can i pin a message in my channel?"


@pytest.fixture
async def card(world: World) -> Any:
    await world.bob.send(world.ask, PIN)
    return last(world.ask)


def footer(world: World) -> str:
    return str(last(world.ask).embeds[0].footer.text)


def edits(world: World, message: Any) -> list[Any]:
    path = f"/channels/{message.channel.id}/messages/{message.id}"
    return [r for r in world.env.http_requests if (r.method, r.path) == ("PATCH", path)]


async def test_a_vote_is_seen_on_the_card_and_nothing_else_changes(world: World, card: Any):
    before = last(world.ask)
    await world.bob.react(card, "⬇️")
    after = last(world.ask)
    assert footer(world) == before.embeds[0].footer.text.replace("▲ 0", "▼ 1")
    was, now = before.embeds[0].to_dict(), after.embeds[0].to_dict()
    assert {**was, "footer": None} == {**now, "footer": None}
    assert items(after) == items(before)
    assert after.content == before.content
    assert (edits(world, card)[0].json or {})["allowed_mentions"]["parse"] == []


async def test_accepted_cards_and_taken_back_votes(world: World):
    await world.alice.send(world.ask, "how do I vote on an answer?")
    card = last(world.ask)
    await world.bob.react(card, "⬆️")
    assert footer(world).startswith("✅ accepted · ▲ 3 · ")
    await world.bob.unreact(card, "⬆️")
    await world.env.advance_time(PAUSE)
    assert footer(world).startswith("✅ accepted · ▲ 2 · ")
    await world.mo.react(card, "⬇️")
    await clear_reactions(world.env, card, "⬇️")
    await clear_reactions(world.env, card)
    await world.env.advance_time(PAUSE)
    assert footer(world).startswith("✅ accepted · ▲ 2 · ")


async def test_many_votes_are_few_edits(world: World, card: Any):
    members = [world.guild.add_member(world.env.create_user(f"m{n}")) for n in range(8)]
    for member in members:
        await member.react(card, "⬆️")
    assert len(edits(world, card)) == 1
    await world.env.advance_time(PAUSE)
    assert len(edits(world, card)) == 2
    assert footer(world).startswith("▲ 8")
    await world.env.advance_time(10 * PAUSE)
    assert len(edits(world, card)) == 2
    await members[0].unreact(card, "⬆️")
    assert footer(world).startswith("▲ 7")


async def test_votes_given_while_the_bot_was_away(world: World, card: Any):
    with muted(world.env):
        await world.bob.react(card, "⬆️")
    await world.restart()
    assert footer(world).startswith("▲ 1")


async def test_votes_that_do_not_count_change_nothing(world: World, card: Any):
    await world.wrote(world.alice, "pins")
    await world.alice.react(card, "⬆️")  # her own answer
    await clear_reactions(world.env, await world.bob.send(world.general, "hello"))
    await world.env.advance_time(PAUSE)
    assert edits(world, card) == []


@pytest.mark.parametrize("status", [403, 404, 500])
@pytest.mark.parametrize("method", ["GET", "PATCH"])
async def test_what_discord_refuses_is_left_alone(
    world: World, card: Any, method: str, status: int
):
    world.env.inject_error(method, f"/channels/*/messages/{card.id}", status=status)
    await world.bob.react(card, "⬆️")
    assert footer(world).startswith("▲ 0")
    assert await world.tallies("pins") == [1, 0]
    await world.mo.react(card, "⬆️")
    await world.env.advance_time(PAUSE)
    assert footer(world).startswith("▲ 2")


async def test_a_card_that_is_taken_back_meanwhile_stays_so(
    world: World, card: Any, monkeypatch: pytest.MonkeyPatch
):
    async def slow(bot: ThreadBot, posting: Posting, **parts: Any) -> PostedCard:
        shown = await fetch_card(bot, posting, **parts)
        await world.app.postings.forget([posting.message_id])
        return shown

    monkeypatch.setattr(tally_updater, "fetch_card", slow)
    await world.bob.react(card, "⬆️")
    assert edits(world, card) == []


async def test_plain_text_cards_stay_as_they_are(world: World):
    role = world.guild.roles["TestBot"]
    plain = discord.PermissionOverwrite(embed_links=False)
    room = world.guild.create_text_channel("ask-plain", overwrites={role: plain})
    await world.bob.send(room, f"{world.me} {PIN}")
    card = last(room)
    await world.bob.react(card, "⬆️")
    assert edits(world, card) == []
    assert last(room).content == card.content
