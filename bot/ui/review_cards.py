"""Cards of posts that wait for helpers, and the buttons by which these decide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import discord
from discord import ButtonStyle
from discord.ui import Button, DynamicItem, Item, Select

from bot.i18n import N_, ngettext, number
from bot.i18n import gettext as _
from bot.ui import limits, text
from bot.ui.cards import ANSWER, Card
from bot.ui.items import Pressable, button, row_id

QUESTION, ANSWERED = 700, 2_500
"""Characters of a question and of an answer that are shown."""

NOTHING_WAITS = N_("There is nothing to review.")


class ReviewPosts(Pressable, DynamicItem[Button[Any]], template=r"tw:review"):
    """Button that shows a helper the first post that waits."""

    counts = False

    def __init__(self) -> None:
        super().__init__(button(_("Review"), "tw:review", ButtonStyle.primary))


class TakeProposed(
    Pressable,
    DynamicItem[Button[Any]],
    template=r"tw:review:take:(?P<post>\d{1,20}):(?P<message>\d{1,20})",
):
    """Button that takes a message for the solution of a post."""

    counts = False
    saves = True

    def __init__(self, post_id: int, message_id: int):
        self.post_id, self.message_id = post_id, message_id
        custom_id = f"tw:review:take:{post_id}:{message_id}"
        super().__init__(button(_("Take"), custom_id, ButtonStyle.success))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["post"]), row_id(match["message"]))


class SkipProposed(
    Pressable, DynamicItem[Button[Any]], template=r"tw:review:skip:(?P<post>\d{1,20})"
):
    """Button that leaves a post out."""

    counts = False

    def __init__(self, post_id: int):
        self.post_id = post_id
        super().__init__(button(_("Skip"), f"tw:review:skip:{post_id}"))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["post"]))


@dataclass(frozen=True, slots=True)
class Choice:
    """A message to choose; ``likes`` people like it."""

    message_id: int
    author: str | None
    text: str
    likes: int


class ChooseAnother(
    Pressable, DynamicItem[Select[Any]], template=r"tw:review:choose:(?P<post>\d{1,20})"
):
    """Menu of the other messages of a post."""

    counts = False

    def __init__(self, post_id: int, choices: Sequence[Choice] = ()):
        self.post_id = post_id
        options = [
            discord.SelectOption(
                label=text.label(choice.text, limits.OPTION_TEXT),
                value=str(choice.message_id),
                description=text.label(_by(choice), limits.OPTION_TEXT),
            )
            for choice in choices[: limits.SELECT_OPTIONS]
        ]
        super().__init__(
            Select(
                placeholder=_("Another message…"),
                custom_id=f"tw:review:choose:{post_id}",
                options=options,
            )
        )

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["post"]))

    @property
    def chosen(self) -> int | None:
        """Return the id of the message that was chosen."""
        return next((row_id(v) for v in self.item.values if v.isdecimal() and len(v) <= 20), None)


ALL = (ReviewPosts, TakeProposed, SkipProposed, ChooseAnother)
"""All of these items, for the client to register."""


def proposal_card(
    post_id: int,
    title: str,
    link: str,
    question: str,
    proposed: Choice,
    others: Sequence[Choice],
    *,
    waiting: int,
    channel: str,
    note: str = "",
) -> Card:
    """Return a post with its question, the proposed answer, and what a helper may do."""
    embed = discord.Embed(title=text.title(title, limits.EMBED_TITLE), url=link, colour=ANSWER)
    asked = text.cut(text.body(question), QUESTION) if question else ""
    heading = f"**{_('Proposed answer')}** · {text.title(_by(proposed), limits.FACT)}"
    answer = text.cut(text.body(proposed.text), ANSWERED)
    embed.description = "\n\n".join(filter(None, (asked, f"{heading}\n{answer}")))
    left = _("{count} to review").format(count=number(waiting))
    embed.set_footer(text=f"#{text.label(channel, limits.FACT)} · {left}")
    view = discord.ui.View(timeout=None)
    view.add_item(TakeProposed(post_id, proposed.message_id))
    view.add_item(SkipProposed(post_id))
    if others:
        view.add_item(ChooseAnother(post_id, others))
    return Card(content=note or None, embed=embed, view=view)


def nothing_waits_card(note: str = "") -> Card:
    """Return what is said when nothing waits for a helper any more."""
    return Card(content="\n".join(filter(None, (note, _(NOTHING_WAITS)))))


def _by(choice: Choice) -> str:
    """Return who wrote a message, and how many people like it."""
    likes = ngettext("{count} likes it", "{count} like it", choice.likes)
    said = likes.format(count=number(choice.likes)) if choice.likes else ""
    return " · ".join(filter(None, (choice.author, said))) or _("somebody")
