"""Votes that no event reported are counted, whatever happens to the requests."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from bot.errors import StoreBusy
from cogs.voting import posted_card, reconciler
from tests.kit.card_votes import (
    DOWN,
    UP,
    counted,
    heard,
    idle,
    looked_at,
    members,
    post,
    posting_of,
    sent,
    until_counted,
)
from tests.kit.loopback import Fault, empty, held, malformed, passed, reset, status
from tests.kit.loopback.world import ME, Message
from tests.kit.net import Net
from tests.kit.world import sign

FAULTS = [reset(), status(503), malformed(), empty(), status(429, {"retry_after": 0.01})]
PATHS = {"message": r"/messages/\d+$", "reactions": "/reactions/"}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards are tried again at once."""
    monkeypatch.setattr(posted_card, "PAUSES", (0.001,))
    monkeypatch.setattr(reconciler, "BACK_OFF", 0.01)


@pytest.fixture
async def card(net: Net) -> Message:
    return await post(net)


class TestLiveEvents:
    """Of members with events during the fetch the events decide, for the others the picture."""

    async def reconciled(self, net: Net, card: Message, path: str) -> asyncio.Event:
        """A session begins anew, and the reply to a request of the fetch is held back."""
        gate = asyncio.Event()
        count = len(net.discord.requests)
        net.discord.faults.fail("GET", path, held(gate))
        async with net.discord.disconnected(resumable=False):
            pass

        def asked() -> bool:
            return any(
                method == "GET" and kind == "slow_after"
                for method, _, kind in net.discord.requests[count:]
            )

        await net.discord.until(asked)
        return gate

    @pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
    async def test_a_vote_that_comes_stands_and_one_that_goes_stays_away(
        self, net: Net, card: Message, path: str
    ):
        came, went, up_down, missed, gone = members(net, 5)
        net.discord.react(card, went, UP)
        net.discord.react(card, gone, UP)
        net.discord.react(card, up_down, UP)
        await sent(net)
        net.discord.unreact(card, gone, UP, silent=True)
        net.discord.react(card, missed, DOWN, silent=True)
        gate = await self.reconciled(net, card, path)
        net.discord.react(card, came, UP)
        net.discord.unreact(card, went, UP)
        net.discord.unreact(card, up_down, UP)
        net.discord.react(card, up_down, DOWN)
        await net.discord.until(lambda: _is_done(net, up_down))
        gate.set()
        await sent(net)
        assert await _votes(net) == {came: 1, up_down: -1, missed: -1}
        assert sum("/reactions/" in path for path in looked_at(net, card)) <= 4

    async def test_an_event_is_newer_than_what_was_missed(self, net: Net, card: Message):
        net.discord.react(card, net.bob, DOWN, silent=True)
        gate = await self.reconciled(net, card, "/reactions/")
        net.discord.react(card, net.bob, UP)
        await until_counted(net, 1)
        gate.set()
        await sent(net)
        assert await counted(net) == 1
        net.discord.unreact(card, net.bob, UP)
        await until_counted(net, -1)

    @pytest.mark.parametrize("emoji", [None, UP], ids=["all", "one emoji"])
    async def test_what_was_cleared_stays_away(self, net: Net, card: Message, emoji: str | None):
        await sign(net.app, "pins", net.alice)
        net.discord.react(card, net.bob, UP, silent=True)
        net.discord.react(card, net.alice, DOWN, silent=True)
        gate = await self.reconciled(net, card, "/reactions/")
        net.discord.clear(card, emoji)
        await heard(net)
        gate.set()
        await sent(net)
        # Alice wrote the answer, so that her vote never counts.
        assert await counted(net) == 0
        assert net.bob not in await _votes(net)


async def _votes(net: Net) -> dict[int, int]:
    """The votes on the card's answer, by member."""
    from sqlalchemy import select

    from bot.store.tables import votes

    async with net.app.database.read() as connection:
        rows = (await connection.execute(select(votes.c.user_id, votes.c.value))).all()
    return {row.user_id: row.value for row in rows}


async def _is_done(net: Net, member: int) -> bool:
    return (await _votes(net)).get(member) == -1


async def voted(net: Net, tally: int) -> bool:
    return (await net.tallies("vote"))[0] == tally


async def nothing_due(net: Net) -> bool:
    return await net.app.postings.due() == []


class TestFaults:
    @pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
    @pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
    async def test_one_card_is_tried_again_and_the_others_go_on(
        self, net: Net, card: Message, fault: Fault, path: str
    ):
        other = await post(net, net.general)
        bob, carol = members(net, 2)
        async with net.discord.disconnected(resumable=False):
            net.discord.react(card, bob, UP, silent=True)
            net.discord.react(other, carol, UP, silent=True)
            of_card = f"/channels/{net.ask}.*{path}"
            net.discord.faults.fail("GET", of_card, *[fault] * 7)
        await until_counted(net, 2)
        assert net.discord.faults.left == 0

    async def test_a_card_that_never_answers_holds_up_nobody_for_ever(
        self, net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("bot.retry.REPLY_SECONDS", 0.05)
        gate = asyncio.Event()
        other = await post(net, net.general)
        bob, carol = members(net, 2)
        async with net.discord.disconnected(resumable=False):
            net.discord.react(card, bob, UP, silent=True)
            net.discord.react(other, carol, UP, silent=True)
            net.discord.faults.fail("GET", f"/channels/{net.general}.*/reactions/", held(gate))
        await until_counted(net, 1)
        gate.set()
        await until_counted(net, 2)

    async def test_one_that_hangs_holds_up_no_other(self, net: Net, card: Message):
        gate = asyncio.Event()
        other = await post(net, net.general)
        net.discord.faults.always("GET", rf"/messages/{other.id}$", held(gate, after=False))
        async with net.discord.disconnected(resumable=False):
            net.discord.react(card, net.bob, UP, silent=True)
        await until_counted(net, 1)
        gate.set()
        await idle(net)

    @pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
    async def test_one_that_hangs_holds_up_no_other_of_its_channel(
        self, net: Net, card: Message, path: str, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(posted_card, "FETCH_SECONDS", 0.2)
        gate = asyncio.Event()
        net.discord.say(net.ask, net.alice, f"<@{ME['id']}> how do I vote on an answer?")
        newer = await net.discord.posted(net.ask, 2)
        await net.discord.until(lambda: len(newer.reacted()) == 2)
        bob, carol = members(net, 2)
        hangs = f"/messages/{newer.id}" + path.removeprefix(r"/messages/\d+")
        net.discord.faults.always("GET", hangs, held(gate, after=False))
        async with net.discord.disconnected(resumable=False):
            net.discord.react(newer, carol, UP, silent=True)  # the newest is looked at first
            net.discord.react(card, bob, UP, silent=True)
        await until_counted(net, 1)
        assert (await net.tallies("vote"))[0] == 2
        net.discord.faults.clear()
        gate.set()
        await net.discord.until(lambda: voted(net, 3))

    async def test_an_outage_is_few_lines(
        self, net: Net, card: Message, caplog: pytest.LogCaptureFixture
    ):
        await post(net, net.general)
        caplog.clear()
        async with net.discord.disconnected(resumable=False):
            net.discord.react(card, net.bob, UP, silent=True)
            net.discord.faults.always("GET", "/messages/", status(503))
        await net.discord.until(lambda: len(net.discord.requests) > 40)
        net.discord.faults.clear()
        await until_counted(net, 1)
        said = [r for r in caplog.records if r.name.startswith(("bot", "cogs"))]
        assert len([r for r in said if r.levelno >= logging.WARNING]) <= 2

    async def test_a_locked_database(
        self, net: Net, card: Message, monkeypatch: pytest.MonkeyPatch
    ):
        reconcile, failures = net.app.voting.reconcile, iter([StoreBusy("locked")] * 3)

        async def busy(**parts):
            for failure in failures:
                raise failure
            return await reconcile(**parts)

        monkeypatch.setattr(net.app.voting, "reconcile", busy)
        async with net.discord.disconnected(resumable=False):
            net.discord.react(card, net.bob, UP, silent=True)
        await until_counted(net, 1)

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/reactions/", {"code": 10014, "message": "Unknown Emoji"}),
            (r"/messages/\d+$", {"code": 0, "message": "404: Not Found"}),
            (r"/messages/\d+$", None),  # a page of a server in between
        ],
    )
    async def test_a_404_that_is_not_of_the_message_forgets_nothing(
        self, net: Net, card: Message, path: str, body: object
    ):
        net.discord.react(card, net.bob, UP)
        await sent(net)
        net.discord.faults.fail("GET", path, status(404, body))
        async with net.discord.disconnected(resumable=False):
            (other,) = members(net, 1)
            net.discord.react(card, other, UP, silent=True)
        await until_counted(net, 2)
        assert await posting_of(net, card) is not None

    async def test_a_custom_emoji_that_was_deleted_has_no_reactions(self, net: Net):
        up, down = "<:yes:1010101010101010101>", "<:no:1010101010101010102>"
        net.discord.set_emoji(net.guild.id, up[2:-1], down[2:-1])
        await net.discord.until(lambda: len(net.bot.emojis) == 2)
        await net.app.guilds.update(net.guild.id, up_emoji=up, down_emoji=down)
        card = await post(net)
        net.discord.react(card, net.bob, up[2:-1])
        await until_counted(net, 1)
        unknown = status(404, {"code": 10014, "message": "Unknown Emoji"})
        net.discord.faults.always("GET", "/reactions/yes", unknown)
        (other,) = members(net, 1)
        async with net.discord.disconnected(resumable=False):
            net.discord.react(card, other, down[2:-1], silent=True)
        await until_counted(net, -1)
        await sent(net)
        asked = len(looked_at(net, card))
        await net.app.postings.mark_due([card.id])
        async with net.discord.disconnected(resumable=True):
            pass
        await net.discord.until(lambda: len(looked_at(net, card)) > asked)
        await net.discord.until(lambda: nothing_due(net))
        asked = len(looked_at(net, card))
        await sent(net)
        assert len(looked_at(net, card)) == asked  # done: it isn't tried again


class TestSessions:
    async def test_after_a_resume_nothing_is_fetched(self, net: Net, card: Message):
        await sent(net)
        before = len(looked_at(net))
        async with net.discord.disconnected(resumable=True):
            net.discord.react(card, net.bob, UP)
        await sent(net)
        assert await counted(net) == 1
        assert len(looked_at(net)) == before

    async def test_after_a_resume_cards_that_are_due_are_looked_at(self, net: Net, card: Message):
        other = await post(net, net.general)
        await net.app.postings.mark_due([card.id])
        net.discord.react(card, net.bob, UP, silent=True)
        net.discord.react(other, net.bob, DOWN, silent=True)
        async with net.discord.disconnected(resumable=True):
            pass
        await until_counted(net, 1)
        await idle(net)
        assert looked_at(net, other) == []
        assert await net.app.postings.due() == []

    async def test_a_new_session_while_cards_are_looked_at_looks_again(
        self, net: Net, card: Message
    ):
        gate = asyncio.Event()
        net.discord.faults.fail("GET", f"/messages/{card.id}$", held(gate))
        async with net.discord.disconnected(resumable=False):
            pass
        async with net.discord.disconnected(resumable=False):
            net.discord.react(card, net.bob, UP, silent=True)
        gate.set()
        await until_counted(net, 1)


class TestSuperReactions:
    async def test_count_at_once_and_after_a_restart(self, net: Net, card: Message):
        before, unheard = members(net, 2)
        net.discord.react(card, before, UP, burst=True)
        await until_counted(net, 1)
        async with net.discord.disconnected(resumable=False):
            net.discord.react(card, unheard, UP, burst=True, silent=True)
        await until_counted(net, 2)
        await sent(net)
        assert await counted(net) == 2

    @pytest.mark.parametrize("first", [True, False], ids=["super", "normal"])
    async def test_a_vote_stands_while_either_kind_stands(
        self, net: Net, card: Message, first: bool
    ):
        for burst in (True, False):
            net.discord.react(card, net.bob, UP, burst=burst)
        net.discord.unreact(card, net.bob, UP, burst=first)
        await sent(net)
        assert await counted(net) == 1
        async with net.discord.disconnected(resumable=False):
            pass
        await sent(net)
        assert await counted(net) == 1
        net.discord.unreact(card, net.bob, UP, burst=not first)
        await until_counted(net, 0)

    async def test_come_in_pages(self, net: Net, card: Message):
        async with net.discord.disconnected(resumable=False):
            for member in members(net, 230):
                net.discord.react(card, member, UP, burst=True, silent=True)
            for member in members(net, 110):
                net.discord.react(card, member, UP, silent=True)
            net.discord.faults.fail("GET", "/reactions/", passed(), reset(), malformed())
        await until_counted(net, 340)


async def test_a_posting_of_a_forgotten_message_is_not_looked_for_again(net: Net, card: Message):
    async with net.discord.disconnected(resumable=False):
        net.discord.delete(card, silent=True)

    async def forgotten() -> bool:
        return await net.app.postings.get(card.id) is None

    await net.discord.until(forgotten)


async def test_nothing_is_remembered_of_a_card_that_failed_and_is_gone(net: Net, card: Message):
    cog: Any = net.bot.get_cog("Voting")
    async with net.discord.disconnected(resumable=False):
        net.discord.delete(card, silent=True)
        net.discord.faults.fail("GET", PATHS["message"], *[reset()] * 7)

    async def forgotten() -> bool:
        return await net.app.postings.get(card.id) is None

    await net.discord.until(forgotten)
    await idle(net)
    assert net.discord.faults.left == 0
    assert cog._reconciler._tries == {}


async def test_a_card_says_what_it_was_posted_with(net: Net, card: Message):
    used = (await posting_of(net, card)).emoji
    assert used is not None
    assert (used.up, used.down) == (UP, DOWN)
