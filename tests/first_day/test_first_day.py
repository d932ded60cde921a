"""What the bot does with the questions of a first day, and how the script judges it."""

from __future__ import annotations

from collections import Counter

import discord
import pytest
from first_day import (
    KEPT_APART,
    NONE,
    TUNED_ON,
    Asked,
    Outcome,
    Said,
    ask,
    offered_in,
    seeds_asked,
    table,
)
from first_day import questions as read_questions
from rich.console import Console

from bot.settings import Settings
from tests.kit.library import forget_environment
from tests.kit.paths import ROOT

KINDS = (
    "on topic",
    "near",
    "off topic",
    "greetings",
    "insults",
    "other languages",
    "several at once",
    "follow-ups",
    "code",
    "links",
)
LEFT = ("off topic", "greetings", "insults", "other languages")
"""Kinds of which no more than one in fifty may be answered wrongly."""

POLL, VOTE = "discord-make-poll", "bot-how-to-vote"
TITLES = {"How do I make a poll?": POLL, "How do I vote on an answer?": VOTE}


def test_there_are_twenty_questions_of_each_kind() -> None:
    asked = read_questions()
    assert Counter(question.kind for question in asked) == dict.fromkeys(KINDS, 20)
    assert len({(question.first, question.text) for question in asked}) == len(asked)


def test_the_keys_that_are_expected_are_those_of_seeds() -> None:
    keys = {path.stem for path in (ROOT / "seeds").glob("*.txt")}
    for question in [*read_questions(), *seeds_asked()]:
        assert question.expected, question
        assert question.expected <= keys | {NONE}, question


def test_half_of_each_seeds_wordings_is_kept_apart() -> None:
    halves = Counter((question.kind, *question.expected) for question in seeds_asked())
    assert set(halves.values()) == {5}
    assert {kind for kind, _ in halves} == {TUNED_ON, KEPT_APART}


def test_a_follow_up_has_a_question_before_it_and_code_has_lines() -> None:
    asked = Asked.of("code", "how? >> and\\nthis?", f"{POLL} {NONE}")
    assert (asked.first, asked.text) == ("how?", "and\nthis?")
    assert not asked.has_answer
    assert Asked.of("links", "how?", POLL).has_answer


@pytest.mark.parametrize(
    ("answered", "offered", "expected", "outcome"),
    [
        ([POLL], [], {POLL}, Outcome.RIGHT),
        ([POLL], [VOTE], {POLL, NONE}, Outcome.RIGHT),
        ([POLL, VOTE], [], {POLL}, Outcome.WRONG),
        ([VOTE], [POLL], {POLL}, Outcome.WRONG),
        ([VOTE], [], {NONE}, Outcome.WRONG),
        ([], [POLL, VOTE], {POLL}, Outcome.OFFERED_FIRST),
        ([], [VOTE, POLL], {POLL}, Outcome.OFFERED),
        ([], [VOTE], {NONE}, Outcome.OFFERED),
        ([], [], {POLL}, Outcome.LEFT),
    ],
)
def test_what_the_bot_said_is_judged(
    answered: list[str], offered: list[str], expected: set[str], outcome: Outcome
) -> None:
    assert Said(answered, offered).outcome(frozenset(expected)) is outcome


async def test_offers_are_read_from_buttons_menus_and_the_text_above_them() -> None:
    def read(content: str, *items: discord.ui.Item[discord.ui.View]) -> list[str]:
        view = discord.ui.View()
        for item in items:
            view.add_item(item)
        rows = [_Row(row) for row in view.to_components()]
        return offered_in(_Message(content, rows), TITLES)  # type: ignore[arg-type]

    cut, whole = "How do I vote on an…", "How do I make a poll?"
    assert read("Did you mean", discord.ui.Button(label=cut), discord.ui.Button(label="No")) == [
        VOTE
    ]
    options = [discord.SelectOption(label=label) for label in (whole, cut)]
    assert read("Did you mean", discord.ui.Select(options=options)) == [POLL, VOTE]
    assert read(f"Did you mean *{whole}*", discord.ui.Button(label="Yes, that one")) == [POLL]
    assert read(f"You could ask, for example: *{whole}*") == []


class _Row:
    """A row of a message's buttons, as Discord has it."""

    def __init__(self, payload: object):
        self._payload = payload

    def to_dict(self) -> object:
        return self._payload


class _Message:
    """As much of a message as offers are read from."""

    def __init__(self, content: str, components: list[_Row]):
        self.content, self.components, self.embeds = content, components, list[discord.Embed]()


async def test_each_question_is_asked_of_the_bot_in_the_demos_channel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forget_environment(monkeypatch)
    settings = Settings(seeds_dir=ROOT / "seeds", _env_file=None)
    asked = [
        Asked.of("on topic", "How do I make a poll?", POLL),
        Asked.of("off topic", "how do I boil an egg", NONE),
        Asked.of("follow-ups", "How do I make a poll? >> thanks!", NONE),
        Asked.of("greetings", "@Threadwise hello!", NONE),
    ]
    results = await ask(asked, settings)
    assert [question for question, _, _ in results] == asked
    assert [outcome for _, _, outcome in results] == [Outcome.RIGHT, *[Outcome.LEFT] * 3]
    assert results[0][1] == Said([POLL], [])


@pytest.mark.untraced  # how well it answers is measured; each line is tested elsewhere
@pytest.mark.usefixtures("usual_model")
async def test_most_questions_on_topic_are_answered_and_others_are_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forget_environment(monkeypatch)
    settings = Settings(seeds_dir=ROOT / "seeds", embedding_model="", _env_file=None)
    on_topic = [question for question in read_questions() if question.kind == "on topic"]
    left = [question for question in read_questions() if question.kind in LEFT][::2]
    results = await ask([*on_topic, *left], settings)
    outcomes = Counter((question.kind, outcome) for question, _, outcome in results)
    good = outcomes["on topic", Outcome.RIGHT] + outcomes["on topic", Outcome.OFFERED_FIRST]
    assert good >= 0.85 * len(on_topic)
    assert sum(outcomes[kind, Outcome.WRONG] for kind in LEFT) <= 0.02 * len(left)

    console = Console(width=120)
    with console.capture() as shown:
        console.print(table(results))
    for kind in ("on topic", *LEFT):
        assert kind in shown.get()
