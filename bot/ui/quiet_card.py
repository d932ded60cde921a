"""Quiet suggestions: one line and a button for each thread, where nobody addressed the bot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Self

import discord
from discord.ui import Button, DynamicItem, Item

from bot.i18n import gettext as _
from bot.ui import limits, text
from bot.ui.cards import Card
from bot.ui.items import Pressable, ThreadOption, button, row_id


class PickQuietly(
    Pressable,
    DynamicItem[Button[Any]],
    template=r"tw:quiet:(?P<thread>\d{1,20}):(?P<asker>\d{1,20})",
):
    """Button with the title of a thread that may have been meant.

    It has what ``PickThread`` has: ``chosen``, and ``others`` once the message is known.
    """

    replaces_answer = False

    def __init__(self, asker_id: int, option: ThreadOption):
        self.asker_id = asker_id
        self.chosen = option.thread_id
        self.others: tuple[int, ...] = ()
        label = text.label(option.title, limits.BUTTON_TEXT)
        super().__init__(button(label, f"tw:quiet:{option.thread_id}:{asker_id}"))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        label = (item.label if isinstance(item, Button) else None) or "…"
        return cls(row_id(match["asker"]), ThreadOption(row_id(match["thread"]), label))

    def among(self, message: discord.Message) -> Self:
        """Read from the message which other threads it offers."""
        ids = [_thread_of(component) for component in _buttons(message)]
        self.others = tuple(i for i in ids if i is not None and i != self.chosen)
        return self


def quiet_card(options: Sequence[ThreadOption], asker_id: int) -> Card:
    """Return a line with at most three threads to choose from, sent without a notification."""
    offered = options[: limits.QUIET_SUGGESTIONS]
    view = discord.ui.View(timeout=None)
    for option in offered:
        view.add_item(PickQuietly(asker_id, option))
    said = _("Did you mean this?") if len(offered) == 1 else _("Did you mean one of these?")
    return Card(content=f"-# {said}", view=view, silent=True)


def _buttons(message: discord.Message) -> Iterable[Any]:
    for row in message.components:
        yield from getattr(row, "children", ())


def _thread_of(component: Any) -> int | None:
    match = re.fullmatch(
        r"tw:quiet:(\d{1,20}):\d{1,20}", getattr(component, "custom_id", None) or ""
    )
    return row_id(match[1]) if match else None


ALL = (PickQuietly,)
"""The items of this module, for the client to register."""
