"""Votes on cards over real sockets."""

from __future__ import annotations

from typing import Any

from bot.models import Posting
from tests.kit.asking import ME, PIN, arrows
from tests.kit.loopback.world import Message
from tests.kit.net import Net
from tests.kit.waiting import HANG

UP, DOWN = "⬆️", "⬇️"


async def post(net: Net, channel: int | None = None) -> Message:
    """A card of the bot with both arrows, known as a posting; both answers stand at 0."""
    channel = channel or net.ask
    count = len(net.discord.messages(channel))
    net.discord.say(channel, net.alice, f"{ME} {PIN}")
    card = await net.discord.posted(channel, count + 1)
    await arrows(net, card)
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
    cog: Any = net.bot.get_cog("Voting")

    def true() -> bool:
        queue, reconciler = cog._queue, cog._reconciler
        writing = queue._queues.active() or queue._held
        learning = cog._learning.active()
        return not (writing or learning or reconciler._workers or reconciler._marking)

    await net.discord.until(true)


async def heard(net: Net) -> None:
    """Wait until the bot has heard all that happened until now."""
    last = net.discord.say(net.general, net.bob, "hello")
    await net.bot.wait_for("message", check=lambda message: message.id == last.id, timeout=HANG)


async def sent(net: Net) -> None:
    """Wait until the bot has heard all that happened until now, and is idle."""
    await heard(net)
    await idle(net)


async def button(net: Net, card: Message, way: str, answer_id: int | None = None) -> str:
    """The custom id of a vote button, which the card has from now on."""
    posting = await posting_of(net, card)
    answer = posting.answer_id if answer_id is None else answer_id
    custom_id = f"tw:{way}:{posting.thread_id}:{answer}:0:a"
    give_button(card, custom_id)
    return custom_id


async def forget_me(net: Net, member: int) -> Message:
    """Have a member's data deleted; returns the private message that will say so."""
    asked = net.discord.command(net.general, member, "forget-me")
    await net.discord.until(lambda: bool(asked.told))
    shown = asked.original
    assert shown is not None
    press = net.discord.press(shown, member, f"tw:forget:{member}")
    await net.discord.until(lambda: bool(press.callbacks))
    return shown


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
