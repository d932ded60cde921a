"""The loopback Discord keeps Discord's rules, and its faults are the ones asked for."""

from __future__ import annotations

import asyncio

import aiohttp
import discord
import pytest

from tests.kit.asking import PIN
from tests.kit.loopback import (
    empty,
    held,
    malformed,
    rate_limited,
    reset,
    reset_after,
    status,
    status_after,
)
from tests.kit.net import Net


async def test_a_question_is_answered_voted_on_and_drawn(net: Net):
    net.discord.say(net.ask, net.alice, PIN)
    card = await net.discord.posted(net.ask)
    await net.discord.until(lambda: len(card.reacted()) == 2)
    net.discord.react(card, net.bob, "⬇️")
    await net.discord.until(lambda: card.footer.startswith("▼ 1"))
    assert await net.tallies("pins") == [-1, 0]


async def test_nonces_are_enforced_by_channel(net: Net):
    channel = net.bot.get_partial_messageable(net.ask)
    first = await channel.send("a", nonce=7)
    assert (await channel.send("b", nonce=7)).id == first.id
    assert (await channel.send("b", nonce=8)).id != first.id
    other = net.bot.get_partial_messageable(net.general)
    assert (await other.send("a", nonce=7)).id != first.id


async def test_reactions_come_in_pages_and_by_type(net: Net):
    message = net.discord.say(net.ask, net.alice, "hello")
    for n in range(230):
        net.discord.react(message, net.discord.add_member(net.guild, f"m{n}"), "⬆️", silent=True)
    net.discord.react(message, net.bob, "⬆️", burst=True, silent=True)
    found = await net.bot.get_partial_messageable(net.ask).fetch_message(message.id)
    (reaction,) = found.reactions
    assert (reaction.normal_count, reaction.burst_count) == (230, 1)
    normal = [u.id async for u in reaction.users(type=discord.ReactionType.normal)]
    assert len(set(normal)) == 230
    assert [u.id async for u in reaction.users(type=discord.ReactionType.burst)] == [net.bob]


async def test_events_keep_their_order_and_tell_burst_ones_apart(net: Net):
    seen: list[tuple[str, bool]] = []

    async def heard(event: discord.RawReactionActionEvent) -> None:
        seen.append((event.event_type, event.burst))

    net.bot.add_listener(heard, "on_raw_reaction_add")
    net.bot.add_listener(heard, "on_raw_reaction_remove")
    message = net.discord.say(net.ask, net.alice, "hello")
    net.discord.react(message, net.bob, "⬆️", burst=True)
    net.discord.unreact(message, net.bob, "⬆️", burst=True)
    net.discord.react(message, net.bob, "⬆️")
    await net.discord.until(lambda: len(seen) == 3)
    names = ["REACTION_ADD", "REACTION_REMOVE", "REACTION_ADD"]
    assert seen == list(zip(names, [True, True, False], strict=True))


@pytest.mark.parametrize("resumable", [True, False])
async def test_a_dropped_connection_is_resumed_or_begun_anew(net: Net, resumable: bool):
    heard: list[int] = []

    async def hear(message: discord.Message) -> None:
        heard.append(message.id)

    net.bot.add_listener(hear, "on_message")
    async with net.discord.disconnected(resumable=resumable):
        missed = net.discord.say(net.general, net.alice, "while away")
    later = net.discord.say(net.general, net.alice, "back again")
    await net.discord.until(lambda: later.id in heard)
    assert (missed.id in heard) is resumable
    assert net.discord.gateway.resumed == (1 if resumable else 0)
    assert net.discord.gateway.identified == (1 if resumable else 2)


async def test_interactions_are_acknowledged_once(net: Net):
    press = net.discord.command(net.general, net.alice, "ask", question=PIN)
    await net.discord.until(lambda: bool(press.original and press.original.embeds))
    url = f"{net.discord.url}/interactions/{press.id}/{press.token}/callback"
    async with aiohttp.ClientSession() as session:
        reply = await session.post(url, json={"type": 4, "data": {"content": "x"}})
        assert (reply.status, (await reply.json())["code"]) == (400, 40060)


async def test_private_replies_are_seen_by_one_person(net: Net):
    press = net.discord.command(net.general, net.alice, "thread", query="pin a message")
    await net.discord.until(lambda: any("pin a message" in text for text in press.told))
    assert net.discord.messages(net.general) == []


@pytest.mark.parametrize(
    ("fault", "posted"),
    [
        (reset(), 0),
        (status(503), 0),
        (status(400, {"code": 50035, "message": "no"}), 0),
        (reset_after(), 1),
        (status_after(503), 1),
        (malformed(), 1),
        (empty(), 1),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
async def test_faults_lose_the_request_or_the_reply(net: Net, fault, posted: int):
    net.discord.faults.fail("POST", "/messages$", fault)
    with pytest.raises((discord.HTTPException, OSError, aiohttp.ClientError, ValueError, KeyError)):
        await net.bot.get_partial_messageable(net.ask).send("hello")
    assert len(net.discord.messages(net.ask)) == posted
    assert net.discord.faults.left == 0


async def test_rate_limits_are_waited_for_by_discord_py(net: Net):
    net.discord.faults.fail("POST", "/messages$", rate_limited(0.01), rate_limited(0.01))
    await net.bot.get_partial_messageable(net.ask).send("hello")
    assert len(net.discord.messages(net.ask)) == 1


async def test_a_reply_can_be_held_back(net: Net):
    gate = asyncio.Event()
    net.discord.faults.fail("POST", "/messages$", held(gate))
    sending = asyncio.create_task(net.bot.get_partial_messageable(net.ask).send("hello"))
    await net.discord.posted(net.ask)
    assert not sending.done()
    gate.set()
    await sending
