"""Buttons of a private question whether something is really to be done."""

from __future__ import annotations

import re
from typing import Any, Self

import discord
from discord import ButtonStyle
from discord.ui import Button, DynamicItem, Item

from bot.i18n import gettext as _
from bot.i18n import ngettext, number
from bot.ui.cards import Card
from bot.ui.facts import votes_counted
from bot.ui.items import Pressable, button, row_id


class ConfirmForget(Pressable, DynamicItem[Button[Any]], template=r"tw:forget:(?P<user>\d{1,20})"):
    """Button with which a member has their data deleted."""

    counts = False

    def __init__(self, user_id: int):
        self.user_id = user_id
        super().__init__(button(_("Delete it"), f"tw:forget:{user_id}", ButtonStyle.danger))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["user"]))


class ConfirmReset(Pressable, DynamicItem[Button[Any]], template=r"tw:reset:(?P<user>\d{1,20})"):
    """Button with which a moderator has all settings of their server forgotten."""

    counts = False

    def __init__(self, user_id: int):
        self.user_id = user_id
        super().__init__(button(_("Reset everything"), f"tw:reset:{user_id}", ButtonStyle.danger))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["user"]))


class LeaveIt(Pressable, DynamicItem[Button[Any]], template=r"tw:leave:(?P<user>\d{1,20})"):
    """Button that leaves everything as it is."""

    counts = False

    def __init__(self, user_id: int):
        self.user_id = user_id
        super().__init__(button(_("Cancel"), f"tw:leave:{user_id}"))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["user"]))


ALL = (ConfirmForget, ConfirmReset, LeaveIt)
"""All of these items, for the client to register."""


def forget_card(user_id: int) -> Card:
    """Return the question whether a member's data is to be deleted."""
    asked = _(
        "Shall I delete your votes, on all servers, and whatever else I keep about you? This "
        "can't be undone."
    )
    return _question(asked, ConfirmForget(user_id))


def forgotten_line(votes: int, phrasings: int) -> str:
    """Return what a member reads once their data is deleted."""
    taught = ngettext("{count} phrasing", "{count} phrasings", phrasings)
    return _(
        "Done: {votes} and {phrasings} of yours deleted, and I no longer know which questions "
        "were yours. Reactions that you leave on my messages count again when I restart, so take "
        "those away as well."
    ).format(votes=votes_counted(votes), phrasings=taught.format(count=number(phrasings)))


def reset_card(user_id: int) -> Card:
    """Return the question whether the settings of a server are to be forgotten."""
    asked = _(
        "Shall everything that was set for this server go back to what the host has set? The "
        "votes and the threads stay."
    )
    return _question(asked, ConfirmReset(user_id))


def _question(asked: str, confirm: ConfirmForget | ConfirmReset) -> Card:
    view = discord.ui.View(timeout=None)
    view.add_item(confirm)
    view.add_item(LeaveIt(confirm.user_id))
    return Card(content=asked, view=view)
