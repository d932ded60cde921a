"""Buttons and menus by which helpers undo, merge, restore, and choose what to edit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

import discord
from discord import ButtonStyle
from discord.ui import Button, DynamicItem, Item, Select

from bot.i18n import gettext as _
from bot.ui.items import Pressable, button, row_id

_ID = r"\d{1,20}"


class UndoChange(Pressable, DynamicItem[Button[Any]], template=rf"tw:takeback:(?P<thread>{_ID})"):
    """Button that takes the last change of a thread back."""

    counts = False
    saves = True

    def __init__(self, thread_id: int):
        self.thread_id = thread_id
        super().__init__(button(_("Undo"), f"tw:takeback:{thread_id}"))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["thread"]))


class MergeInto(
    Pressable,
    DynamicItem[Button[Any]],
    template=rf"tw:merge:(?P<thread>{_ID}):(?P<other>{_ID})",
):
    """Button that adds the answers of a thread that was just saved to another one."""

    counts = False
    saves = True

    def __init__(self, thread_id: int, other_id: int):
        self.thread_id, self.other_id = thread_id, other_id
        custom_id = f"tw:merge:{thread_id}:{other_id}"
        super().__init__(button(_("Add it there instead"), custom_id, ButtonStyle.primary))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["thread"]), row_id(match["other"]))


class RestoreRevision(
    Pressable, DynamicItem[Button[Any]], template=rf"tw:restore:(?P<revision>{_ID})"
):
    """Button that puts a state of a thread in force again, or takes a proposed one over."""

    counts = False
    saves = True

    def __init__(self, revision_id: int, *, is_proposed: bool = False):
        self.revision_id = revision_id
        name = _("Take this over") if is_proposed else _("Make it so again")
        super().__init__(button(name, f"tw:restore:{revision_id}", ButtonStyle.primary))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["revision"]))


class _Menu(Pressable, DynamicItem[Select[Any]], template=r"tw:no-menu"):
    """A menu of rows of the database; the base of others."""

    counts = False

    @property
    def chosen(self) -> int | None:
        """Return the chosen id, which anybody can make up."""
        return next((row_id(v) for v in self.item.values if v.isascii() and v.isdecimal()), None)


class PickRevision(_Menu, template=r"tw:revisions"):
    """Menu of a thread's revisions."""

    def __init__(self, options: Sequence[discord.SelectOption] = ()):
        select = Select[Any](
            placeholder=_("Look at one of them… (times in UTC)"),
            custom_id="tw:revisions",
            options=[*options],
        )
        super().__init__(select)


class PickPart(_Menu, template=rf"tw:part:(?P<thread>{_ID})(?::[1-4])?"):
    """Menu of the parts of a thread that can be edited: its question (0), and its answers.

    ``menu`` is its number where there are several in one message.
    """

    def __init__(
        self, thread_id: int, options: Sequence[discord.SelectOption] = (), *, menu: int = 0
    ):
        self.thread_id = thread_id
        more = _("Further answers") + (f" ({options[0].label} …)" if options else "")
        select = Select[Any](
            placeholder=more if menu else _("What shall be edited?"),
            custom_id=f"tw:part:{thread_id}:{menu}" if menu else f"tw:part:{thread_id}",
            options=[*options],
        )
        super().__init__(select)

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["thread"]))


class TurnHistory(
    Pressable,
    DynamicItem[Button[Any]],
    template=rf"tw:history:(?P<thread>{_ID}):(?P<page>\d{{1,5}})",
):
    """Button that shows another page of what was changed, of a thread or (0) of all."""

    counts = False

    def __init__(self, thread_id: int, page: int, *, is_newer: bool = False):
        self.thread_id, self.page = thread_id, page
        name = _("Newer") if is_newer else _("Older")
        super().__init__(button(name, f"tw:history:{thread_id}:{page}"))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["thread"]), int(match["page"]))


ALL = (UndoChange, MergeInto, RestoreRevision, PickRevision, PickPart, TurnHistory)
"""All of these items, for the client to register."""
