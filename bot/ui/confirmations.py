"""Buttons of a private question whether something is really to be done."""

from __future__ import annotations

import re
from typing import Any, Self

import discord
from discord import ButtonStyle
from discord.ui import Button, DynamicItem, Item

from bot.curation import AuthorChoice
from bot.i18n import N_, ngettext, number
from bot.i18n import gettext as _
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


class ChooseAuthor(
    Pressable,
    DynamicItem[Button[Any]],
    template=r"tw:author:(?P<choice>without_name|leave_out|any):(?P<user>\d{1,20})",
):
    """Button by which a member says what is to be done with what they wrote (``None``: nothing)."""

    counts = False

    def __init__(self, user_id: int, choice: AuthorChoice | None):
        self.user_id, self.choice = user_id, choice
        names = {
            AuthorChoice.WITHOUT_NAME: _("Take my name off"),
            AuthorChoice.LEAVE_OUT: _("Take my words out"),
            None: _("My words may be kept"),
        }
        style = ButtonStyle.danger if choice is AuthorChoice.LEAVE_OUT else ButtonStyle.secondary
        custom_id = f"tw:author:{choice or 'any'}:{user_id}"
        super().__init__(button(names[choice], custom_id, style))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        choice = None if match["choice"] == "any" else AuthorChoice(match["choice"])
        return cls(row_id(match["user"]), choice)


class LeaveIt(Pressable, DynamicItem[Button[Any]], template=r"tw:leave:(?P<user>\d{1,20})"):
    """Button that leaves everything as it is."""

    counts = False

    def __init__(self, user_id: int):
        self.user_id = user_id
        super().__init__(button(_("Cancel"), f"tw:leave:{user_id}"))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["user"]))


ALL = (ChooseAuthor, ConfirmForget, ConfirmReset, LeaveIt)
"""All of these items, for the client to register."""


def forget_card(user_id: int, choice: AuthorChoice | None = None, written: int = 0) -> Card:
    """Return the question what is to be deleted of a member's data.

    ``choice`` is what they wanted done with their messages, ``written`` how many texts of theirs
    the library has.
    """
    asked = _(
        "Shall I delete your votes, on all servers, and whatever else I keep about you? This "
        "can't be undone."
    )
    kept = ngettext(
        "The library has {count} text that you wrote on Discord.",
        "The library has {count} texts that you wrote on Discord.",
        written,
    )
    said = [asked, kept.format(count=number(written))] if written else [asked]
    said.append(_(_CHOICES[choice]))
    view = discord.ui.View(timeout=None)
    view.add_item(ConfirmForget(user_id))
    for other in (AuthorChoice.WITHOUT_NAME, AuthorChoice.LEAVE_OUT, None):
        if other is not choice:
            view.add_item(ChooseAuthor(user_id, other))
    view.add_item(LeaveIt(user_id))
    return Card(content="\n\n".join(said), view=view)


_CHOICES = {
    None: N_(
        "What you write can become an answer for others, where a server follows its channel or a "
        "helper saves it. You may have your name taken off that, or your words taken out for good; "
        "I keep to it from then on."
    ),
    AuthorChoice.WITHOUT_NAME: N_("What you wrote is kept without your name."),
    AuthorChoice.LEAVE_OUT: N_("Nothing that you write is kept."),
}


def chosen_line(choice: AuthorChoice | None, changed: int) -> str:
    """Return what a member reads who said what is to be done with what they wrote."""
    if choice is AuthorChoice.WITHOUT_NAME:
        return ngettext(
            "Done: your name is off {count} text, and off whatever is saved from now on.",
            "Done: your name is off {count} texts, and off whatever is saved from now on.",
            changed,
        ).format(count=number(changed))
    if choice is AuthorChoice.LEAVE_OUT:
        return ngettext(
            "Done: {count} text of yours is deleted, and nothing of yours is saved from now on.",
            "Done: {count} texts of yours are deleted, and nothing of yours is saved from now on.",
            changed,
        ).format(count=number(changed))
    return _("Noted: what you write may be saved again. What was taken out stays out.")


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


def _question(asked: str, confirm: ConfirmReset) -> Card:
    view = discord.ui.View(timeout=None)
    view.add_item(confirm)
    view.add_item(LeaveIt(confirm.user_id))
    return Card(content=asked, view=view)
