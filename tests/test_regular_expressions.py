"""No regular expression of the program takes more than linear time, whatever people write."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest

from tests.kit.growth import cpu_seconds
from tests.kit.patterns import Used, all_used, made_in_functions, modules

pytestmark = pytest.mark.untraced

SIZE = 1_000
"""Characters at which an expression shows itself."""

QUICK = 0.0005
"""Seconds of processor time that a linear one needs at that size at most: half a microsecond
for a character. A quadratic one needs several times as much."""

GROWN = 4
"""An expression is looked at again at so many times the size. Linear ones then take about
as many times as long, quadratic ones the square of it."""

HANDED_ON = {
    "bot.sources.markup.escaping:_MAIL": "fullmatch",
    "bot.sources.markup.escaping:_NUMBER": "fullmatch",
    "bot.ui.markdown:_ADDRESS": "match",
    "bot.ui.text:_ADDRESS": "match",
    "bot.ui.text:_LINKED": "match",
}
"""Expressions that others use, and by which one method; where that can be seen, it is seen."""

IN_FUNCTIONS = {
    "bot.demo.simcord_adapter:understand_mentions",  # the bot's own name
    "bot.sources.qa_json:_is_map",
    "bot.private_files:clear",  # file names
    "cogs.ask.message_text:without_mention",  # the bot's own ids
}
"""Functions that make an expression of what is not known before; each was looked at."""

PARTS = 16
"""Tests that the expressions are dealt out to: to find them takes seconds, and when the tests are
collected every process would."""

every = cache(all_used)


def slow_on(used: Used, text: Callable[[int], Any], run: Callable[[Any], object]) -> bool:
    """Tell if an expression takes long on a text, and much longer on a longer one.

    Whatever delays a single try, such as the garbage collector, doesn't do so each time.
    """
    if any(cpu_seconds(partial(run, text(SIZE))) <= QUICK for _ in range(3)):
        return False
    if cpu_seconds(partial(run, text(SIZE))) > 100 * QUICK:
        return True
    small, large = (
        min(cpu_seconds(partial(run, made)) for _ in range(3))
        for made in (text(SIZE), text(GROWN * SIZE))
    )
    return large > 2 * GROWN * small or large > 4 * GROWN * QUICK


@pytest.mark.parametrize("part", range(PARTS))
def test_an_expression_takes_linear_time_on_hostile_text(part: int) -> None:
    for used in every()[part::PARTS]:
        if used.place in HANDED_ON:
            used = Used(used.place, used.pattern, frozenset({HANDED_ON[used.place]}))
        for text in used.hostile_texts():
            for run in used.runs():
                assert not slow_on(used, text, run), (used.place, used.pattern.pattern, text(40))


@pytest.mark.parametrize(
    "pattern",
    [r"\s*,", r"[\s>]*x", r"[a-z]{3,} x", r"\[((?:[^\[\]\\\n]|\\.){1,2000})\]\("],
)
def test_expressions_that_scan_again_are_found(pattern: str) -> None:
    used = Used("here", re.compile(pattern))
    assert any(slow_on(used, text, run) for text in used.hostile_texts() for run in used.runs())


def test_the_expressions_of_all_packages_are_tried() -> None:
    places = {used.place for used in every()}
    assert len(places) > 120
    rooms = {place.partition(":")[0] for place in places}
    assert rooms >= {
        "bot.ui.text",
        "bot.ui.markdown",
        "bot.sources.question_headings",
        "bot.search.text",
    }
    assert any(used.place.startswith("bot.ui.items:") for used in every())  # discord.py's templates
    assert len(list(modules())) > 120


def test_expressions_made_at_run_time_are_known() -> None:
    assert set(made_in_functions()) == IN_FUNCTIONS
