"""Persistent buttons and menus: all they need is in their custom id, so restarts don't matter.

A press is handed to the client, which calls the handler that a cog has registered for the
item's class. This module knows what can be pressed, and nothing of what happens then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, cast

import discord
from discord import ButtonStyle
from discord.ui import Button, DynamicItem, Item, Select

from bot.i18n import gettext as _
from bot.models import Vote
from bot.ui import limits, text
from bot.ui.emoji import to_react

QUESTION = 0
"""The answer id of the page that shows the question itself."""


LARGEST_ID = 2**63 - 1
"""The largest id that the database can look for (63 bits); no row has it."""

NEW_ANSWER = LARGEST_ID
"""The answer id of one that is to be added: as large as none ever is."""


def row_id(digits: str) -> int:
    """Return the id in a custom id or value, at most LARGEST_ID: anybody can make one up."""
    return min(int(digits), LARGEST_ID)


def button(
    label: str | None, custom_id: str, style: ButtonStyle = ButtonStyle.secondary, **how: Any
) -> Button[Any]:
    """Return a button that is known by its custom id."""
    return Button(label=label, style=style, custom_id=custom_id, **how)


class Presser(Protocol):
    """The client of these items."""

    async def pressed(self, item: Pressable, interaction: discord.Interaction[Any]) -> None:
        """Call the handler that is registered for the item's class."""


class Pressable:
    """Base of every item: a press goes to the client.

    ``counts`` says whether a press counts as a question towards a member's limit; ``saves``
    that people take it for saved unless they read otherwise.
    """

    counts: ClassVar[bool] = True
    saves: ClassVar[bool] = False

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        """Make the item from its custom id; ``item`` is the component as Discord sends it."""
        return cls()

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Item[Any], match: re.Match[str], /
    ) -> Self:
        """Return the item that was pressed; discord.py calls this with its custom id."""
        return cls._parse(match, item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press to the client."""
        await cast(Presser, interaction.client).pressed(self, interaction)


def vote_label(value: Vote, *, given: bool = False, sign: bool = True) -> str:
    """Return what a vote button says; ``given``: that this is the member's vote already."""
    if value is Vote.UP:
        shown, words = "▲", _("You voted for it") if given else _("Helpful")
    else:
        shown, words = "▼", _("You voted against it") if given else _("Not helpful")
    return f"{shown} {words}" if sign else words


@dataclass(frozen=True, slots=True)
class Place:
    """A page of a private pager: a part of a text of a thread.

    ``answer_id`` is QUESTION for the question's own page; ``part`` counts the
    pages of a long text from 0; ``with_question`` says whether paging back from
    the first answer leads to the question.
    """

    thread_id: int
    answer_id: int
    part: int = 0
    with_question: bool = False

    PATTERN = r"(?P<thread>\d{1,20}):(?P<answer>\d{1,20}):(?P<part>\d{1,5}):(?P<kind>[qa])"

    def __str__(self) -> str:
        kind = "q" if self.with_question else "a"
        return f"{self.thread_id}:{self.answer_id}:{self.part}:{kind}"

    @classmethod
    def parse(cls, match: re.Match[str]) -> Place:
        """Return the place that a custom id names."""
        thread, answer = row_id(match["thread"]), row_id(match["answer"])
        return cls(thread, answer, int(match["part"]), match["kind"] == "q")


class ReadRest(Pressable, DynamicItem[Button[Any]], template=r"tw:rest:" + Place.PATTERN):
    """Button that shows the whole of a cut answer, privately."""

    def __init__(self, place: Place):
        self.place = place
        super().__init__(button(_("Read the rest"), f"tw:rest:{place}", ButtonStyle.primary))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(Place.parse(match))


class OtherAnswers(Pressable, DynamicItem[Button[Any]], template=r"tw:other:" + Place.PATTERN):
    """Button that shows all answers of the thread, privately, beginning after the shown one."""

    def __init__(self, place: Place, others: int = 0):
        self.place = place
        name = _("Other answers ({count})").format(count=others) if others else _("Other answers")
        super().__init__(button(name, f"tw:other:{place}"))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(Place.parse(match))


class NotMine(Pressable, DynamicItem[Button[Any]], template=r"tw:notmine"):
    """Button that takes the card of its message back."""

    def __init__(self) -> None:
        super().__init__(button(_("Not my question"), "tw:notmine"))


class TurnPage(
    Pressable, DynamicItem[Button[Any]], template=r"tw:(?P<way>prev|next):" + Place.PATTERN
):
    """Button that turns to another page of a pager; disabled if there is none that way."""

    def __init__(self, way: str, place: Place, *, there: bool = True):
        self.place = place
        # Words: arrows are drawn as coloured emoji by some apps and as plain signs by others.
        name = _("Back") if way == "prev" else _("Next")
        super().__init__(button(name, f"tw:{way}:{place}", disabled=not there))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(match["way"], Place.parse(match))


class CastVote(
    Pressable, DynamicItem[Button[Any]], template=r"tw:(?P<vote>up|down):" + Place.PATTERN
):
    """Button that votes for or against the answer on the page.

    ``emoji`` is the guild's own for this vote; without one there is a plain sign. ``given``
    says that this is what the member has voted.
    """

    saves = True

    def __init__(self, value: Vote, place: Place, *, emoji: str | None = None, given: bool = False):
        self.value = value
        self.place = place
        way = "up" if value is Vote.UP else "down"
        label = vote_label(value, given=given, sign=not emoji)
        style = ButtonStyle.secondary
        if given:
            style = ButtonStyle.success if value is Vote.UP else ButtonStyle.danger
        shown = to_react(emoji) if emoji else None
        super().__init__(button(label, f"tw:{way}:{place}", style, emoji=shown))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(Vote.UP if match["vote"] == "up" else Vote.DOWN, Place.parse(match))


@dataclass(frozen=True, slots=True)
class ThreadOption:
    """A thread to choose from; ``hint`` is a short remark under its title."""

    thread_id: int
    title: str
    hint: str = ""


class PickThread(
    Pressable,
    DynamicItem[Select[Any]],
    template=r"tw:(?P<kind>pick|repick):(?P<asker>\d{1,20})",
):
    """Menu "Did you mean", in which the asker chooses the thread that was meant.

    ``replaces_answer`` says that the message has shown an answer before, so that reactions on
    it may belong to that one.
    """

    def __init__(
        self, asker_id: int, options: list[ThreadOption], *, replaces_answer: bool = False
    ):
        self.asker_id = asker_id
        self.replaces_answer = replaces_answer
        # Values must differ; titles may well be the same.
        shown = list({o.thread_id: o for o in options}.values())[: limits.SELECT_OPTIONS]
        super().__init__(
            Select(
                placeholder=_("Choose your question…"),
                custom_id=f"tw:{'repick' if replaces_answer else 'pick'}:{asker_id}",
                options=[
                    discord.SelectOption(
                        label=text.label(o.title, limits.OPTION_TEXT),
                        value=str(o.thread_id),
                        description=text.label(o.hint, limits.OPTION_TEXT) if o.hint else None,
                    )
                    for o in shown
                ],
            )
        )

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        shown = item.options if isinstance(item, Select) else []
        options = [ThreadOption(row_id(o.value), o.label) for o in shown if o.value.isdecimal()]
        return cls(row_id(match["asker"]), options, replaces_answer=match["kind"] == "repick")

    @property
    def chosen(self) -> int | None:
        """Return the id of the chosen thread, which is one of those offered."""
        offered = {row_id(o.value) for o in self.item.options}
        chosen = [row_id(value) for value in self.item.values if value.isdecimal()]
        return next((thread_id for thread_id in chosen if thread_id in offered), None)

    @property
    def others(self) -> tuple[int, ...]:
        """Return the ids of the threads that were offered and not chosen."""
        ids = (row_id(o.value) for o in self.item.options)
        return tuple(i for i in ids if i != self.chosen)


class ThisOne(
    Pressable,
    DynamicItem[Button[Any]],
    template=r"tw:(?P<kind>this|rethis):(?P<asker>\d{1,20}):(?P<thread>\d{1,20})",
):
    """Button with which the asker says that the one thread offered is meant.

    ``replaces_answer`` is as in ``PickThread``.
    """

    others: tuple[int, ...] = ()

    def __init__(self, asker_id: int, thread_id: int, *, replaces_answer: bool = False):
        self.asker_id = asker_id
        self.chosen: int | None = thread_id
        self.replaces_answer = replaces_answer
        custom_id = f"tw:{'rethis' if replaces_answer else 'this'}:{asker_id}:{thread_id}"
        super().__init__(button(_("Yes, that one"), custom_id, ButtonStyle.primary))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        replaces_answer = match["kind"] == "rethis"
        return cls(row_id(match["asker"]), row_id(match["thread"]), replaces_answer=replaces_answer)


class NoneOfThese(Pressable, DynamicItem[Button[Any]], template=r"tw:none:(?P<asker>\d{1,20})"):
    """Button that takes a "Did you mean" back, of one thread or of several."""

    def __init__(self, asker_id: int, *, of_one: bool = False):
        self.asker_id = asker_id
        name = _("No, not that one") if of_one else _("None of these")
        super().__init__(button(name, f"tw:none:{asker_id}"))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["asker"]))


ALL = (ReadRest, OtherAnswers, NotMine, TurnPage, CastVote, PickThread, ThisOne, NoneOfThese)
"""All of these items, for the client to register."""
