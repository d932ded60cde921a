"""Cards from before a change show the thread as it is now, and their buttons lead there."""

from __future__ import annotations

from typing import Any

from simcord import MemberActor

from cogs.voting.tally_updater import PAUSE
from tests.cogs.curating.test_answer_commands import ASKED, find, part
from tests.kit.messages import labels, last, shown, told, vote_id
from tests.kit.world import World


async def test_buttons_of_an_older_card_are_about_the_version(world: World, hal: MemberActor):
    await world.alice.send(world.ask, ASKED)
    card = last(world.ask)
    await hal.submit_modal(await part(world, hal, "Answer 2"), {"text": "Mended."})
    opened = await world.mo.click(card, label="Other answers (1)")
    assert shown(opened).embeds[0].description.startswith("Mended.")
    await world.mo.click(shown(opened), custom_id=vote_id(shown(opened), "up"))
    await world.mo.click(shown(opened), label="Accept")
    thread = await find(world, "vote")
    mended = next(answer for answer in thread.answers if answer.body == "Mended.")
    assert (mended.votes, mended.accepted) == (1, True)  # type: ignore[attr-defined]
    shared = await world.app.answering.find("vote")
    assert shared is not None
    assert sum(answer.votes for answer in shared.answers) == 0


async def redrawn(world: World, card: Any) -> Any:
    """The card as it looks once it was drawn anew."""
    await world.env.advance_time(PAUSE * 2)
    return next(message for message in world.ask.history() if message.id == card.id)


async def test_the_number_of_other_answers_follows(world: World, hal: MemberActor):
    await world.alice.send(world.ask, ASKED)
    card = last(world.ask)
    assert labels(card) == ["Other answers (1)", "Not my question"]
    await hal.submit_modal(await part(world, hal, "Answer 2"), {"text": ""})
    assert labels(await redrawn(world, card)) == ["Not my question"]


async def test_a_card_whose_answer_was_taken_out_leads_to_the_others(
    world: World, hal: MemberActor
):
    await world.alice.send(world.ask, ASKED)
    card = last(world.ask)
    sent = await hal.submit_modal(await part(world, hal, "Answer 1"), {"text": ""})
    card = await redrawn(world, card)
    assert labels(card) == ["Other answers (1)", "Not my question"]
    opened = await world.alice.click(card, label="Other answers (1)")
    assert shown(opened).embeds[0].description.startswith("Use the buttons")
    await hal.click(told(sent), label="Undo")
    assert labels(await redrawn(world, card)) == ["Other answers (1)", "Not my question"]


async def test_a_card_of_a_merged_thread_leads_to_the_one_that_it_became(
    world: World, hal: MemberActor
):
    await world.alice.send(world.ask, "How can I unpin a message?")
    card = last(world.ask)
    assert labels(card) == ["Not my question"]
    sent = await hal.slash(world.general, "answer merge", first="unpin", second="pins")
    card = await redrawn(world, card)
    assert labels(card) == ["Other answers (2)", "Not my question"]
    opened = await world.alice.click(card, label="Other answers (2)")
    assert shown(opened).embeds[0].title == "How can I pin a message in my channel?"
    await hal.click(told(sent), label="Undo")
    assert labels(await redrawn(world, card)) == ["Not my question"]


async def test_a_card_of_a_thread_that_is_gone_leads_nowhere(world: World, hal: MemberActor):
    opened = await hal.slash(world.general, "answer add")
    asked = "Where is the secret shed?"
    sent = await hal.submit_modal(opened, {"title": asked, "answer": "Behind the oak."})
    await world.alice.send(world.ask, asked)
    card = last(world.ask)
    await hal.click(told(sent), label="Undo")
    card = await redrawn(world, card)
    assert card.embeds[0].description == "This answer was taken out of the library."
    assert labels(card) == ["Not my question"]
    await world.alice.click(card, label="Not my question")
    assert last(world.ask).content.startswith("Taken back.")


async def test_a_long_answer_that_becomes_short_has_no_rest(world: World, hal: MemberActor):
    await world.alice.send(world.ask, "Where is the backup of the greenhouse plans?")
    card = last(world.ask)
    assert labels(card) == ["Read the rest", "Not my question"]
    name = told(await part(world, hal, "Answer 1", thread="backup")).attachments[0].filename
    await hal.slash(world.general, "answer edit", thread="backup", file=(name, b"In the shed."))
    assert labels(await redrawn(world, card)) == ["Not my question"]
