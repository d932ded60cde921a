"""What the bot says to those who greet it, thank it, or ask what it is."""

from __future__ import annotations

import pytest

from bot.models import Answer, Thread
from cogs.ask import responder
from tests.kit.messages import last, shown, size
from tests.kit.world import World


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("hi", "Hi!"),
        ("thanks, that worked!", "You're welcome"),
        ("help", "`/help`"),
        ("what can you do?", "find the answer"),
        ("who are you?", "I'm a bot"),
        ("you suck", "Sorry"),
        ("", "Hi!"),
    ],
)
async def test_addressed_it_replies_with_two_examples_of_the_server(
    world: World, said: str, words: str
) -> None:
    await world.alice.send(world.general, f"{world.me} {said}")
    line, examples = last(world.general).content.split("\n")
    assert words in line
    # The best scored threads of the library, of those that have an answer.
    assert examples == (
        "-# You could ask, for example: "
        "*Where does the gardener keep the backup of the greenhouse plans?* · "
        "*How can I unpin a message?*"
    )


async def test_unaddressed_it_is_silent(world: World) -> None:
    for said in ("hi", "thanks!", "help", "who are you?", "stupid bot"):
        before = size(world.ask)
        await world.alice.send(world.ask, said)
        assert size(world.ask) == before + 1
        assert last(world.ask).reactions == []


async def test_a_thread_that_surely_answers_comes_before(world: World) -> None:
    thread = Thread(
        key="what", title="What can you do?", answers=(Answer(body="I answer questions."),)
    )
    await world.app.library.add([thread])
    await world.alice.send(world.general, f"{world.me} what can you do?")
    assert await world.key_of(last(world.general)) == "what"


async def test_for_help_no_thread_is_looked_for(world: World) -> None:
    thread = Thread(key="raid", title="Help me!", answers=(Answer(body="Call a moderator."),))
    await world.app.library.add([thread])
    await world.alice.send(world.general, f"{world.me} help me!")
    assert await world.key_of(last(world.general)) is None
    assert "`/help`" in last(world.general).content


async def test_a_thread_that_may_fit_is_no_better_reply(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responder, "SURELY", 1.0)
    thread = Thread(key="what", title="What can you do?", answers=(Answer(body="Much."),))
    await world.app.library.add([thread])
    await world.alice.send(world.general, f"{world.me} what can you do?")
    assert "I find the answer" in last(world.general).content


async def test_examples_are_what_is_asked_most_then_the_servers_own(world: World) -> None:
    own = Thread(key="own", title="Who waters the ferns?", answers=(Answer(body="Mo.", score=1),))
    await world.app.library.add([own], scope=world.guild.id)
    for channel in (world.ask, world.general):
        await world.alice.send(channel, f"{world.me} how do I vote on an answer?")
    await world.alice.send(world.general, f"{world.me} hello")
    assert last(world.general).content.endswith(
        "*How do I vote on an answer?* · *Who waters the ferns?*"
    )


async def test_of_another_message_nobody_chats(world: World) -> None:
    message = await world.alice.send(world.general, "hello!")
    result = await world.bob.context_menu(world.general, "Find an answer", message)
    assert "Hi!" not in shown(result).content
