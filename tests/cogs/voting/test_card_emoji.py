"""Emoji of a card: those that it was posted with, whatever the server votes with today."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from bot.models import VoteEmoji
from bot.store.tables import postings
from bot.ui.emoji import used_on
from tests.kit.card_votes import DOWN, UP, counted, looked_at, post, posting_of, sent, until_counted
from tests.kit.loopback import status
from tests.kit.loopback.world import ME, Message
from tests.kit.net import Net


@pytest.fixture
async def card(net: Net) -> Message:
    return await post(net)


async def change(net: Net, up: str, down: str) -> None:
    await net.app.guilds.update(net.guild.id, up_emoji=up, down_emoji=down)


async def forget_emoji(net: Net) -> None:
    """Make all cards as if posted before emoji were recorded."""
    async with net.app.database.write() as connection:
        await connection.execute(update(postings).values(up_emoji=None, down_emoji=None))


async def test_an_old_reaction_taken_away_takes_the_vote_away(net: Net, card: Message):
    net.discord.react(card, net.bob, UP)
    await until_counted(net, 1)
    await change(net, "✅", "❌")
    net.discord.react(card, net.bob, "❌")
    await sent(net)
    assert await counted(net) == 1
    net.discord.unreact(card, net.bob, UP)
    await until_counted(net, 0)


async def test_swapping_the_emoji_turns_no_vote_round(net: Net, card: Message):
    net.discord.react(card, net.bob, UP)
    await until_counted(net, 1)
    await change(net, DOWN, UP)
    async with net.discord.disconnected(resumable=False):
        net.discord.react(card, net.discord.add_member(net.guild, "carol"), UP, silent=True)
    await until_counted(net, 2)
    net.discord.clear(card, UP)
    net.discord.react(card, net.bob, DOWN)
    await until_counted(net, -1)


async def test_new_cards_have_the_new_emoji(net: Net, card: Message):
    await change(net, "✅", "❌")
    net.discord.say(net.general, net.alice, f"<@{ME['id']}> how do I vote on an answer?")
    new = await net.discord.posted(net.general)
    await net.discord.until(lambda: new.reacted() == ["✅", "❌"])
    net.discord.react(new, net.bob, UP)
    net.discord.react(new, net.alice, "❌")
    await sent(net)
    assert (await net.tallies("vote"))[0] == 2 - 1


@pytest.mark.parametrize("now", [("✅", "❌"), (DOWN, UP)], ids=["others", "swapped"])
async def test_of_an_old_card_the_bots_own_reactions_say(
    net: Net, card: Message, now: tuple[str, str]
):
    await forget_emoji(net)
    await change(net, *now)
    net.discord.react(card, net.bob, DOWN)
    net.discord.react(card, net.bob, UP)
    net.discord.unreact(card, net.bob, DOWN)
    await until_counted(net, 1)
    assert (await posting_of(net, card)).emoji == VoteEmoji(UP, DOWN)
    asked = [1 for method, path, _ in net.discord.requests if method == "GET" and "mess" in path]
    net.discord.unreact(card, net.bob, UP)
    await until_counted(net, 0)
    assert len(asked) <= 2  # once for the emoji; perhaps once for the tally


async def test_reconciling_learns_them_as_well(net: Net, card: Message):
    await forget_emoji(net)
    await change(net, DOWN, UP)
    async with net.discord.disconnected(resumable=False):
        net.discord.react(card, net.bob, UP, silent=True)
    await until_counted(net, 1)
    assert (await posting_of(net, card)).emoji == VoteEmoji(UP, DOWN)
    assert looked_at(net, card) != []


async def test_of_an_old_card_that_nobody_may_look_at_the_server_says(net: Net, card: Message):
    await forget_emoji(net)
    await change(net, "✅", "❌")
    refused = status(403, {"code": 50001, "message": "Missing Access"})
    net.discord.faults.always("GET", r"/messages/\d+$", refused)
    net.discord.react(card, net.bob, "❌")
    await until_counted(net, -1)
    net.discord.react(card, net.bob, UP)
    await sent(net)
    assert await counted(net) == -1


@pytest.mark.parametrize(
    ("ours", "now", "used"),
    [
        (["a", "b"], ("b", "a"), ("b", "a")),
        (["b", "x", "a"], ("a", "b"), ("a", "b")),
        (["a", "b"], ("c", "d"), ("a", "b")),
        (["a"], ("c", "d"), ("a", "d")),
        (["d"], ("c", "d"), ("c", "d")),
        ([], ("c", "d"), ("c", "d")),
    ],
)
def test_what_the_bots_own_reactions_say(
    ours: list[str], now: tuple[str, str], used: tuple[str, str]
) -> None:
    assert used_on(ours, VoteEmoji(*now)) == VoteEmoji(*used)


@pytest.mark.parametrize("ours", [[UP, DOWN], [DOWN, UP]], ids=["ordered", "reversed"])
@pytest.mark.parametrize("now", [(UP, DOWN), (DOWN, UP), ("c", "d")])
def test_the_defaults_mean_what_they_always_do(ours: list[str], now: tuple[str, str]) -> None:
    assert used_on(ours, VoteEmoji(*now), VoteEmoji(UP, DOWN)) == VoteEmoji(UP, DOWN)


async def test_a_member_who_reacted_before_the_bot_turns_no_old_card_round(net: Net) -> None:
    card = await post(net)
    await forget_emoji(net)
    # As if the member had reacted with the second emoji before the bot reacted with the first.
    card.reactions = dict(reversed(card.reactions.items()))
    net.discord.react(card, net.bob, DOWN)
    await until_counted(net, -1)
    assert (await posting_of(net, card)).emoji == VoteEmoji(UP, DOWN)
