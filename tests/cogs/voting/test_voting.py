"""Reactions become votes: once a member, only where they belong, also those unheard."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from bot.models import Vote
from cogs.voting import reconciler
from tests.kit.messages import confirm, labels, last, shown, told, vote_id
from tests.kit.simcord import clear_reactions, delete_channel, join_guild, muted, offline
from tests.kit.votes import press_button
from tests.kit.world import World

PIN = "how can i pin a message in my channel?"


@pytest.fixture
async def card(world: World) -> Any:
    """A card that shows alice's answer, which stands at 0; the other stands at 0 too."""
    await world.bob.send(world.ask, PIN)
    return last(world.ask)


async def test_vote_changes_which_answer_the_next_asker_gets(world: World, card: Any):
    assert card.embeds[0].description.startswith("Open its menu and choose *Pin*.")
    await world.bob.react(card, "⬇️")
    assert await world.tallies("pins") == [-1, 0]
    await world.mo.send(world.general, f"{world.me} {PIN}")
    assert last(world.general).embeds[0].description == "Ask a moderator."
    await world.bob.unreact(card, "⬇️")
    assert await world.tallies("pins") == [0, 0]


async def test_last_reaction_wins_and_taking_it_back_leaves_the_other(world: World, card: Any):
    await world.bob.react(card, "⬆️")
    await world.bob.react(card, "⬇️")
    assert await world.tallies("pins") == [-1, 0]
    await world.bob.unreact(card, "⬇️")
    assert await world.tallies("pins") == [1, 0]


async def test_one_vote_however_many_messages_show_the_answer(world: World, card: Any):
    await world.mo.send(world.general, f"{world.me} {PIN}")
    again = last(world.general)
    await world.bob.react(card, "⬆️")
    await world.bob.react(again, "⬆️")
    assert await world.tallies("pins") == [1, 0]
    await world.mo.react(again, "⬆️")
    assert await world.tallies("pins") == [2, 0]


async def test_bots_and_the_author_do_not_count(world: World, card: Any):
    await world.wrote(world.alice, "pins")
    robot = world.guild.add_member(world.env.create_user("robot", bot=True))
    await robot.react(card, "⬆️")
    await world.alice.react(card, "⬆️")
    await world.bob.react(card, "🎉")
    assert await world.tallies("pins") == [0, 0]


async def test_reactions_elsewhere_mean_nothing(world: World):
    message = await world.alice.send(world.general, "hello")
    await world.bob.react(message, "⬆️")
    await clear_reactions(world.env, message)
    assert (await world.app.library.count()).votes == 0


async def test_clearing_takes_votes_away(world: World, card: Any):
    await world.bob.react(card, "⬆️")
    await world.mo.react(card, "⬇️")
    await clear_reactions(world.env, card, "⬇️")
    assert await world.tallies("pins") == [1, 0]
    await clear_reactions(world.env, card, "🎉")
    assert await world.tallies("pins") == [1, 0]
    await clear_reactions(world.env, card)
    assert await world.tallies("pins") == [0, 0]


async def test_votes_survive_their_message(world: World, card: Any):
    await world.bob.react(card, "⬆️")
    await card.delete()
    await world.env.settle()
    assert await world.app.postings.get(card.id) is None
    assert await world.tallies("pins") == [1, 0]


async def test_messages_deleted_in_bulk_are_forgotten(world: World, card: Any):
    other = await world.alice.send(world.ask, "hello")
    world.env.backend.bulk_delete_messages(world.ask.id, [card.id, other.id])
    await world.env.settle()
    assert await world.app.postings.get(card.id) is None


async def test_guilds_votes_stay_their_own(world: World, card: Any):
    other = await join_guild(world.env, channels=("ask",))
    carl = other.add_member(world.env.create_user("carl"))
    await carl.send(other.channels["ask"], PIN)
    await carl.react(last(other.channels["ask"]), "⬇️")
    assert await world.tallies("pins") == [0, 0]
    assert await world.tallies("pins", other.id) == [-1, 0]
    await world.mo.send(world.general, f"{world.me} {PIN}")
    assert (
        last(world.general).embeds[0].description.split("\n")[0]
        == "Open its menu and choose *Pin*."
    )


async def test_votes_in_a_direct_message_stay_there(world: World):
    await world.bob.send_dm(PIN)
    shown = last(world.bob.user.dm_channel)
    await world.bob.user.set_reaction(shown, "⬇️", reacted=True)
    assert await world.tallies("pins") == [0, 0]
    thread = await world.app.answering.find("pins")
    assert thread is not None
    assert sorted(a.tally for a in thread.answers) == [-1, 0]


async def test_ones_own_answer_is_told_by_id_in_direct_messages_too(world: World):
    """Bob is called like the author of an answer that came from elsewhere."""
    await world.wrote(world.alice, "pins")
    for member in (world.alice, world.bob):
        await member.send_dm(PIN)
        await member.user.set_reaction(last(member.user.dm_channel), "⬆️", reacted=True)
    assert await shared_tallies(world, "pins") == [1, 0]
    opened = await world.bob.slash(world.general, "thread", query="vote")
    for _ in range(2):
        await world.bob.click(shown(opened), label="Next")
    assert "bob" in str(shown(opened).embeds[0].to_dict())
    await world.bob.click(shown(opened), custom_id=vote_id(shown(opened), "up"))
    assert await world.tallies("vote") == [2, 2]


async def shared_tallies(world: World, key: str) -> list[int]:
    """The tallies of a thread's answers in direct messages, in source order."""
    thread = await world.app.answering.find(key)
    assert thread is not None
    return [a.tally for a in sorted(thread.answers, key=lambda a: a.id)]


async def test_old_postings_count_after_a_restart(world: World, card: Any):
    await world.restart()
    await world.bob.react(card, "⬆️")
    assert await world.tallies("pins") == [1, 0]


async def test_reactions_while_the_bot_was_away(world: World, card: Any):
    await world.wrote(world.alice, "pins")
    robot = world.guild.add_member(world.env.create_user("robot", bot=True))
    await world.mo.react(card, "⬆️")
    with muted(world.env):
        await world.bob.react(card, "⬇️")
        await robot.react(card, "⬇️")
        await world.alice.react(card, "⬇️")  # her own answer
        await world.mo.unreact(card, "⬆️")
    await world.restart()
    assert await world.tallies("pins") == [-1, 0]


async def test_reactions_while_the_gateway_was_gone(world: World, card: Any):
    async with offline(world.env):
        await world.bob.react(card, "⬇️")
    assert await world.tallies("pins") == [-1, 0]


async def test_button_votes_survive_reconciling(world: World, card: Any):
    thread = await world.app.answering.find("pins", guild_id=world.guild.id)
    assert thread is not None
    for answer in thread.answers:
        await press_button(
            world.app.voting,
            answer_id=answer.id,
            guild_id=world.guild.id,
            user_id=world.mo.id,
            value=Vote.UP,
        )
    await world.restart()
    assert await world.tallies("pins") == [1, 1]


async def test_votes_with_former_emoji_survive_reconciling(world: World, card: Any):
    await world.bob.react(card, "⬆️")
    await world.app.guilds.update(world.guild.id, up_emoji="✅", down_emoji="❌")
    await world.restart()
    assert await world.tallies("pins") == [1, 0]


async def test_cleared_while_away(world: World, card: Any):
    await world.bob.react(card, "⬆️")
    with muted(world.env):
        world.env.backend.clear_reactions(world.ask.id, card.id)
    await world.restart()
    assert await world.tallies("pins") == [0, 0]


async def test_reconciling_copes_with_what_is_gone(world: World, card: Any):
    await world.bob.send(world.ask, "how can I unpin a message?")
    deleted = last(world.ask)
    for question in (PIN, "how can I unpin a message?"):
        await world.bob.send(world.general, f"{world.me} {question}")
    in_general = [m for m in world.general.history() if m.embeds]
    with muted(world.env):
        world.env.backend.delete_message(world.ask.id, deleted.id)
        await delete_channel(world.env, world.general)
        await world.bob.react(card, "⬆️")
    await world.restart()
    assert await world.tallies("pins") == [1, 0]
    for message in (deleted, *in_general):
        assert await world.app.postings.get(message.id) is None
    fetched = [r for r in world.env.http_requests if f"/{world.general.id}/messages/" in r.path]
    assert sum(1 for r in fetched if r.method == "GET") == 1  # the channel is asked for once


async def test_reconciling_is_bounded_and_newest_first(
    world: World, card: Any, monkeypatch: pytest.MonkeyPatch
):
    await world.bob.send(world.ask, "how can I unpin a message?")
    newest = last(world.ask)
    limited = world.app.settings.model_copy(update={"reconcile_messages": 1})
    monkeypatch.setattr(world.app, "settings", limited)
    before = len(world.env.http_requests)
    await world.restart()
    looked = [r.path for r in world.env.http_requests[before:] if "/messages/" in r.path]
    assert any(str(newest.id) in path for path in looked)
    assert not any(str(card.id) in path for path in looked)


async def test_reconciling_goes_on_after_an_error(
    world: World, card: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reconciler, "BACK_OFF", 0.01)
    await world.bob.send(world.ask, "how can I unpin a message?")
    with muted(world.env):
        await world.bob.react(card, "⬆️")
    world.env.inject_error("GET", f"/channels/*/messages/{last(world.ask).id}", status=500)
    await world.restart()
    assert await world.tallies("pins") == [1, 0]
    assert "can't be looked at" in caplog.text


async def test_reconciling_where_the_history_is_closed(
    world: World, card: Any, caplog: pytest.LogCaptureFixture
):
    closed = discord.PermissionOverwrite(read_message_history=False)
    role = world.guild.roles["TestBot"]
    room = world.guild.create_text_channel("ask-me", overwrites={role: closed})
    await world.bob.send(room, f"{world.me} {PIN}")
    shown = last(room)
    assert shown.reactions == []
    await world.restart()
    await world.restart()
    assert await world.key_of(shown) == "pins"
    assert "read_message_history" in caplog.text


async def test_forget_me(world: World, card: Any):
    await world.bob.react(card, "⬆️")
    asked = await world.bob.slash(world.general, "forget-me")
    assert shown(asked).ephemeral
    assert labels(shown(asked))[0] == "Delete it"
    assert labels(shown(asked))[-1] == "Cancel"
    assert await world.tallies("pins") == [1, 0]
    await world.restart()
    await world.bob.click(shown(asked), label="Cancel")
    assert shown(asked).content == "All stays as it is."
    assert await world.tallies("pins") == [1, 0]
    left = await confirm(world.bob, world.general, "forget-me", "Delete it")
    assert "1 vote and 0 phrasings of yours deleted" in left.content
    assert labels(left) == []
    assert await world.tallies("pins") == [0, 0]
    posting = await world.app.postings.get(card.id)
    assert posting is not None
    assert posting.asker_id == 0


async def test_nobody_confirms_what_another_asked_for(world: World, card: Any):
    """As if their private message had been seen by others."""
    await world.bob.react(card, "⬆️")
    asked = await world.bob.slash(world.general, "forget-me")
    stored = world.env.backend.get_message(world.ask.id, card.id)
    stored.components = shown(asked).components
    for label in ("Delete it", "Cancel"):
        refused = await world.alice.click(last(world.ask), label=label)
        assert told(refused).ephemeral
        assert told(refused).content == "Only the person who asked for this can decide it."
    assert await world.tallies("pins") == [1, 0]


async def test_guilds_own_emoji(world: World):
    good = world.guild.create_emoji("good")
    spelt = f"<:good:{good.id}>"
    await world.env.settle()
    await world.app.guilds.update(world.guild.id, up_emoji=spelt, down_emoji="👎")
    await world.bob.send(world.ask, PIN)
    card = last(world.ask)
    assert [str(r.emoji) for r in card.reactions] == [spelt, "👎"]
    await world.bob.react(card, f"good:{good.id}")
    await world.mo.react(card, "⬆️")
    assert await world.tallies("pins") == [1, 0]


@pytest.mark.simcord(shard_count=2)
async def test_shard_that_comes_back_looks_at_its_own_postings(world: World):
    cards = []
    for shard_id in (0, 1):
        guild = world.env.create_guild(f"on shard {shard_id}", shard_id=shard_id)
        channel = guild.create_text_channel("ask")
        member = guild.add_member(world.env.create_user(f"member{shard_id}"))
        await member.send(channel, PIN)
        cards.append((guild, member, last(channel)))
    before = len(world.env.http_requests)
    async with offline(world.env, 1):
        for _, member, card in cards:
            await member.react(card, "⬇️")
    for guild, _, _ in cards:
        assert await world.tallies("pins", guild.id) == [-1, 0]
    asked = [r.path for r in world.env.http_requests[before:] if r.method == "GET"]
    looked = {path.split("/")[4] for path in asked if "/reactions/" in path}
    assert looked == {str(cards[1][2].id)}


async def test_reconciling_where_discord_refuses(
    world: World, card: Any, caplog: pytest.LogCaptureFixture
):
    await world.bob.send(world.ask, "how can I unpin a message?")
    world.env.inject_error("GET", "/channels/*/messages/*", status=403, code=50001, times=None)
    before = len(world.env.http_requests)
    await world.restart()
    looked = [r for r in world.env.http_requests[before:] if "/messages/" in r.path]
    assert len(looked) == 1  # a channel that refuses once is left alone
    assert await world.key_of(card) == "pins"
    assert "read_message_history" in caplog.text
