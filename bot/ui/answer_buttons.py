"""Buttons that stand on an answer's card in some places only: to vote, and to share it."""

from __future__ import annotations

import re
from typing import Any, Self

from discord import ButtonStyle
from discord.ui import Button, DynamicItem, Item

from bot.i18n import gettext as _
from bot.models import Vote
from bot.ui.items import Place, Pressable, button, vote_label


class CardVote(
    Pressable, DynamicItem[Button[Any]], template=r"tw:vote:(?P<vote>up|down):" + Place.PATTERN
):
    """Button that votes for or against a card's answer, where reactions may not be added.

    It has a plain sign: one emoji that Discord doesn't know would have the whole card refused.
    """

    saves = True

    def __init__(self, value: Vote, place: Place):
        self.value = value
        self.place = place
        way = "up" if value is Vote.UP else "down"
        super().__init__(button(vote_label(value), f"tw:vote:{way}:{place}"))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(Vote.UP if match["vote"] == "up" else Vote.DOWN, Place.parse(match))


def is_card_vote(custom_id: str) -> bool:
    """Return whether the id of a button is that of one that votes on a card."""
    return custom_id.startswith("tw:vote:")


class Share(Pressable, DynamicItem[Button[Any]], template=r"tw:share:" + Place.PATTERN):
    """Button that posts a private answer for everybody in the channel."""

    def __init__(self, place: Place):
        self.place = place
        super().__init__(button(_("Share"), f"tw:share:{place}", ButtonStyle.primary))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(Place.parse(match))


class Accept(Pressable, DynamicItem[Button[Any]], template=r"tw:(?:un)?accept:" + Place.PATTERN):
    """Button by which helpers accept the answer on a page, or take their acceptance back."""

    saves = True

    def __init__(self, place: Place, *, back: bool = False):
        self.place, self.back = place, back
        custom_id = f"tw:unaccept:{place}" if back else f"tw:accept:{place}"
        super().__init__(button(_("Take acceptance back") if back else _("Accept"), custom_id))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(Place.parse(match), back=match[0].startswith("tw:unaccept:"))


ALL = (CardVote, Share, Accept)
"""All of these items, for the client to register."""
