"""Order of reactions and presses on a message: that in which Discord sent them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.errors import StoreBusy
from bot.models import Posting, Vote
from bot.services import postings
from bot.store.backend import BUSY_SECONDS
from cogs.ask import responder
from tests.kit.asking import ME, PIN
from tests.kit.card_votes import (
    DOWN,
    UP,
    button,
    counted,
    forget_me,
    give_button,
    heard,
    members,
    post,
    posting_of,
    sent,
    until_counted,
)
from tests.kit.loopback.world import Message, channel_payload
from tests.kit.net import Net
from tests.kit.world import sign


@pytest.fixture
async def card(net: Net) -> Message:
    return await post(net)


async def test_up_and_back_in_one_burst_leaves_no_vote(net: Net, card: Message):
    for member in members(net, 30):
        net.discord.react(card, member, UP)
        net.discord.unreact(card, member, UP)
    await sent(net)
    assert await counted(net) == 0
    assert (await net.app.library.count()).votes == 0


async def test_the_last_of_two_in_one_burst_wins(net: Net, card: Message):
    for member in members(net, 30):
        net.discord.react(card, member, UP)
        net.discord.react(card, member, DOWN)
    await sent(net)
    assert await counted(net) == -30


async def test_many_at_once_leave_no_votes(net: Net, card: Message):
    everybody = members(net, 60)
    for change in (net.discord.react, net.discord.unreact, net.discord.react):
        for member in everybody:
            change(card, member, UP)
    await sent(net)
    assert await counted(net) == 60
    for change in (net.discord.unreact, net.discord.react, net.discord.unreact):
        for member in everybody:
            change(card, member, UP)
    await sent(net)
    assert await counted(net) == 0


async def test_clearing_takes_its_place_in_the_burst(net: Net, card: Message):
    everybody = members(net, 20)
    for member in everybody:
        net.discord.react(card, member, UP)
    net.discord.clear(card)
    net.discord.react(card, net.bob, DOWN)
    for member in everybody[:5]:
        net.discord.react(card, member, UP)
    net.discord.clear(card, UP)
    net.discord.react(card, everybody[0], DOWN)
    await sent(net)
    assert await counted(net) == -2


async def test_only_the_same_message_waits_while_one_is_cleared(
    net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
):
    other = await post(net, net.general)
    bob, carol, dave = members(net, 3)
    gate, clear = asyncio.Event(), net.app.voting._reconciling.clear
    begun: list[int] = []

    async def slow(message_id: int, value: Vote | None) -> None:
        begun.append(message_id)
        await gate.wait()
        await clear(message_id, value)

    monkeypatch.setattr(net.app.voting._reconciling, "clear", slow)
    net.discord.react(card, bob, UP)
    net.discord.clear(card)
    net.discord.react(card, dave, DOWN)
    net.discord.react(other, carol, UP)
    await until_counted(net, 2)
    assert begun == [card.id]
    gate.set()
    await sent(net)
    assert await counted(net) == 0


async def test_a_members_clicks_on_several_cards_are_in_order(net: Net, card: Message):
    other = await post(net, net.general)
    for n, member in enumerate(members(net, 20)):
        first, second = (card, other) if n % 2 else (other, card)
        net.discord.react(first, member, UP)
        net.discord.react(second, member, DOWN)
    await sent(net)
    assert await counted(net) == -20


async def test_buttons_and_reactions_are_in_order(net: Net, card: Message):
    up = await button(net, card, "up")
    page = net.discord.say(net.general, net.alice, "a page with the button")
    give_button(page, up)  # the card's own buttons are drawn anew
    everybody = members(net, 12)
    for member in everybody:
        net.discord.press(page, member, up)
        net.discord.react(card, member, DOWN)
    await sent(net)
    assert await counted(net) == -12
    for member in everybody:
        net.discord.press(page, member, up)
        net.discord.press(page, member, up)
        net.discord.unreact(card, member, DOWN)
    await sent(net)
    assert await counted(net) == 0


async def test_votes_before_a_deletion_count_and_later_ones_do_not(net: Net, card: Message):
    other, third = [net.discord.say(net.general, net.alice, "a card") for _ in range(2)]
    for message in (other, third):
        posting = replace(await posting_of(net, card), channel_id=net.general)
        await net.app.postings.record(replace(posting, message_id=message.id))
    everybody = members(net, 9)
    for member in everybody[:3]:
        net.discord.react(card, member, UP)
        net.discord.react(other, member, UP)
    net.discord.delete(card)
    for member in everybody[3:]:
        net.discord.react(other, member, UP)
        net.discord.react(third, member, UP)
        net.discord.unreact(third, member, UP)
    net.discord.delete(other, third)
    await sent(net)
    assert await counted(net) == 9
    for message in (card, other, third):
        assert await net.app.postings.get(message.id) is None


@pytest.mark.parametrize("kind", ["channel", "thread"])
async def test_cards_of_a_deleted_channel_are_forgotten(net: Net, card: Message, kind: str):
    net.discord.react(card, net.bob, UP)
    payload = channel_payload(net.ask, net.guild.id, "ask")
    if kind == "thread":
        payload |= {"type": 11, "parent_id": str(net.general)}
    net.discord.emit(f"{kind.upper()}_DELETE", payload, net.guild.id)
    await sent(net)
    assert await counted(net) == 1
    assert await net.app.postings.get(card.id) is None


async def test_a_channel_is_forgotten_after_what_is_on_its_way_into_it(net: Net, card: Message):
    with net.app.postings.posting_in(net.ask):
        payload = channel_payload(net.ask, net.guild.id, "ask")
        net.discord.emit("CHANNEL_DELETE", payload, net.guild.id)
        await heard(net)
        for _ in range(20):
            await asyncio.sleep(0)
        await net.app.postings.record(
            Posting(
                message_id=9,
                channel_id=net.ask,
                guild_id=net.guild.id,
                thread_id=1,
                answer_id=1,
                asker_id=1,
            )
        )

    async def forgotten() -> bool:
        return await net.app.postings.get(9) is None

    await net.discord.until(forgotten)


async def test_a_vote_before_the_posting_is_recorded_waits_for_it(
    net: Net, monkeypatch: pytest.MonkeyPatch
):
    card = await post(net)
    gate, record = asyncio.Event(), net.app.postings.record

    async def late(posting: Posting) -> None:
        await gate.wait()
        await record(posting)

    monkeypatch.setattr(net.app.postings, "record", late)
    net.discord.say(net.general, net.alice, f"<@{net.bot.user.id}> how do I vote on an answer?")  # type: ignore[union-attr]
    early = await net.discord.posted(net.general)
    net.discord.react(early, net.bob, UP)
    net.discord.react(early, net.alice, UP)
    net.discord.unreact(early, net.bob, UP)
    net.discord.react(card, net.bob, UP)  # others don't wait for it
    await until_counted(net, 1)
    assert (await net.tallies("vote"))[0] == 2
    gate.set()
    await sent(net)
    assert (await net.tallies("vote"))[0] == 2 + 1
    assert await counted(net) == 1


async def test_a_vote_waits_as_long_as_recording_the_posting_may_take(
    net: Net, monkeypatch: pytest.MonkeyPatch
):
    """Every try waits for the database in vain but the last."""
    pauses = postings.RECORD_PAUSES
    assert sum(pauses) + (len(pauses) + 1) * BUSY_SECONDS < postings.SETTLE_SECONDS
    monkeypatch.setattr(responder, "RECORD_PAUSES", (0.0,) * len(pauses))
    record, tries = net.app.postings.record, 0

    async def late(posting: Posting) -> None:
        nonlocal tries
        tries += 1
        if tries <= len(pauses):
            raise StoreBusy("locked")
        await record(posting)

    monkeypatch.setattr(net.app.postings, "record", late)
    net.discord.say(net.ask, net.alice, f"{ME} {PIN}")
    card = await net.discord.posted(net.ask)
    net.discord.react(card, net.bob, UP)
    await net.recorded(card)
    await sent(net)
    assert await counted(net) == 1


async def test_reactions_to_other_messages_are_dropped(net: Net, card: Message):
    hello = net.discord.say(net.ask, net.alice, "hello")
    for member in members(net, 10):
        net.discord.react(hello, member, UP)
    net.discord.clear(hello)
    await sent(net)
    assert await counted(net) == 0


async def test_queues_end_when_they_are_empty(net: Net, card: Message):
    for member in members(net, 5):
        net.discord.react(card, member, UP)
    await sent(net)
    names = {task.get_name() for task in asyncio.all_tasks()}
    assert not [name for name in names if name.startswith(("votes", "learning", "reconcile"))]


async def test_what_a_member_did_before_forget_me_is_forgotten_as_well(net: Net, card: Message):
    await sign(net.app, "pins", net.alice)
    async with net.app.database.write():
        net.discord.react(card, net.bob, UP)
        net.discord.react(card, net.alice, DOWN)
        told = await forget_me(net, net.bob)
    await net.discord.until(lambda: "1 vote" in told.text)
    await sent(net)
    assert await counted(net) == 0
