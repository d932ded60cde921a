"""Replies to cards: asked together with what the card answered, and told apart from thanks."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from bot.models import Answer, Thread
from tests.kit.messages import last
from tests.kit.world import World

ROTA = "who waters the tomatoes"


@pytest.fixture
async def card(world: World) -> Any:
    """The card that answered Alice, of a thread that has another one beside it."""
    titles = {"rota": "Who waters the tomatoes in summer?", "swap": "Can the tomatoes be moved?"}
    await world.app.library.add(
        Thread(key=key, title=title, answers=(Answer(body=f"See the {key}.", score=1),))
        for key, title in titles.items()
    )
    await world.alice.send(world.ask, f"{ROTA}?")
    assert await world.key_of(last(world.ask)) == "rota"
    return last(world.ask)


def asked(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The texts that were searched."""
    begun = "the question was: "
    return [m.removeprefix(begun) for m in caplog.messages if m.startswith(begun)]


async def test_a_follow_up_is_asked_together_with_the_question_before(
    world: World, card: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot.services.answering")
    await world.alice.send(world.ask, "and can they be moved?", reply_to=card)
    assert asked(caplog)[:2] == [
        "'and can they be moved?'",
        f"'and can they be moved? {ROTA}?'",
    ]


async def test_for_others_the_title_of_the_card_stands_for_the_question(
    world: World, card: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot.services.answering")
    await world.bob.send(world.ask, "can they be moved?", reply_to=card)
    assert asked(caplog)[1] == "'can they be moved? Who waters the tomatoes in summer?'"


async def test_after_a_restart_the_title_stands_for_the_question(
    world: World, card: Any, caplog: pytest.LogCaptureFixture
) -> None:
    world.app.learning.drop([card.id])
    caplog.set_level(logging.DEBUG, "bot.services.answering")
    await world.alice.send(world.ask, "can they be moved?", reply_to=card)
    assert asked(caplog)[1] == "'can they be moved? Who waters the tomatoes in summer?'"


async def test_the_card_is_not_answered_again_and_nothing_is_learned(
    world: World, card: Any
) -> None:
    await world.alice.send(world.ask, "can the tomatoes be moved then?", reply_to=card)
    answer = last(world.ask)
    assert await world.key_of(answer) == "swap"
    await world.alice.react(answer, "⬆️")
    assert world.app.learning.question(answer.id) == ""


@pytest.mark.parametrize("said", ["thanks!", "thank you, that worked", "ok cool"])
async def test_thanks_are_no_follow_up(
    world: World, card: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot.services.answering")
    await world.alice.send(world.ask, said, reply_to=card)
    assert asked(caplog) == []


async def test_a_message_that_is_no_reply_is_asked_by_itself(
    world: World, card: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot.services.answering")
    await world.alice.send(world.ask, "can they be moved?")
    assert asked(caplog) == ["'can they be moved?'"]
