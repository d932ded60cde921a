"""Buttons with numbers that nothing can have: what they name is not here any more."""

from __future__ import annotations

import logging

import pytest

from bot.client import PRESSABLE
from bot.ui import (
    answer_buttons,
    backfill_cards,
    confirmations,
    curation_items,
    following_cards,
    helpers_page,
    items,
    moderator_cards,
    quiet_card,
    review_cards,
    setup_page,
)
from tests.kit.card_votes import give_button, post, posting_of, sent
from tests.kit.loopback.world import Message
from tests.kit.net import Net

HUGE = "9" * 20
FORGED = {
    items.ReadRest: [f"tw:rest:{HUGE}:{HUGE}:0:a"],
    items.OtherAnswers: [f"tw:other:{HUGE}:1:99999:q"],
    items.TurnPage: [f"tw:next:{HUGE}:0:0:q", f"tw:prev:2:{HUGE}:99999:a"],
    items.CastVote: [f"tw:up:2:{HUGE}:0:a", f"tw:down:{HUGE}:{HUGE}:0:q"],
    items.PickThread: [f"tw:pick:{HUGE}", f"tw:repick:{HUGE}"],
    items.ThisOne: [f"tw:this:{HUGE}:{HUGE}", f"tw:rethis:1:{HUGE}"],
    items.NoneOfThese: [f"tw:none:{HUGE}"],
    items.NotMine: ["tw:notmine"],
    answer_buttons.CardVote: [f"tw:vote:up:{HUGE}:{HUGE}:0:a", f"tw:vote:down:2:{HUGE}:0:a"],
    answer_buttons.Share: [f"tw:share:{HUGE}:{HUGE}:0:a"],
    answer_buttons.Accept: [f"tw:accept:{HUGE}:{HUGE}:0:a", f"tw:unaccept:2:{HUGE}:0:a"],
    confirmations.ChooseAuthor: [f"tw:author:leave_out:{HUGE}", f"tw:author:any:{HUGE}"],
    backfill_cards.StopBackfill: [f"tw:backfill:stop:{HUGE}"],
    confirmations.ConfirmForget: [f"tw:forget:{HUGE}"],
    confirmations.ConfirmReset: [f"tw:reset:{HUGE}"],
    confirmations.LeaveIt: [f"tw:leave:{HUGE}"],
    curation_items.UndoChange: [f"tw:takeback:{HUGE}"],
    curation_items.MergeInto: [f"tw:merge:{HUGE}:1"],
    curation_items.RestoreRevision: [f"tw:restore:{HUGE}"],
    curation_items.PickRevision: ["tw:revisions"],
    curation_items.PickPart: [f"tw:part:{HUGE}", f"tw:part:{HUGE}:4"],
    curation_items.TurnHistory: [f"tw:history:{HUGE}:99999"],
    helpers_page.NotifyHelpers: ["tw:helpers:notify:on", "tw:helpers:notify:off"],
    helpers_page.SetHelpers: ["tw:helpers:roles"],
    following_cards.TellInGuidelines: [f"tw:guidelines:{HUGE}"],
    following_cards.NotTheSolution: ["tw:unsolved"],
    following_cards.Reopen: ["tw:reopen"],
    quiet_card.PickQuietly: [f"tw:quiet:{HUGE}:{HUGE}"],
    review_cards.ReviewPosts: ["tw:review"],
    review_cards.TakeProposed: [f"tw:review:take:{HUGE}:{HUGE}"],
    review_cards.SkipProposed: [f"tw:review:skip:{HUGE}"],
    review_cards.ChooseAnother: [f"tw:review:choose:{HUGE}"],
    moderator_cards.RemoveThese: [f"tw:remove:t:{HUGE}:1", f"tw:remove:s:{HUGE}:999999999"],
    moderator_cards.KeepThem: ["tw:keep"],
    moderator_cards.BringBack: [f"tw:undo:{'9' * 18}"],
    moderator_cards.JudgePhrasing: [
        f"tw:phrasing:keep:{HUGE}:{HUGE}",
        f"tw:phrasing:back:{HUGE}:0",
    ],
}


@pytest.fixture
async def card(net: Net) -> Message:
    return await post(net)


def test_every_item_is_tried() -> None:
    modules = [module for module in PRESSABLE if module is not setup_page]
    assert set(FORGED) == {item for module in modules for item in module.ALL}


@pytest.mark.parametrize("custom_id", [each for ids in FORGED.values() for each in ids])
async def test_a_number_of_twenty_digits_is_of_nothing(
    net: Net, card: Message, custom_id: str, caplog: pytest.LogCaptureFixture
):
    values: tuple[str, ...] = ()
    if "pick" in custom_id or custom_id.startswith(("tw:revisions", "tw:part")):
        values = (HUGE,)
        option = {"label": "x", "value": HUGE}
        menu = {"type": 3, "custom_id": custom_id, "options": [option]}
        card.components = [{"type": 1, "components": [menu]}]
    else:
        give_button(card, custom_id)
    before = card.text
    press = net.discord.press(card, net.bob, custom_id, values)
    await net.discord.until(lambda: bool(press.callbacks))

    def answered() -> bool:
        edited = [c for c in press.callbacks if c["type"] in (4, 7)]
        return bool(press.told or edited or card.text != before)

    await net.discord.until(answered)
    said = " ".join(press.told)
    assert "went wrong" not in said
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_a_thread_that_a_menu_does_not_offer_is_not_shown(net: Net, card: Message):
    posting = await posting_of(net, card)
    custom_id = f"tw:pick:{net.alice}"
    option = {"label": "x", "value": str(posting.thread_id + 1)}
    menu = {"type": 3, "custom_id": custom_id, "options": [option]}
    card.components = [{"type": 1, "components": [menu]}]
    press = net.discord.press(card, net.bob, custom_id, (str(posting.thread_id),))
    await net.discord.until(lambda: bool(press.callbacks))
    await sent(net)
    assert [callback["type"] for callback in press.callbacks] == [6]  # acknowledged, and no more
    assert press.told == []


def test_ids_end_where_databases_end() -> None:
    assert items.row_id("12") == 12
    assert items.row_id(HUGE) == items.row_id("9" * 100) == 2**63 - 1


@pytest.mark.parametrize("kind", ["forget", "leave", "author:leave_out"])
async def test_nobody_decides_anything_under_what_all_see(net: Net, card: Message, kind: str):
    custom_id = f"tw:{kind}:{net.bob}"
    give_button(card, custom_id)
    press = net.discord.press(card, net.bob, custom_id)
    await net.discord.until(lambda: bool(press.told))
    assert press.told == ["Only the person who asked for this can decide it."]
    assert [callback["type"] for callback in press.callbacks] == [4]
    assert await posting_of(net, card) is not None
