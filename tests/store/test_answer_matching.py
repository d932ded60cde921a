"""Answers of a changed thread matched with those that are stored."""

from __future__ import annotations

import pytest

from bot.models import Answer
from bot.store.upsert import MOST_COMPARED, Known, pair

COLD = "The kitchen is too cold for a dough."
COLDER = "The kitchen is far too cold for any dough."
SALT = "You forgot the salt, my friend!"


@pytest.mark.parametrize(
    ("known", "new", "expected"),
    [
        ([], [Answer(body=COLD)], [None]),
        ([Known(1, None, COLD)], [], []),
        ([Known(1, "a", COLD)], [Answer(key="a", body=SALT)], [1]),
        ([Known(1, None, COLD)], [Answer(body=COLD)], [1]),
        ([Known(1, None, COLD)], [Answer(key="a", body=COLD)], [1]),
        ([Known(1, "a", COLD)], [Answer(body=COLDER)], [1]),
        ([Known(1, "a", COLD)], [Answer(key="b", body=COLD)], [None]),
        ([Known(1, None, COLD)], [Answer(body=SALT)], [None]),
        # An equal body goes before one that is only alike, whichever comes first.
        ([Known(1, None, COLD)], [Answer(body=COLDER), Answer(body=COLD)], [None, 1]),
        ([Known(1, None, COLD), Known(2, None, COLDER)], [Answer(body=COLDER)], [2]),
        # The most similar goes first, whichever comes first.
        ([Known(1, None, COLDER), Known(2, None, COLD)], [Answer(body=COLD + "!")], [2]),
        (
            [Known(1, None, "Use it in #help."), Known(2, None, "Use it in #chat.")],
            [Answer(body="Use it in #chat, please."), Answer(body="Use it in #help, please.")],
            [2, 1],
        ),
        # Of equal twins each is used once, in order.
        ([Known(1, None, SALT), Known(2, None, SALT)], [Answer(body=SALT)] * 3, [1, 2, None]),
        # A key beats a body.
        (
            [Known(1, "a", COLD), Known(2, None, SALT)],
            [Answer(key="a", body=SALT), Answer(body=COLD)],
            [1, None],
        ),
    ],
)
def test_a_new_answer_takes_the_place_of_the_known_one_it_is(
    known: list[Known], new: list[Answer], expected: list[int | None]
) -> None:
    assert [found and found.id for found in pair(known, new)] == expected


def test_long_texts_are_told_apart_by_their_beginning() -> None:
    long = "A long answer. " * 5_000
    assert pair([Known(1, None, long)], [Answer(body=long + "An afterthought.")]) != [None]


def test_retired_answers_take_no_room_from_those_that_are_shown() -> None:
    shown = [Known(n, None, f"{n} is a number, and a nice one.") for n in range(20)]
    retired = [Known(n, None, f"Once there was {n}.", retired=True) for n in range(20, 40)]
    new = [Answer(body=f"{n} is a number, and a nice one!") for n in range(20)]
    assert [found and found.id for found in pair([*shown, *retired], new)] == [*range(20)]


@pytest.mark.parametrize("count", [20, 21])
def test_of_very_many_only_equal_bodies_are_paired(count: int) -> None:
    known = [Known(n, None, f"{n} is a number, and a nice one.") for n in range(count)]
    new = [Answer(body=f"{n} is a number, and a nice one!") for n in range(count)]
    found = pair([*known, Known(99, None, SALT)], [Answer(body=SALT), *new])
    assert found[0] is not None
    assert found[0].id == 99
    assert (None in found) == (count**2 > MOST_COMPARED)
