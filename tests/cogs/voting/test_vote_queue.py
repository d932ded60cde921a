"""Votes that can't be written wait, and are asked for later; a press is confirmed once written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from bot.client import ThreadBot
from bot.errors import StoreBusy
from bot.services.voting import Added, VoteChange
from bot.store.tables import postings
from cogs.voting import forgetting, reconciler, vote_queue, vote_writer
from cogs.voting.cog import NOT_SAVED
from tests.kit.card_votes import (
    DOWN,
    UP,
    button,
    counted,
    forget_me,
    heard,
    looked_at,
    members,
    post,
    posting_of,
    sent,
    until_counted,
)
from tests.kit.loopback import Press, held, reset, running
from tests.kit.loopback.world import Message
from tests.kit.net import Net
from tests.kit.votes import tally_of


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """All is tried again at once."""
    monkeypatch.setattr(vote_writer, "RETRY_PAUSES", (0.001,) * 4)
    monkeypatch.setattr(reconciler, "BACK_OFF", 0.01)


@pytest.fixture
async def card(net: Net) -> Message:
    return await post(net)


class Locked:
    """Some of what the bot does fails as if the database were locked, until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: Any, *names: str):
        self.tries = 0
        self.open = False
        for name in names:
            monkeypatch.setattr(owner, name, self._failing(getattr(owner, name)))

    def _failing(self, work: Any) -> Any:
        async def fail(*args: Any, **parts: Any) -> Any:
            if not self.open:
                self.tries += 1
                raise StoreBusy("locked by another program")
            return await work(*args, **parts)

        return fail


async def test_events_are_kept_in_order_until_they_can_be_written(
    net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(vote_writer, "RETRY_PAUSES", (0.01,) * 1000)
    locked = Locked(monkeypatch, net.app.voting, "apply")
    everybody = members(net, 20)
    for member in everybody:
        net.discord.react(card, member, UP)
        net.discord.react(card, member, DOWN)
        net.discord.unreact(card, member, UP)
    await net.discord.until(lambda: locked.tries >= 2)
    for member in everybody[:5]:
        net.discord.unreact(card, member, DOWN)
    locked.open = True
    await sent(net)
    assert await counted(net) == -15
    assert looked_at(net, card) == []  # so that nothing had to be asked for


async def test_what_could_not_be_written_is_asked_for(
    net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
):
    locked = Locked(monkeypatch, net.app.voting, "apply", "reconcile")
    net.discord.react(card, net.bob, UP)

    async def marked() -> bool:
        return [p.message_id for p in await net.app.postings.due()] == [card.id]

    await net.discord.until(marked)
    await net.discord.until(lambda: looked_at(net, card) != [])
    locked.open = True
    await until_counted(net, 1)
    await sent(net)
    assert await net.app.postings.due() == []


async def test_what_could_not_even_be_marked_is_seen_at_the_next_start(
    net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
):
    posting = await posting_of(net, card)
    with monkeypatch.context() as patch:
        locked = Locked(patch, net.app.voting, "apply", "reconcile")
        marking = Locked(patch, net.app.postings, "mark_due")
        net.discord.react(card, net.bob, UP)
        await net.discord.until(lambda: locked.tries >= 5 and marking.tries >= 2)
        await net.bot.close()
    assert await net.app.postings.due() == []
    assert await tally_of(net.app.database, posting.answer_id, net.guild.id) == 0
    async with running(net.discord, ThreadBot(net.app, shard_count=1)):
        await until_counted(net, 1)


async def test_a_marked_card_is_seen_at_the_next_start_however_old_it_is(
    net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
):
    await sent(net)
    await net.bot.close()
    await net.app.postings.mark_due([card.id])
    net.discord.react(card, net.bob, UP)
    none = net.app.settings.model_copy(update={"reconcile_messages": 0})
    monkeypatch.setattr(net.app, "settings", none)
    async with running(net.discord, ThreadBot(net.app, shard_count=1)):
        await until_counted(net, 1)


async def test_what_waits_from_a_lost_session_is_older_than_what_discord_shows(
    net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(vote_writer, "RETRY_PAUSES", (0.01,) * 1000)
    locked = Locked(monkeypatch, net.app.voting, "apply")
    bob, carol = members(net, 2)
    net.discord.react(card, carol, UP)
    net.discord.react(card, bob, UP)
    await net.discord.until(lambda: locked.tries >= 1)
    count = len(looked_at(net, card))
    async with net.discord.disconnected(resumable=False):
        net.discord.unreact(card, bob, UP, silent=True)
    await net.discord.until(lambda: len(looked_at(net, card)) > count)
    locked.open = True
    await until_counted(net, 1)
    await sent(net)
    assert await counted(net) == 1


async def test_more_than_may_wait_is_asked_for(
    net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(vote_queue, "LIMIT", 10)
    locked = Locked(monkeypatch, net.app.voting, "apply")
    monkeypatch.setattr(vote_writer, "RETRY_PAUSES", (0.01,) * 1000)
    everybody = members(net, 50)
    net.discord.react(card, net.bob, DOWN)
    await net.discord.until(lambda: locked.tries >= 2)
    for member in everybody:
        net.discord.react(card, member, UP)
    await heard(net)
    locked.open = True
    await until_counted(net, 49)


async def test_one_event_that_fails_takes_no_other_with_it(
    net: Net, card: Message, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    apply, bad = net.app.voting.apply, members(net, 1)[0]

    async def broken(changes: Sequence[VoteChange]) -> Any:
        if any(isinstance(c, Added) and c.reaction.user_id == bad for c in changes):
            raise RuntimeError("a fault of ours")
        return await apply(changes)

    monkeypatch.setattr(net.app.voting, "apply", broken)
    for member in [*members(net, 3), bad, *members(net, 3)]:
        net.discord.react(card, member, UP)
    await until_counted(net, 7)  # the one by asking Discord
    assert "a vote could not be written" in caplog.text


async def test_what_waits_when_the_bot_stops_is_marked(
    net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(vote_writer, "RETRY_PAUSES", (60.0,))
    locked = Locked(monkeypatch, net.app.voting, "apply")
    other = await post(net, net.general)
    net.discord.react(card, net.bob, UP)
    await net.discord.until(lambda: locked.tries >= 1)
    net.discord.react(other, net.bob, UP)
    await heard(net)
    await net.bot.close()
    due = {posting.message_id for posting in await net.app.postings.due()}
    assert due == {card.id, other.id}


async def test_what_waits_is_forgotten_with_its_member(
    net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(vote_writer, "RETRY_PAUSES", (0.01,) * 1000)
    monkeypatch.setattr(forgetting, "FLUSH_SECONDS", 0.05)
    locked = Locked(monkeypatch, net.app.voting, "apply")
    net.discord.react(card, net.bob, UP)
    net.discord.react(card, members(net, 1)[0], UP)
    await net.discord.until(lambda: locked.tries >= 1)
    net.discord.react(card, net.bob, DOWN)
    told = await forget_me(net, net.bob)
    await net.discord.until(lambda: "0 votes" in told.text)
    locked.open = True
    await sent(net)
    assert await counted(net) == 1


class TestHeldBack:
    """Votes on a card whose emoji are not known wait for a look at it."""

    @pytest.fixture
    async def old(self, net: Net, card: Message) -> Message:
        async with net.app.database.write() as connection:
            await connection.execute(postings.update().values(up_emoji=None, down_emoji=None))
        return card

    async def test_they_are_asked_for_if_they_are_lost(
        self, net: Net, old: Message, monkeypatch: pytest.MonkeyPatch
    ):
        Locked(monkeypatch, net.app.postings, "set_emoji")
        locked = Locked(monkeypatch, net.app.guilds, "settings")
        locked.open = True
        gate = asyncio.Event()
        net.discord.faults.fail("GET", rf"/messages/{old.id}$", held(gate))
        net.discord.react(old, net.bob, UP)
        await net.discord.until(lambda: net.discord.faults.left == 0)
        locked.open = False
        gate.set()
        await net.discord.until(lambda: locked.tries >= 1)
        monkeypatch.undo()
        await until_counted(net, 1)

    async def test_they_are_marked_when_the_bot_stops_and_forgotten_with_their_member(
        self, net: Net, old: Message
    ):
        gate = asyncio.Event()
        net.discord.faults.always("GET", rf"/messages/{old.id}$", held(gate))
        net.discord.react(old, net.bob, UP)
        queue = net.bot.get_cog("Voting")._queue  # type: ignore[union-attr]
        await net.discord.until(lambda: old.id in queue._held)
        told = await forget_me(net, net.bob)
        await net.discord.until(lambda: "0 votes" in told.text)
        assert all(event.is_dropped for event in queue._held[old.id].events)
        await net.bot.close()
        gate.set()
        assert [p.message_id for p in await net.app.postings.due()] == [old.id]

    async def test_they_are_older_than_what_is_seen_while_they_wait(self, net: Net, old: Message):
        gate = asyncio.Event()
        net.discord.faults.fail("GET", rf"/messages/{old.id}$", held(gate))
        net.discord.react(old, net.bob, UP)
        await net.discord.until(lambda: net.discord.faults.left == 0)
        async with net.discord.disconnected(resumable=False):
            net.discord.unreact(old, net.bob, UP, silent=True)
            net.discord.react(old, members(net, 1)[0], UP, silent=True)
        reconciler = net.bot.get_cog("Voting")._reconciler  # type: ignore[union-attr]
        await net.discord.until(lambda: reconciler._workers > 0)
        await asyncio.sleep(0.1)
        gate.set()
        await sent(net)
        assert await counted(net) == 1


class TestPresses:
    async def pressed(self, net: Net, card: Message) -> Press:
        return net.discord.press(card, net.bob, await button(net, card, "up"))

    async def test_are_confirmed_once_written(
        self, net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
    ):
        async with net.app.database.write():
            press = await self.pressed(net, card)
            await net.discord.until(lambda: bool(press.callbacks))
            await asyncio.sleep(0.05)
            assert press.told == []
        await net.discord.until(lambda: any("stands at +1" in text for text in press.told))
        assert await counted(net) == 1

    async def test_that_fail_say_so_and_do_not_count_later(
        self, net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
    ):
        locked = Locked(monkeypatch, net.app.voting, "apply")
        press = await self.pressed(net, card)
        await net.discord.until(lambda: NOT_SAVED in press.told)
        locked.open = True
        await sent(net)
        assert await counted(net) == 0

    async def test_that_wait_too_long_are_withdrawn(
        self, net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
    ):
        locked = Locked(monkeypatch, net.app.voting, "apply")
        monkeypatch.setattr(vote_writer, "RETRY_PAUSES", (0.01,) * 1000)
        monkeypatch.setattr(vote_queue, "PRESS_SECONDS", 0.05)
        net.discord.react(card, net.bob, DOWN)
        await net.discord.until(lambda: locked.tries >= 1)
        press = await self.pressed(net, card)
        await net.discord.until(lambda: NOT_SAVED in press.told)
        locked.open = True
        await sent(net)
        assert await counted(net) == -1

    async def test_that_count_untold_are_repeated_and_not_taken_back(self, net: Net, card: Message):
        custom_id = await button(net, card, "up")
        for votes in (1, 0):
            net.discord.faults.always("POST", "/callback$", reset())
            net.discord.press(card, net.bob, custom_id)
            await until_counted(net, votes)
            await net.discord.until(lambda: _is_handled(net))
            net.discord.faults.clear()
            press = net.discord.press(card, net.bob, custom_id)
            await net.discord.until(partial(_is_told, press))
            await sent(net)
            assert await counted(net) == votes
        net.discord.press(card, net.bob, custom_id)  # what they were told can be changed
        await until_counted(net, 1)

    async def test_of_another_servers_answer_do_not_count(self, net: Net, card: Message):
        other = net.discord.add_guild("Other")
        from bot.models import Answer, Thread

        await net.app.library.add(
            [Thread(key="secret", title="What is our secret?", answers=(Answer(body="It."),))],
            scope=other.id,
        )
        thread = await net.app.answering.find("secret", guild_id=other.id)
        assert thread is not None
        custom_id = await button(net, card, "up", thread.answers[0].id)
        press = net.discord.press(card, net.bob, custom_id)
        await net.discord.until(lambda: any("not in the library" in t for t in press.told))
        assert (await net.app.library.count()).votes == 0


def _is_handled(net: Net) -> bool:
    """Tell if no press is under way: its member has an answer, or it has failed."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return not any(name.startswith("discord-ui-") for name in names)


def _is_told(press: Press) -> bool:
    return press.told != []
