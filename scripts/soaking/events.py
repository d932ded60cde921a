"""What members do: ask, chat, vote, press buttons, come and go.

Each event does one thing, or raises Missed where there is nothing to do it to. Those of
``TOGETHER`` don't wait for the bot, so that many are in the air at once; ``ALONE`` do.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from simcord import MemberActor
from simcord.results import ResponseMessage

from soaking import asking, content
from soaking.plain import Ballot
from soaking.servers import Card, Server
from soaking.state import Soak
from tests.kit.messages import items, labels, offered
from tests.kit.simcord import join_now

T = TypeVar("T")
Together = Callable[[Soak, Server], None]
Alone = Callable[[Soak, Server], Coroutine[Any, Any, None]]


class Missed(Exception):
    """There is nothing to which this could happen."""


def need(found: T | None) -> T:
    """Return what was found."""
    if found is None:
        raise Missed
    return found


def answer_somebody(soak: Soak, server: Server) -> None:
    """Reply to a question of another."""
    if not server.questions:
        raise Missed
    message_id, (channel_id, _) = soak.random.choice(list(server.questions.items())[-20:])
    if message_id not in soak.env.backend.messages.get(channel_id, {}):
        raise Missed
    writer = soak.random.choice(server.writers)
    reference = {"message_id": str(message_id), "channel_id": str(channel_id)}
    text = f"I keep it in sand, that worked {soak.random.randrange(1000)} times."
    soak.env.backend.create_message(channel_id, writer.id, text, reference=reference)


def _vote(soak: Soak, server: Server, value: int) -> None:
    card = need(soak.card(server))
    member = soak.random.choice(server.voters)
    ballot = need(soak.ballot(server, card, member.id))
    if value in soak.plain.given(ballot, card.message_id):
        raise Missed
    place = (card.channel_id, card.message_id)
    soak.env.backend.set_reaction(*place, card.emoji(value), member.id, True)
    soak.plain.react(ballot, card.message_id, value)


def react_up(soak: Soak, server: Server) -> None:
    """Vote for an answer."""
    _vote(soak, server, 1)


def thank(soak: Soak, server: Server) -> None:
    """An asker votes for the answer that they got: it teaches their words."""
    cards = list(server.cards.values())[-30:]
    if soak.only_latest or not cards:
        raise Missed
    card = soak.random.choice(cards)
    ballot = need(soak.ballot(server, card, card.asker_id))
    there = card.message_id in soak.env.backend.messages.get(card.channel_id, {})
    asker = next((m for m in server.voters if m.id == card.asker_id), None)
    if not there or asker is None or 1 in soak.plain.given(ballot, card.message_id):
        raise Missed
    place = (card.channel_id, card.message_id)
    soak.env.backend.set_reaction(*place, card.emoji(1), card.asker_id, True)
    soak.plain.react(ballot, card.message_id, 1)


def react_down(soak: Soak, server: Server) -> None:
    """Vote against an answer."""
    _vote(soak, server, -1)


def unreact(soak: Soak, server: Server) -> None:
    """Take a reaction away."""
    card = need(soak.card(server))
    stored = soak.env.backend.messages[card.channel_id][card.message_id]
    mine = soak.env.backend.bot_user.id
    given = [(r.emoji, u) for r in stored.reactions for u in r.user_ids if u != mine]
    if not given:
        raise Missed
    emoji, user_id = soak.random.choice(given)
    ballot = need(soak.ballot(server, card, user_id))
    soak.env.backend.set_reaction(card.channel_id, card.message_id, emoji, user_id, False)
    for value in (1, -1):
        if emoji == card.emoji(value):
            soak.plain.unreact(ballot, card.message_id, value)


def join(soak: Soak, server: Server) -> None:
    """Somebody joins the server, and votes from then on."""
    soak.counts["members"] += 1
    server.voters.append(join_now(soak.env, server.guild, f"new{soak.counts['members']}"))


def leave(soak: Soak, server: Server) -> None:
    """Somebody leaves the server; their votes stay."""
    if len(server.voters) < 20:
        raise Missed
    member = server.voters.pop(soak.random.randrange(len(server.voters)))
    soak.env.backend.remove_member(server.id, member.id)


async def press_vote(soak: Soak, server: Server) -> None:
    """Open a thread's answers, turn a page or two, and vote by a button."""
    member = soak.random.choice(server.voters)
    place = server.channels["spare"]
    key = f"{soak.random.choice(content.DEEDS)[0]}-{soak.random.choice(content.THINGS)}"
    page = need((await member.slash(place, "thread", query=key)).response)
    if soak.random.random() < 0.4 and "Next" in labels(page):
        await member.click(page, label="Next")
    value = soak.random.choice((1, 1, -1))
    way = "tw:up:" if value > 0 else "tw:down:"
    ids = [str(item.get("custom_id")) for item in items(page)]
    pressed = need(next((i for i in ids if i.startswith(way)), None))
    answer_id = int(pressed.split(":")[3])
    rows = soak.rows("SELECT COALESCE(overrides, id) FROM answers WHERE id = ?", answer_id)
    await member.click(page, custom_id=pressed)
    soak.plain.press(Ballot(rows[0][0], server.id, member.id), value)


async def slash_ask(soak: Soak, server: Server) -> None:
    """Ask by /ask."""
    member, place = soak.random.choice(server.voters), server.channels["spare"]
    await member.slash(place, "ask", question=content.known_question(soak.random))


async def complete(soak: Soak, server: Server) -> None:
    """Type into /thread, and be offered titles."""
    member, place = soak.random.choice(server.voters), server.channels["spare"]
    await member.autocomplete(place, "thread", "query", soak.random.choice(content.THINGS)[:4])


async def get_help(soak: Soak, server: Server) -> None:
    """Look at /help."""
    await soak.random.choice(server.voters).slash(server.channels["spare"], "help")


async def _question(soak: Soak, server: Server) -> tuple[ResponseMessage, MemberActor]:
    if not server.questions:
        raise Missed
    message_id, (channel_id, user_id) = soak.random.choice(list(server.questions.items())[-30:])
    message = need(soak.message(channel_id, message_id))
    return message, need(next((m for m in server.voters if m.id == user_id), None))


async def edit_question(soak: Soak, server: Server) -> None:
    """Write a question anew: its card may show another answer, or say that it was edited."""
    message, member = await _question(soak, server)
    await member.edit(message, content.known_question(soak.random))
    soak.refresh(server)


async def delete_question(soak: Soak, server: Server) -> None:
    """Delete a question; its card goes too, unless somebody reacted to it."""
    message, member = await _question(soak, server)
    await member.delete(message)
    soak.refresh(server)


async def delete_card(soak: Soak, server: Server) -> None:
    """A moderator deletes a card; what was voted on it stays."""
    card = need(soak.card(server))
    await server.moderator.delete(need(soak.message(card.channel_id, card.message_id)))
    server.drop_messages({card.message_id})


async def clear_reactions(soak: Soak, server: Server) -> None:
    """A moderator takes all reactions of a card away."""
    card = need(soak.card(server))
    soak.env.backend.clear_reactions(card.channel_id, card.message_id)
    await soak.env.settle()
    soak.plain.clear(card.root, server.id, card.message_id)


async def _card_message(soak: Soak, server: Server) -> tuple[Card, ResponseMessage]:
    card = need(soak.card(server))
    return card, need(soak.message(card.channel_id, card.message_id))


async def press_card(soak: Soak, server: Server) -> None:
    """Press one of a card's buttons that change no vote, as its asker if they are still there."""
    card, message = await _card_message(soak, server)
    asker = next((m for m in server.voters if m.id == card.asker_id), None)
    ids = [str(item.get("custom_id")) for item in items(message)]
    quiet = [i for i in ids if i.startswith(("tw:other:", "tw:rest:", "tw:notmine"))]
    if not quiet:
        raise Missed
    member = asker or soak.random.choice(server.voters)
    await member.click(message, custom_id=soak.random.choice(quiet))
    soak.refresh(server)


async def choose_suggestion(soak: Soak, server: Server) -> None:
    """Choose in the menu of a message in which the bot offers threads."""
    channel = server.channels["ask"]
    mine = soak.env.backend.bot_user.id
    for stored in reversed(list(soak.env.backend.messages[channel.id].values())[-40:]):
        message = ResponseMessage(soak.env, stored)
        if stored.author_id == mine and any(item.get("options") for item in items(message)):
            menu = next(item for item in items(message) if item.get("options"))
            asker_id = int(str(menu["custom_id"]).rpartition(":")[2])
            member = need(next((m for m in server.voters if m.id == asker_id), None))
            chosen = soak.random.choice(list(offered(message).values()))
            await member.select(message, [chosen], custom_id=str(menu["custom_id"]))
            soak.refresh(server)
            return
    raise Missed


async def direct_message(soak: Soak, server: Server) -> None:
    """Ask the bot in private."""
    member = soak.random.choice(server.voters)
    await member.send_dm(content.known_question(soak.random))


async def find_answer(soak: Soak, server: Server) -> None:
    """Look for an answer to somebody's message by its menu."""
    message, _ = await _question(soak, server)
    channel = need(next((c for c in server.channels.values() if c.id == message.channel_id), None))
    await soak.random.choice(server.voters).context_menu(channel, "Find an answer", message)


async def forget_me(soak: Soak, server: Server) -> None:
    """A member takes their reactions away, as they are told to, and has the rest deleted."""
    member = soak.random.choice(server.voters)
    for channel in server.channels.values():
        for stored in list(soak.env.backend.messages.get(channel.id, {}).values()):
            for reaction in [r for r in stored.reactions if member.id in r.user_ids]:
                soak.env.backend.set_reaction(
                    channel.id, stored.id, reaction.emoji, member.id, False
                )
    asked = await member.slash(server.channels["spare"], "forget-me")
    shown = need(asked.response)
    confirm = next(i for i in items(shown) if str(i.get("custom_id")).startswith("tw:forget:"))
    await member.click(shown, custom_id=str(confirm["custom_id"]))
    soak.plain.forget_user(member.id)


TOGETHER: dict[Together, float] = {
    asking.ask_known: 200,
    asking.ask_misspelt: 60,
    asking.ask_unknown: 60,
    asking.ask_own: 40,
    asking.chat: 190,
    answer_somebody: 20,
    react_up: 180,
    react_down: 60,
    thank: 40,
    unreact: 60,
    join: 8,
    leave: 7,
}

ALONE: dict[Alone, float] = {
    press_vote: 40,
    slash_ask: 15,
    complete: 8,
    get_help: 2,
    edit_question: 8,
    delete_question: 6,
    delete_card: 4,
    clear_reactions: 3,
    press_card: 8,
    choose_suggestion: 6,
    direct_message: 3,
    find_answer: 3,
    forget_me: 1,
}
