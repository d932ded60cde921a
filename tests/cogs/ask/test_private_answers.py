"""/ask: its reply is the asker's alone, with buttons to vote and to share it."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from bot.ui.answer_buttons import Share
from bot.ui.items import Place
from tests.kit.messages import items, labels, last, offered, shown, size, told
from tests.kit.simcord import overwrite, set_locale
from tests.kit.world import World

VOTE = "how do I vote on an answer?"
PIN = "How can I pin a message in my channel?"
UNPIN = "How can I unpin a message?"
ON_CARD = ["Other answers (1)", "Not my question", "Share", "▲ Helpful", "▼ Not helpful"]


@pytest.fixture
async def private(world: World) -> Any:
    """Alice asked by command, and alone sees the answer."""
    result = await world.alice.slash(world.general, "ask", question=PIN)
    assert shown(result).ephemeral
    return shown(result)


async def test_the_reply_is_private_and_is_voted_on_by_buttons(world: World):
    private = shown(await world.bob.slash(world.general, "ask", question=PIN))
    assert private.ephemeral
    assert private.embeds[0].title == PIN
    assert labels(private) == ON_CARD
    assert private.message.reactions == []
    assert size(world.general) == 0
    await world.restart()
    await world.bob.click(private, label="▼ Not helpful")
    assert private.content == f"-# asked: {PIN}\nYou voted against it. The answer stands at -1."
    assert private.embeds[0].title == PIN
    assert private.embeds[0].footer.text == "▼ 1 · 1 other answer"
    assert labels(private) == ON_CARD
    assert await world.tallies("pins") == [-1, 0]
    await world.bob.click(private, label="▼ Not helpful")
    assert "Your vote is taken back." in private.content
    assert await world.tallies("pins") == [0, 0]


async def test_a_vote_on_ones_own_answer_is_refused(world: World, private: Any):
    await world.wrote(world.alice, "pins")
    refused = await world.alice.click(private, label="▲ Helpful")
    assert told(refused).content == "You can't vote on your own answer."
    assert await world.tallies("pins") == [0, 0]


async def test_nothing_found_and_suggestions_are_private_too(world: World):
    nothing = await world.alice.slash(world.general, "ask", question="boiled eggs, anyone?")
    await world.app.guilds.update(world.guild.id, answer_threshold=1.0, suggest_threshold=0.0)
    offer = shown(await world.alice.slash(world.general, "ask", question=PIN))
    assert shown(nothing).ephemeral
    assert offer.ephemeral
    await world.alice.select(offer, [offered(offer)[UNPIN]])
    assert offer.embeds[0].title == UNPIN
    assert "Share" in labels(offer)
    assert size(world.general) == 0


async def test_not_my_question_stays_private(world: World, private: Any):
    await world.app.guilds.update(world.guild.id, suggest_threshold=0.0)
    again = shown(await world.alice.slash(world.general, "ask", question=PIN))
    await world.alice.click(again, label="Not my question")
    assert "Taken back." in again.content
    await world.alice.select(again, [offered(again)[UNPIN]])
    assert again.embeds[0].title == UNPIN
    assert again.ephemeral
    assert size(world.general) == 0


async def test_a_private_answer_is_given_again_and_hinders_no_public_one(
    world: World, private: Any
):
    again = await world.alice.slash(world.general, "ask", question=PIN)
    assert shown(again).embeds[0].title == PIN
    await world.bob.send(world.general, f"{world.me} {PIN}")
    assert await world.key_of(last(world.general)) == "pins"
    third = await world.alice.slash(world.general, "ask", question=PIN)
    assert shown(third).embeds[0].title == PIN


async def test_nobody_looks_for_private_answers_after_a_restart(world: World, private: Any):
    world.env.http_requests.clear()
    await world.restart()
    assert not [r for r in world.env.http_requests if str(private.id) in r.path]
    posting = await world.app.postings.get(private.id)
    assert posting is not None
    assert posting.is_private


async def test_a_share_is_for_everybody(world: World, private: Any):
    await world.restart()
    await world.alice.click(private, label="Share")
    public = last(world.general)
    assert public.embeds[0].title == PIN
    assert public.content == f"-# asked: {PIN} · shared by {world.alice.mention}"
    assert [str(r.emoji) for r in public.reactions] == ["⬆️", "⬇️"]
    assert labels(public) == ON_CARD[:2]
    posting = await world.app.postings.get(public.id)
    assert posting is not None
    assert (posting.asker_id, posting.channel_id) == (world.alice.id, world.general.id)
    assert private.content == f"Shared: {public.jump_url}"
    assert private.embeds == []
    assert labels(private) == []
    assert await world.app.postings.get(private.id) is None
    sent = next(r for r in reversed(world.env.http_requests) if r.path.endswith("/messages"))
    assert (sent.json or {})["allowed_mentions"]["parse"] == []


async def test_a_share_where_the_bot_may_only_reply(world: World, private: Any):
    closed = discord.PermissionOverwrite(send_messages=False)
    await overwrite(world.env, world.general, world.guild.roles["TestBot"], closed)
    await world.alice.click(private, label="Share")
    public = last(world.general)
    assert public.embeds[0].title == PIN
    assert await world.key_of(public) == "pins"
    assert private.content == f"Shared: {public.jump_url}"


async def test_a_share_pressed_twice_is_one(world: World, private: Any):
    stored = world.env.backend.get_message(world.general.id, private.id)
    buttons = list(stored.components)
    await world.alice.click(private, label="Share")
    stored.components = buttons  # alice's telephone still shows them
    again = await world.alice.click(private, label="Share")
    assert again.acknowledged
    assert size(world.general) == 1


async def test_a_share_that_was_refused_can_be_pressed_again(world: World, private: Any):
    path = f"/channels/{world.general.id}/messages"
    world.env.inject_error("POST", path, status=403, code=50013)
    refused = await world.alice.click(private, label="Share")
    assert "not allowed" in told(refused).content
    world.env.errors.clear()
    await world.alice.click(private, label="Share")
    assert last(world.general).embeds[0].title == PIN


async def test_a_share_button_on_what_all_see_shares_nothing(world: World):
    """As if it had been forged."""
    await world.alice.send(world.general, f"{world.me} {PIN}")
    card = last(world.general)
    posting = await world.app.postings.get(card.id)
    assert posting is not None
    stored = world.env.backend.get_message(world.general.id, card.id)
    button = Share(Place(posting.thread_id, posting.answer_id)).item.to_component_dict()
    stored.components = [{"type": 1, "components": [button]}]
    before = size(world.general)
    refused = await world.bob.click(last(world.general), label="Share")
    assert told(refused).content == "Everybody here can see this already."
    assert size(world.general) == before


async def test_a_thread_that_is_gone_is_not_shared(world: World, private: Any):
    custom_id = next(i["custom_id"] for i in items(private) if i.get("label") == "Share")
    stored = world.env.backend.get_message(world.general.id, private.id)
    for row in stored.components:
        for item in row["components"]:
            if item["custom_id"] == custom_id:
                item["custom_id"] = "tw:share:999:999:0:a"
    result = await world.alice.click(private, custom_id="tw:share:999:999:0:a")
    assert told(result).content == "That thread is not in the library any more."
    assert size(world.general) == 0


async def test_who_votes_for_the_answer_to_their_question_teaches(world: World):
    words = "pin a mesage in the chanel of the club, how?"
    answer = shown(await world.bob.slash(world.general, "ask", question=words))
    await world.bob.click(answer, label="▲ Helpful")
    found = await world.app.learning.phrasings(world.guild.id)
    assert [(phrasing.key, phrasing.text) for phrasing in found] == [("pins", words)]


async def test_how_sure_it_is_reads_who_manages_the_server_alone(world: World):
    async def said(member: Any, **more: Any) -> str:
        result = await member.slash(world.general, "ask", question=VOTE, **more)
        return f"{shown(result).content} {[e.footer.text for e in shown(result).embeds]}"

    assert "% sure" in (await said(world.mo)).replace("\u202f", " ")
    assert "sure" not in await said(world.alice)
    assert "sure" not in await said(world.mo, share=True)
    await world.app.guilds.update(world.guild.id, answer_threshold=1.0)
    assert "% sure" in await said(world.mo)
    assert "sure" not in await said(world.alice)
    await world.mo.send(world.general, f"{world.me} {VOTE}")
    assert "sure" not in last(world.general).content


@pytest.mark.parametrize("locale", ["en-US", "fr", "ja"])
async def test_how_sure_it_was_stays_when_the_reader_votes(world: World, locale: str):
    set_locale(world.env, world.mo, locale)
    card = shown(await world.mo.slash(world.general, "ask", question=VOTE))
    sure = card.embeds[0].footer.text.split(" · ")[-1]
    assert "%" in sure
    up = next(str(label) for label in labels(card) if str(label).startswith("▲"))
    await world.mo.click(card, label=up)
    assert "▲ 3" in card.embeds[0].footer.text
    assert card.embeds[0].footer.text.split(" · ")[-1] == sure


async def test_in_a_direct_message_there_are_reactions(world: World):
    result = await world.alice.user.slash("ask", question=VOTE)
    assert not shown(result).ephemeral
    assert len(shown(result).message.reactions) == 2
