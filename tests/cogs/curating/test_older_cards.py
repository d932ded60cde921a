"""Cards from before a server had its own version of a shared thread work on that version."""

from __future__ import annotations

from simcord import MemberActor

from tests.cogs.curating.test_answer_commands import ASKED, find, part
from tests.kit.messages import last, shown, vote_id
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
