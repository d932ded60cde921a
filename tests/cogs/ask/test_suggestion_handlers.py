""" "Did you mean", *None of these* and *Not my question*."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord
import pytest

from cogs.ask.suggestion_handlers import ALREADY_BACK
from tests.kit.messages import items, labels, last, offered, shown, size, told
from tests.kit.simcord import overwrite
from tests.kit.world import World

PIN = "How can I pin a message in my channel?"
UNPIN = "How can I unpin a message?"
COMPOST = "Which compost heap is the warmest one?"


@pytest.fixture
async def unsure(world: World) -> Any:
    """Alice asked something the bot is not sure about, and it suggests threads."""
    await world.app.guilds.update(world.guild.id, answer_threshold=1.0, suggest_threshold=0.0)
    await world.alice.send(world.ask, f"{world.me} {PIN}")
    return last(world.ask)


@pytest.fixture
async def card(world: World) -> Any:
    """Alice asked something the bot was sure about, with another likely thread."""
    await world.app.guilds.update(world.guild.id, suggest_threshold=0.0)
    await world.alice.send(world.ask, PIN)
    shown = last(world.ask)
    assert await world.key_of(shown) == "pins"
    return shown


async def test_suggestions_name_the_threads(world: World, unsure: Any):
    assert unsure.content == "Did you mean one of these?"
    assert next(iter(offered(unsure))) == PIN
    assert UNPIN in offered(unsure)
    assert labels(unsure)[-1] == "None of these"
    assert await world.key_of(unsure) is None
    assert unsure.reactions == []


async def test_choosing_shows_the_answer_in_place(world: World, unsure: Any):
    before = size(world.ask)
    await world.alice.select(unsure, [offered(unsure)[UNPIN]])
    shown = last(world.ask)
    assert (shown.id, size(world.ask)) == (unsure.id, before)
    assert shown.embeds[0].title == UNPIN
    assert shown.content == ""
    assert await world.key_of(shown) == "unpin"
    assert len(shown.reactions) == 2
    posting = await world.app.postings.get(shown.id)
    assert posting is not None
    assert posting.asker_id == world.alice.id
    assert posting.alternatives
    assert posting.thread_id not in posting.alternatives


async def test_one_thread_alone_is_offered_by_a_button(world: World):
    await world.app.guilds.update(world.guild.id, answer_threshold=1.0)
    await world.alice.send(world.ask, f"{world.me} how do I vote on an answer?")
    offer = last(world.ask)
    assert offer.content == "Did you mean **How do I vote on an answer?**"
    assert labels(offer) == ["Yes, that one", "No, not that one"]
    await world.restart()
    private = await world.bob.click(offer, label="Yes, that one")
    assert shown(private).ephemeral
    refused = await world.bob.click(offer, label="No, not that one")
    assert "Only the person who asked" in told(refused).content
    assert await world.key_of(last(world.ask)) is None
    await world.alice.click(offer, label="Yes, that one")
    assert last(world.ask).id == offer.id
    assert await world.key_of(last(world.ask)) == "vote"
    assert len(last(world.ask).reactions) == 2


@pytest.mark.parametrize("way", ["pick", "repick"])
async def test_a_menu_of_one_thread_posted_by_an_older_version_works(
    world: World, unsure: Any, way: str
):
    stored = world.env.backend.get_message(world.ask.id, unsure.id)
    option = {"label": UNPIN, "value": offered(unsure)[UNPIN]}
    custom_id = f"tw:{way}:{world.alice.id}"
    menu = {"type": 3, "custom_id": custom_id, "options": [option], "placeholder": "Choose…"}
    stored.components = [{"type": 1, "components": [menu]}]
    await world.alice.select(last(world.ask), [option["value"]])
    assert await world.key_of(last(world.ask)) == "unpin"


async def test_others_see_what_they_choose_privately(world: World, unsure: Any):
    result = await world.bob.select(unsure, [offered(unsure)[UNPIN]])
    assert shown(result).ephemeral
    assert shown(result).embeds[0].title == UNPIN
    assert last(world.ask).content == unsure.content
    assert await world.key_of(unsure) is None


async def test_menu_lives_through_a_restart(world: World, unsure: Any):
    await world.restart()
    await world.alice.select(unsure, [offered(unsure)[PIN]])
    assert await world.key_of(last(world.ask)) == "pins"


async def test_choosing_a_thread_that_is_gone_or_unanswered(world: World):
    await world.app.guilds.update(world.guild.id, answer_threshold=1.0)
    await world.alice.send(world.ask, f"{world.me} {COMPOST}")
    message = last(world.ask)
    assert message.content == f"Did you mean **{COMPOST}**"
    result = await world.alice.click(message, label="Yes, that one")
    assert result.followups[0].content == "Nobody has answered that one yet."
    result = await world.bob.click(message, label="Yes, that one")
    assert shown(result).embeds[0].description == "Nobody knows."


async def test_an_unanswered_thread_is_suggested_not_answered(world: World):
    await world.alice.send(world.ask, f"{world.me} {COMPOST}")
    assert "Did you mean" in last(world.ask).content


async def test_none_of_these(world: World, unsure: Any):
    refused = await world.bob.click(unsure, label="None of these")
    assert shown(refused).ephemeral
    assert "Only the person who asked" in shown(refused).content
    await world.alice.click(unsure, label="None of these")
    assert last(world.ask).content.startswith("Taken back.")
    assert last(world.ask).components == []


async def test_not_my_question_by_the_asker(world: World, card: Any):
    await world.bob.react(card, "⬆️")
    await world.alice.click(card, label="Not my question")
    shown = last(world.ask)
    assert shown.id == card.id
    assert shown.embeds == []
    assert UNPIN in offered(shown)
    assert PIN not in offered(shown)
    assert shown.reactions == []
    assert await world.key_of(shown) is None
    assert await world.tallies("pins") == [1, 0]


async def test_choosing_after_not_my_question_is_a_new_message(world: World, card: Any):
    await world.alice.click(card, label="Not my question")
    suggestion = last(world.ask)
    await world.alice.select(suggestion, [offered(suggestion)[UNPIN]])
    shown = last(world.ask)
    assert shown.id != card.id
    assert all(m.id != card.id for m in world.ask.history())
    assert shown.embeds[0].title == UNPIN
    assert await world.key_of(shown) == "unpin"
    assert len(shown.reactions) == 2
    question = next(m for m in world.ask.history() if m.content == PIN)
    assert shown.reference is not None
    assert shown.reference.message_id == question.id
    sent = next(r for r in reversed(world.env.http_requests) if r.path.endswith("/messages"))
    assert (sent.json or {})["message_reference"]["fail_if_not_exists"] is False
    assert (sent.json or {})["allowed_mentions"] == {"parse": [], "replied_user": False}


async def test_choosing_where_replies_are_not_allowed_any_more(world: World, card: Any):
    await world.alice.click(card, label="Not my question")
    suggestion = last(world.ask)
    closed = discord.PermissionOverwrite(read_message_history=False)
    await overwrite(world.env, world.ask, world.guild.roles["TestBot"], closed)
    await world.alice.select(suggestion, [offered(suggestion)[UNPIN]])
    assert await world.key_of(last(world.ask)) == "unpin"


async def test_choosing_for_a_question_that_is_gone(world: World, card: Any):
    question = next(m for m in world.ask.history() if m.content == PIN)
    await world.bob.react(card, "⬆️")  # or the card would go with the question
    await world.alice.delete(question)
    await world.alice.click(card, label="Not my question")
    await world.alice.select(last(world.ask), [offered(last(world.ask))[UNPIN]])
    assert await world.key_of(last(world.ask)) == "unpin"


async def test_not_my_question_by_others(world: World, card: Any):
    refused = await world.bob.click(card, label="Not my question")
    assert refused.followups[0].ephemeral
    assert "Only the person who asked" in refused.followups[0].content
    assert await world.key_of(card) == "pins"
    await world.mo.click(card, label="Not my question")
    assert await world.key_of(card) is None


async def test_not_my_question_without_other_suggestions(world: World):
    await world.alice.send(world.ask, "how do I vote on an answer?")
    posting = await world.app.postings.get(last(world.ask).id)
    assert posting is not None
    await world.app.postings.record(replace(posting, alternatives=()))
    await world.alice.click(last(world.ask), label="Not my question")
    assert last(world.ask).content.startswith("Taken back.")
    assert last(world.ask).embeds == []
    assert last(world.ask).components == []


async def test_not_my_question_after_a_restart_and_without_its_question(world: World):
    question = await world.alice.send(world.ask, PIN)
    card = last(world.ask)
    await world.bob.react(card, "⬆️")
    await world.alice.delete(question)
    await world.restart()
    await world.alice.click(card, label="Not my question")
    assert "Taken back" in last(world.ask).content


async def test_button_whose_posting_is_gone(world: World, card: Any):
    await world.app.postings.forget([card.id])
    result = await world.alice.click(card, label="Not my question")
    assert result.followups[0].content == ALREADY_BACK
    assert result.followups[0].ephemeral


async def press_at_once(world: World, card: Any, *members) -> None:
    """Several members press *Not my question* before the bot hears of any of them."""
    from simcord import interactions
    from simcord.backend import serializers

    button = next(i for i in items(card) if i.get("label") == "Not my question")
    backend = world.env.backend
    stored = backend.get_message(card.channel.id, card.id)
    for member in members:
        record, payload = interactions.base_payload(
            backend,
            type=3,
            channel_id=card.channel.id,
            guild_id=world.guild.id,
            user_id=member.id,
            data={"custom_id": button["custom_id"], "component_type": 2},
        )
        payload["message"] = dict(serializers.message_payload(backend, stored))
        record.source_message_id = card.id
        backend.emit("INTERACTION_CREATE", payload)
    await world.env.settle()


async def test_two_members_press_at_once(world: World, card: Any):
    await press_at_once(world, card, world.alice, world.mo)
    assert await world.key_of(card) is None
    stored = world.env.backend.messages[world.ask.id].values()
    told = [m.content for m in stored if m.flags & 64]
    assert told == [ALREADY_BACK]
    assert not world.env.errors


async def test_reactions_stay_out_of_reach_without_manage_messages(world: World):
    quiet = world.guild.create_text_channel(
        "ask-quiet",
        overwrites={
            world.guild.roles["TestBot"]: discord.PermissionOverwrite(manage_messages=False)
        },
    )
    await world.alice.send(quiet, f"{world.me} {PIN}")
    card = last(quiet)
    await world.bob.react(card, "⬆️")
    await world.alice.click(card, label="Not my question")
    assert [r.count for r in last(quiet).reactions] == [1]
    assert await world.key_of(card) is None


async def test_thread_that_left_the_library(
    world: World, unsure: Any, monkeypatch: pytest.MonkeyPatch
):
    async def gone(*args: object, **kwargs: object) -> None:
        return None

    monkeypatch.setattr(world.app.answering, "serve", gone)
    for member in (world.bob, world.alice):
        result = await member.select(unsure, [offered(unsure)[UNPIN]])
        assert told(result).content == "That thread is not in the library any more."
        assert told(result).ephemeral
    assert last(world.ask).content == unsure.content


async def test_choice_made_twice(world: World, unsure: Any):
    value = offered(unsure)[UNPIN]
    stored = world.env.backend.get_message(world.ask.id, unsure.id)
    menu = list(stored.components)
    await world.alice.select(unsure, [value])
    stored.components = menu  # alice's second window still shows the menu
    again = await world.alice.select(unsure, [offered(unsure)[PIN]])
    assert again.acknowledged
    assert await world.key_of(last(world.ask)) == "unpin"
