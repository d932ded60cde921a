"""Replies to commands and presses are made once, whatever happens to their requests."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.app import App
from bot.client import LEAVE_SECONDS, ThreadBot
from cogs.ask.suggestion_handlers import ALREADY_BACK
from tests.kit.asking import PIN, UNKNOWN, arrows, ask, lines, name, quiet, unsure
from tests.kit.loopback import (
    Fault,
    Loopback,
    Press,
    Upload,
    empty,
    held,
    malformed,
    reset,
    reset_after,
    running,
    serving,
    status,
)
from tests.kit.loopback.world import Message
from tests.kit.net import Net
from tests.kit.waiting import HANG

CALLBACK = "/callback$"
ORIGINAL = "/messages/@original$"
SPOILED = [reset_after(), malformed(), empty()]
LOST = [reset(), *SPOILED]
TAKEN = Fault(kind="status", done=True, code=400, body={"code": 40060, "message": "taken"})
EXPIRED = status(404, {"code": 10062, "message": "Unknown interaction"})


def ids(message: Message) -> list[str]:
    """The custom ids of what can be pressed under a message."""
    return [each["custom_id"] for row in message.components for each in row["components"]]


async def pressed(net: Net, message: Message, start: str, *values: str) -> Press:
    """Press what has a custom id that begins so, as the person who asked."""
    custom_id = next(i for i in ids(message) if i.startswith(start))
    press = net.discord.press(message, net.alice, custom_id, values)
    await net.discord.until(lambda: bool(press.callbacks))
    return press


def an_option(message: Message) -> str:
    """The first choice of the menu under a message."""
    parts = [each for row in message.components for each in row["components"]]
    menu = next(each for each in parts if "options" in each)
    return str(menu["options"][0]["value"])


async def answered(net: Net, press: Press) -> Message:
    await net.discord.until(lambda: bool(press.original and press.original.embeds))
    assert press.original is not None
    return press.original


async def recorded(net: Net, press: Press) -> Message:
    """Wait for the answer to a command, which must be known as a posting."""
    card = await answered(net, press)
    await arrows(net, card)
    await quiet(net)
    assert await net.app.postings.get(card.id) is not None
    return card


def told(press: Press) -> str:
    return "\n".join(press.told)


@pytest.mark.parametrize("fault", [*LOST, TAKEN], ids=name)
async def test_a_command_whose_first_reply_is_lost_is_answered_once(net: Net, fault: Fault):
    net.discord.faults.fail("POST", CALLBACK, fault)
    press = net.discord.command(net.general, net.alice, "ask", question=PIN, share=True)
    card = await recorded(net, press)
    assert (len(press.callbacks), press.followups) == (1, [])
    assert net.discord.messages(net.general) == [card]


@pytest.mark.parametrize("fault", LOST, ids=name)
async def test_a_card_whose_reply_is_lost_is_known(net: Net, fault: Fault):
    net.discord.faults.fail("PATCH", ORIGINAL, fault, fault)
    press = net.discord.command(net.general, net.alice, "ask", question=PIN, share=True)
    await recorded(net, press)
    assert "Sorry" not in told(press)
    assert press.followups == []


@pytest.mark.parametrize("fault", SPOILED, ids=name)
async def test_a_card_that_was_shown_though_discord_never_says_so(net: Net, fault: Fault):
    net.discord.faults.always("PATCH", ORIGINAL, fault)
    press = net.discord.command(net.general, net.alice, "ask", question=PIN, share=True)
    card = await recorded(net, press)
    assert card.embeds
    assert press.followups == []


async def test_a_card_that_was_never_shown_is_an_apology(
    net: Net, caplog: pytest.LogCaptureFixture
):
    net.discord.faults.fail("PATCH", ORIGINAL, *[reset()] * 7)
    press = net.discord.command(net.general, net.alice, "ask", question=PIN, share=True)
    await net.discord.until(lambda: "Sorry" in told(press))
    await quiet(net)
    assert "did not take my reply" in told(press)
    assert len(lines(caplog)) == 2
    assert await net.app.postings.recent(5) == []


async def test_a_command_that_discord_gave_up_is_one_line(
    net: Net, caplog: pytest.LogCaptureFixture
):
    net.discord.faults.always("POST", CALLBACK, EXPIRED)
    net.discord.command(net.general, net.alice, "ask", question=PIN, share=True)
    await net.discord.until(lambda: bool(lines(caplog)))
    await quiet(net)
    assert lines(caplog) == ["ask: Discord had given up waiting for the reply"]


@pytest.mark.parametrize("fault", LOST, ids=name)
@pytest.mark.parametrize("where", [("POST", CALLBACK), ("PATCH", ORIGINAL)], ids=["first", "then"])
async def test_the_pager_opens_whatever_is_lost(net: Net, where: tuple[str, str], fault: Fault):
    ask(net)
    card = await net.discord.posted(net.ask)
    net.discord.faults.fail(*where, fault)
    press = await pressed(net, card, "tw:other")
    await net.discord.until(lambda: "Ask a moderator" in told(press))
    await quiet(net)
    assert len(press.told) == 1
    # Its buttons turn the page in place.
    assert press.original is not None
    turned = await pressed(net, press.original, "tw:prev")
    await quiet(net)
    assert turned.told == []


@pytest.mark.parametrize("fault", LOST, ids=name)
@pytest.mark.parametrize("where", [("POST", CALLBACK), ("PATCH", ORIGINAL)], ids=["first", "then"])
async def test_a_button_votes_once_whatever_is_lost(net: Net, where: tuple[str, str], fault: Fault):
    ask(net)
    opened = await pressed(net, await net.discord.posted(net.ask), "tw:other")
    await net.discord.until(lambda: "Ask a moderator" in told(opened))
    assert opened.original is not None
    net.discord.faults.fail(*where, fault)
    press = await pressed(net, opened.original, "tw:up")
    await net.discord.until(lambda: "You voted for it. The answer stands at +1" in told(opened))
    await quiet(net)
    assert press.told == []
    assert await net.tallies("pins") == [0, 1]


@pytest.mark.parametrize("fault", LOST, ids=name)
async def test_what_is_said_at_once_is_said_once(net: Net, fault: Fault):
    net.discord.faults.fail("POST", CALLBACK, fault)
    press = net.discord.command(net.general, net.alice, "ask", question=" ")
    await net.discord.until(lambda: "Ask me something" in told(press))
    await quiet(net)
    assert len(press.told) == 1


@pytest.mark.parametrize("fault", LOST, ids=name)
async def test_suggestions_that_are_dismissed(net: Net, fault: Fault):
    await unsure(net)
    ask(net)
    offered = await net.discord.posted(net.ask)
    net.discord.faults.fail("POST", CALLBACK, fault)
    press = await pressed(net, offered, "tw:none")
    await net.discord.until(lambda: "Taken back" in offered.text)
    await quiet(net)
    assert (len(press.callbacks), press.told) == (1, [])


@pytest.mark.parametrize("fault", LOST, ids=name)
async def test_a_suggestion_that_is_chosen_is_known(net: Net, fault: Fault):
    await unsure(net)
    ask(net)
    offered = await net.discord.posted(net.ask)
    net.discord.faults.fail("PATCH", ORIGINAL, fault)
    await pressed(net, offered, "tw:pick", an_option(offered))
    await arrows(net, offered)
    await quiet(net)
    assert await net.app.postings.get(offered.id) is not None
    assert net.discord.messages(net.ask) == [offered]


@pytest.mark.parametrize("fault", LOST, ids=name)
@pytest.mark.parametrize("lost", ["DELETE", "POST"])
@pytest.mark.parametrize("command", [False, True], ids=["message", "command"])
async def test_another_answer_takes_the_place_of_one_taken_back(
    net: Net, command: bool, lost: str, fault: Fault
):
    await net.app.guilds.update(net.guild.id, suggest_threshold=0.0)
    if command:
        asking = net.discord.command(net.ask, net.alice, "ask", question=PIN, share=True)
        card = await answered(net, asking)
    else:
        ask(net)
        card = await net.discord.posted(net.ask)
    await arrows(net, card)
    await net.recorded(card)
    await pressed(net, card, "tw:notmine")
    await net.discord.until(lambda: "Did you mean" in card.text)
    net.discord.faults.fail(lost, ORIGINAL if lost == "DELETE" else "/messages$", fault)
    press = await pressed(net, card, "tw:repick", an_option(card))
    await net.discord.until(lambda: card not in net.discord.messages(net.ask))
    other = await net.discord.posted(net.ask)
    await arrows(net, other)
    await quiet(net)
    assert net.discord.messages(net.ask) == [other]
    assert await net.app.postings.get(other.id) is not None
    assert press.told == []
    assert net.discord.faults.left == 0


async def test_a_private_line_after_a_press_is_reported(net: Net):
    ask(net)
    card = await net.discord.posted(net.ask)
    await arrows(net, card)
    await net.recorded(card)
    await net.app.postings.forget([card.id])
    net.discord.faults.fail("POST", "/webhooks/", reset(), status(503))
    press = await pressed(net, card, "tw:notmine")
    await net.discord.until(lambda: press.told == [ALREADY_BACK])


async def test_a_card_that_could_not_be_taken_back_can_be_tried_again(net: Net):
    ask(net)
    card = await net.discord.posted(net.ask)
    await arrows(net, card)
    await net.recorded(card)
    net.discord.faults.fail("PATCH", ORIGINAL, *[reset()] * 7)
    press = await pressed(net, card, "tw:notmine")
    await net.discord.until(lambda: "did not take my reply" in told(press))
    await net.recorded(card)
    await pressed(net, card, "tw:notmine")
    await net.discord.until(lambda: "Taken back" in card.text)


async def test_an_error_is_reported_once(
    net: Net, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(net.app.answering, "find", fail)
    net.discord.faults.fail("POST", CALLBACK, reset_after(), malformed())
    press = net.discord.command(net.general, net.alice, "thread", query="pin")
    await net.discord.until(lambda: "incident" in told(press))
    await quiet(net)
    assert len(press.told) == 1
    assert len([line for line in lines(caplog) if "incident" in line]) == 1


async def test_what_goes_wrong_after_the_reply_is_no_apology(
    net: Net, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    async def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(net.app.postings, "record", fail)
    press = net.discord.command(net.general, net.alice, "ask", question=PIN, share=True)
    card = await answered(net, press)
    await net.discord.until(lambda: "boom" in caplog.text)
    await quiet(net)
    assert (card.embeds != [], press.followups) == (True, [])
    ask(net)
    other = await net.discord.posted(net.ask)
    await quiet(net)
    assert net.discord.messages(net.ask) == [other]


@pytest.mark.parametrize("fault", [reset(), malformed(), status(503)], ids=name)
@pytest.mark.usefixtures("hurried")
async def test_commands_reach_discord_whatever_is_lost(app: App, fault: Fault):
    async with serving(Loopback()) as loopback:
        loopback.faults.fail("PUT", "/commands$", fault)
        async with running(loopback, ThreadBot(app, shard_count=1)):
            assert {command["name"] for command in loopback.commands} >= {"ask", "thread"}
            assert await app.guilds.tree_hash()
            assert loopback.faults.left == 0


class TestImports:
    FILE = b'{"id": "mug", "title": "Which mug?", "answers": [{"body": "The blue one."}]}\n'

    def bring(self, net: Net) -> Press:
        file = Upload("mugs.jsonl", self.FILE)
        return net.discord.command(net.general, net.alice, "library", **{"import": {"file": file}})

    @pytest.mark.parametrize("fault", LOST, ids=name)
    @pytest.mark.parametrize(
        "where", [("POST", CALLBACK), ("PATCH", ORIGINAL)], ids=["first", "then"]
    )
    async def test_its_end_is_reported_once(self, net: Net, where: tuple[str, str], fault: Fault):
        net.discord.faults.fail(*where, fault, fault)
        press = self.bring(net)
        await net.discord.until(lambda: "1 thread" in told(press) or "1 added" in told(press))
        await quiet(net)
        assert len(press.told) == 1
        assert len(net.discord.sent) == 2  # no direct message beside it

    @pytest.mark.parametrize("fault", LOST, ids=name)
    async def test_after_a_quarter_of_an_hour_it_is_reported_directly_once(
        self, net: Net, fault: Fault, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("discord.Interaction.is_expired", lambda self: True)
        net.discord.faults.fail("POST", "/messages$", fault, fault)
        self.bring(net)
        direct = net.alice + 1
        await net.discord.until(lambda: bool(net.discord.sent.get(direct)))
        await net.discord.until(lambda: net.discord.faults.left == 0)
        await asyncio.sleep(0.05)
        assert len(net.discord.messages(direct)) == 1

    @pytest.mark.parametrize("fault", LOST, ids=name)
    async def test_an_export_is_sent_whatever_is_lost(self, net: Net, fault: Fault):
        done = self.bring(net)
        await net.discord.until(lambda: bool(done.told and "importing" not in told(done).lower()))
        net.discord.faults.fail("PATCH", ORIGINAL, fault)
        press = net.discord.command(net.general, net.alice, "library", export={})
        await net.discord.until(lambda: "as `/library import` reads them" in told(press))
        assert len(press.told) == 1


async def test_leaving_during_a_command_leaves_no_traceback(
    net: Net, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot.client.LEAVE_SECONDS", LEAVE_SECONDS / 40)
    never = asyncio.Event()
    for method, path in (("PATCH", ORIGINAL), ("POST", "/messages$"), ("POST", CALLBACK)):
        net.discord.faults.always(method, path, held(never, after=False))
    net.discord.command(net.general, net.alice, "ask", question=PIN, share=True)
    net.discord.command(net.general, net.alice, "thread", query="pin")
    ask(net, UNKNOWN)
    await net.discord.until(lambda: len([1 for *_, kind in net.discord.requests if kind]) == 3)
    await asyncio.wait_for(net.bot.close(), HANG)
    never.set()
    assert [r for r in caplog.records if r.levelno >= logging.ERROR or r.exc_info] == []
