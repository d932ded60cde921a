"""An answer is posted once and known, whatever happens to the requests that post it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot import retry
from bot.errors import StoreBusy
from bot.models import Posting
from cogs.ask import responder
from tests.kit.asking import ME, PIN, UNKNOWN, arrows, ask, lines, name, quiet, unsure
from tests.kit.loopback import (
    Fault,
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

LOST = [reset(), reset_after(), malformed(), empty(), status(503), status_after(503)]
SPOILED = [f for f in LOST if f.done]


@pytest.mark.parametrize("fault", LOST, ids=name)
async def test_an_answer_whose_reply_is_lost_is_posted_once_and_known(net: Net, fault: Fault):
    net.discord.faults.fail("POST", "/messages$", fault)
    ask(net)
    card = await net.discord.posted(net.ask)
    await arrows(net, card)
    await quiet(net)
    assert [m.id for m in net.discord.messages(net.ask)] == [card.id]
    await net.recorded(card)
    net.discord.react(card, net.bob, "⬇️")
    await net.discord.until(lambda: card.footer.startswith("▼ 1"))


async def test_each_of_several_faults_in_a_row_is_survived(
    net: Net, caplog: pytest.LogCaptureFixture
):
    faults = [reset_after(), malformed(), status(503), reset(), empty()]
    net.discord.faults.fail("POST", "/messages$", *faults)
    ask(net)
    card = await net.discord.posted(net.ask)
    await arrows(net, card)
    await net.recorded(card)
    assert len(net.discord.messages(net.ask)) == 1
    assert len(lines(caplog)) == 1  # of one outage


@pytest.mark.parametrize("fault", SPOILED, ids=name)
@pytest.mark.parametrize("said", ["Did you mean", "nothing on that", "for example", "a moment ago"])
async def test_all_that_is_said_is_said_once(net: Net, said: str, fault: Fault):
    before = 0
    question = {"nothing on that": UNKNOWN, "for example": ""}.get(said, PIN)
    if said == "Did you mean":
        await unsure(net)
    if said == "a moment ago":
        ask(net)
        await arrows(net, await net.discord.posted(net.ask))
        before = 1
    net.discord.faults.fail("POST", "/messages$", fault, fault)
    ask(net, question)
    await net.discord.posted(net.ask, before + 1)
    await quiet(net)
    texts = [m.text for m in net.discord.messages(net.ask)]
    assert len(texts) == before + 1
    assert said in texts[-1]
    assert net.discord.faults.left == 0


async def test_an_answer_whose_reply_never_comes_is_posted_once_and_known(
    net: Net, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(retry, "REPLY_SECONDS", 0.1)
    gate = asyncio.Event()
    net.discord.faults.fail("POST", "/messages$", held(gate))
    ask(net)
    card = await net.discord.posted(net.ask)
    await arrows(net, card)
    gate.set()
    await quiet(net)
    assert net.discord.messages(net.ask) == [card]
    assert await net.app.postings.get(card.id) is not None


async def test_a_reply_that_never_comes_is_one_line_and_no_apology(
    net: Net, caplog: pytest.LogCaptureFixture
):
    net.discord.faults.always("POST", "/messages$", reset())
    ask(net)
    await net.discord.until(lambda: any("could not post" in line for line in lines(caplog)))
    await quiet(net)
    net.discord.faults.clear()
    assert net.discord.messages(net.ask) == []
    assert len(lines(caplog)) == 2  # that it is tried again, and that it could not be done
    posts = [path for method, path, _ in net.discord.requests if method == "POST"]
    assert len(posts) == 7


@pytest.mark.parametrize("fault", SPOILED, ids=name)
async def test_an_answer_that_was_posted_though_no_reply_says_so(
    net: Net, fault: Fault, caplog: pytest.LogCaptureFixture
):
    net.discord.faults.always("POST", "/messages$", fault)
    ask(net)
    card = await net.discord.posted(net.ask)
    await arrows(net, card)
    await net.recorded(card)
    await quiet(net)
    assert net.discord.messages(net.ask) == [card]
    assert len(lines(caplog)) == 1


async def test_an_outage_is_few_lines(net: Net, caplog: pytest.LogCaptureFixture):
    """All that is asked and voted meanwhile is there afterwards."""
    ask(net)
    voted = await net.discord.posted(net.ask)
    await arrows(net, voted)
    await net.recorded(voted)
    channels = net.discord.add_guild("Others", [f"ask-{n}" for n in range(12)]).channels
    await net.discord.until(lambda: len(net.bot.guilds) == 2)
    # Six tries of a post are 16 seconds of an outage, three of a tally 15.
    for channel in channels.values():
        net.discord.faults.fail("POST", f"/{channel}/messages$", *[status(503), reset()] * 3)
    net.discord.faults.fail("GET", f"/messages/{voted.id}$", *[status(503)] * 3)
    cog: Any = net.bot.get_cog("Voting")
    cog._tallies._rounds.change_interval(seconds=0.02)
    net.discord.react(voted, net.bob, "⬇️")
    for channel in channels.values():
        net.discord.say(channel, net.alice, f"{ME} {PIN}")
    for channel in channels.values():
        await arrows(net, await net.discord.posted(channel))
    await net.discord.until(lambda: voted.footer.startswith("▼ 1"))
    assert net.discord.faults.left == 0
    assert 0 < len(lines(caplog)) <= 10


async def test_what_discord_refuses_is_not_tried_again(net: Net, caplog: pytest.LogCaptureFixture):
    refused = status(403, {"code": 50013, "message": "Missing Permissions"})
    net.discord.faults.always("POST", "/messages$", refused)
    ask(net)
    await net.discord.until(lambda: any("could not post" in line for line in lines(caplog)))
    await quiet(net)
    assert len([1 for method, _, _ in net.discord.requests if method == "POST"]) == 1


async def test_a_posting_that_cannot_be_recorded_is_recorded_later(
    net: Net, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(responder, "RECORD_PAUSES", (0.001,) * 5)
    record, failed = net.app.postings.record, 0

    async def busy(posting: Posting) -> None:
        nonlocal failed
        failed += 1
        if failed <= 3:
            raise StoreBusy("locked")
        await record(posting)

    monkeypatch.setattr(net.app.postings, "record", busy)
    ask(net)
    card = await net.discord.posted(net.ask)
    await net.recorded(card)
    await arrows(net, card)
    await quiet(net)
    assert len(net.discord.messages(net.ask)) == 1
    assert len(lines(caplog)) == 1


async def test_a_vote_can_wait_for_the_posting_it_belongs_to(net: Net):
    gate = asyncio.Event()
    net.discord.faults.fail("POST", "/messages$", held(gate))
    ask(net)
    card = await net.discord.posted(net.ask)
    waiting = asyncio.create_task(net.app.postings.settled(net.ask))
    await net.app.postings.settled(net.general)  # nothing is on its way there
    assert await net.app.postings.get(card.id) is None
    assert not waiting.done()
    gate.set()
    await waiting
    posting = await net.app.postings.get(card.id)
    assert posting is not None
    assert posting.message_id == card.id


class TestArrows:
    @pytest.mark.parametrize("fault", [reset(), reset_after(), status(503)], ids=name)
    async def test_one_that_fails_is_tried_again(self, net: Net, fault: Fault):
        net.discord.faults.fail("PUT", "/reactions/", fault, fault)
        ask(net)
        card = await net.discord.posted(net.ask)
        await arrows(net, card)
        assert card.reacted() == ["⬆️", "⬇️"]

    @pytest.mark.parametrize("code", [400, 403])
    async def test_if_one_is_refused_the_other_is_there_and_both_are_tried_again(
        self, net: Net, code: int, caplog: pytest.LogCaptureFixture
    ):
        refused = status(code, {"code": 10014, "message": "Unknown Emoji"})
        net.discord.faults.fail("PUT", "/reactions/", refused)
        ask(net)
        card = await net.discord.posted(net.ask)
        await arrows(net, card)
        await quiet(net)
        assert card.reacted() == ["⬇️", "⬆️"]
        assert "Helpful" not in str(card.components)
        assert len(lines(caplog)) == 1
        assert "can't react with ⬆️" in lines(caplog)[0]

    async def test_if_one_stays_out_of_reach_the_card_has_buttons(self, net: Net):
        unknown = status(400, {"code": 10014, "message": "Unknown Emoji"})
        net.discord.faults.always("PUT", "/reactions/⬆", unknown)
        ask(net)
        card = await net.discord.posted(net.ask)
        await net.discord.until(lambda: "Not helpful" in str(card.components))
        assert card.reacted() == ["⬇️"]
        assert "Not my question" in str(card.components)

    @pytest.mark.parametrize("code", [10008, 10003])
    async def test_a_message_that_is_gone_is_asked_for_once(self, net: Net, code: int):
        gone = status(404, {"code": code, "message": "no"})
        net.discord.faults.always("PUT", "/reactions/", gone)
        ask(net)
        card = await net.discord.posted(net.ask)
        await net.recorded(card)
        await quiet(net)
        assert len([1 for _, path, _ in net.discord.requests if "/reactions/" in path]) == 1
        assert "Helpful" not in str(card.components)

    async def test_what_is_forbidden_is_tried_twice(self, net: Net):
        net.discord.faults.always("PUT", "/reactions/", status(403, {"code": 50013}))
        ask(net)
        card = await net.discord.posted(net.ask)
        await net.discord.until(lambda: "Helpful" in str(card.components))
        await quiet(net)
        assert len([1 for _, path, _ in net.discord.requests if "/reactions/" in path]) == 4


class TestTallies:
    @pytest.fixture
    async def card(self, net: Net):
        ask(net)
        card = await net.discord.posted(net.ask)
        await arrows(net, card)
        await net.recorded(card)
        self.rounds(net).change_interval(seconds=0.02)
        return card

    def rounds(self, net: Net):
        cog = net.bot.get_cog("Voting")
        return cog._tallies._rounds  # type: ignore[union-attr]

    @pytest.mark.parametrize("method", ["GET", "PATCH"])
    @pytest.mark.parametrize("fault", [reset(), malformed(), status(503)], ids=name)
    async def test_one_that_could_not_be_drawn_stays_due(
        self, net: Net, card, method: str, fault: Fault
    ):
        net.discord.faults.fail(method, r"/messages/\d+$", fault, fault, fault)
        net.discord.react(card, net.bob, "⬇️")
        await net.discord.until(lambda: card.footer.startswith("▼ 1"))

    async def test_others_are_drawn_while_one_fails(self, net: Net, card):
        net.discord.faults.always("PATCH", f"/messages/{card.id}$", status(503))
        net.discord.say(net.general, net.alice, f"{ME} how do I vote on an answer?")
        other = await net.discord.posted(net.general)
        await net.recorded(other)
        net.discord.react(card, net.bob, "⬇️")
        net.discord.react(other, net.bob, "⬆️")
        await net.discord.until(lambda: "▲ 3" in other.footer)

    @pytest.mark.parametrize(
        "fault",
        [
            status(404, {"code": 10008, "message": "Unknown Message"}),
            status(403, {"code": 50001, "message": "Missing Access"}),
        ],
        ids=["gone", "forbidden"],
    )
    async def test_one_that_cannot_be_drawn_is_given_up(
        self, net: Net, card, fault: Fault, caplog: pytest.LogCaptureFixture
    ):
        net.discord.faults.always("GET", r"/messages/\d+$", fault)
        net.discord.react(card, net.bob, "⬇️")
        rounds = self.rounds(net)
        await net.discord.until(lambda: rounds.current_loop >= 2 or not rounds.is_running())
        await net.discord.until(lambda: not rounds.is_running())
        looked = [1 for method, path, _ in net.discord.requests if method == "GET"]
        assert len(lines(caplog)) <= 1
        assert len(looked) <= 5

    async def test_a_fault_that_stays_is_given_up_in_the_end(
        self, net: Net, card, caplog: pytest.LogCaptureFixture
    ):
        self.rounds(net).change_interval(seconds=0.001)
        net.discord.faults.always("PATCH", r"/messages/\d+$", status(503))
        net.discord.react(card, net.bob, "⬇️")
        await net.discord.until(lambda: any("stays as it is" in line for line in lines(caplog)))
        assert len([1 for method, _, _ in net.discord.requests if method == "PATCH"]) == 8
        assert len(lines(caplog)) == 8
        net.discord.faults.clear()
        net.discord.react(card, net.alice, "⬇️")
        net.discord.unreact(card, net.bob, "⬇️")
        await net.discord.until(lambda: not card.footer.startswith("▼ 1"))


async def test_rate_limits_are_left_to_the_library(net: Net, caplog: pytest.LogCaptureFixture):
    net.discord.faults.fail("POST", "/messages$", rate_limited(0.01))
    net.discord.faults.fail("PUT", "/reactions/", rate_limited(0.01), rate_limited(0.01))
    ask(net)
    card = await net.discord.posted(net.ask)
    await arrows(net, card)
    assert len(net.discord.messages(net.ask)) == 1
    assert lines(caplog) == []
