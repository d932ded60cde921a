"""What tests of votes over real sockets share."""

from __future__ import annotations

import discord

from bot.models import Posting
from tests.kit.loopback import world
from tests.kit.loopback.world import Message
from tests.kit.net import Net

PIN = "how can i pin a message in my channel?"
UP, DOWN = "⬆️", "⬇️"


async def post(net: Net, channel: int | None = None) -> Message:
    """A card of the bot with both arrows, known as a posting; both answers stand at 0."""
    channel = channel or net.ask
    count = len(net.discord.messages(channel))
    net.discord.say(channel, net.alice, f"<@{world.ME['id']}> {PIN}")
    card = await net.discord.posted(channel, count + 1)
    await net.discord.until(lambda: len(card.reacted()) == 2)
    await net.recorded(card)
    return card


def members(net: Net, count: int) -> list[int]:
    return [net.discord.add_member(net.guild, f"m{n}") for n in range(count)]


async def counted(net: Net) -> int:
    """The sum of the votes on the answer that cards show."""
    return (await net.tallies("pins"))[0]


async def until_counted(net: Net, votes: int) -> None:
    async def true() -> bool:
        return await counted(net) == votes

    await net.discord.until(true)


async def idle(net: Net) -> None:
    """Wait until everything that was heard is written, compared and learned from."""
    cog = net.bot.get_cog("Voting")

    def true() -> bool:
        return cog.idle  # type: ignore[union-attr,no-any-return]

    await net.discord.until(true)


async def sent(net: Net) -> None:
    """Wait until the bot has heard all that happened until now, and is idle."""
    last = net.discord.say(net.general, net.bob, "hello")
    heard: list[int] = []

    async def hear(message: discord.Message) -> None:
        heard.append(message.id)

    net.bot.add_listener(hear, "on_message")
    await net.discord.until(lambda: last.id in heard)
    net.bot.remove_listener(hear, "on_message")
    await idle(net)


async def button(net: Net, card: Message, way: str, answer_id: int | None = None) -> str:
    """The custom id of a vote button, which the card has from now on."""
    posting = await posting_of(net, card)
    answer = posting.answer_id if answer_id is None else answer_id
    custom_id = f"tw:{way}:{posting.thread_id}:{answer}:0:a"
    give_button(card, custom_id)
    return custom_id


def give_button(card: Message, custom_id: str) -> None:
    button = {"type": 2, "style": 1, "label": "x", "custom_id": custom_id}
    card.components = [*card.components, {"type": 1, "components": [button]}]


async def posting_of(net: Net, card: Message) -> Posting:
    posting = await net.app.postings.get(card.id)
    assert posting is not None
    return posting


def looked_at(net: Net, card: Message | None = None) -> list[str]:
    """The requests for the members that reacted to cards, or to one."""
    found = [path for method, path, _ in net.discord.requests if method == "GET"]
    return [p for p in found if "/reactions/" in p and (card is None or str(card.id) in p)]
