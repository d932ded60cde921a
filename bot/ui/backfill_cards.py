"""Cards of a backfill: its progress, and its result."""

from __future__ import annotations

import re
from typing import Any, Self

import discord
from discord import ButtonStyle
from discord.ui import Button, DynamicItem, Item

from bot.following import Backfill, BackfillState, Figure, FollowedChannel
from bot.i18n import N_, ngettext, number
from bot.i18n import gettext as _
from bot.posts import LOOKED_AT
from bot.ui.cards import Card
from bot.ui.items import Pressable, button, row_id
from bot.ui.review_cards import ReviewPosts

GOES_ON = N_("`/library backfill` goes on there.")


class StopBackfill(
    Pressable, DynamicItem[Button[Any]], template=r"tw:backfill:stop:(?P<channel>\d{1,20})"
):
    """Button that stops the backfill of a channel."""

    counts = False

    def __init__(self, channel_id: int):
        self.channel_id = channel_id
        super().__init__(button(_("Stop"), f"tw:backfill:stop:{channel_id}", ButtonStyle.danger))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["channel"]))


ALL = (StopBackfill,)
"""All of these items, for the client to register."""


def backfill_card(channel: FollowedChannel, problem: str | None = None) -> Card:
    """Return how far the backfill of a channel is, with what has stopped it, if something did."""
    backfill = channel.backfill or Backfill(state=BackfillState.STOPPED)
    lines = [_heading(channel, backfill), *_figures(backfill)]
    if problem:
        lines += [f"⚠️ {problem} {_(GOES_ON)}"]
    elif backfill.state in (BackfillState.STOPPED, BackfillState.FAILED):
        lines.append(_(GOES_ON))
    view = None
    if backfill.state is BackfillState.RUNNING:
        view = discord.ui.View(timeout=None)
        view.add_item(StopBackfill(channel.channel_id))
    elif backfill.counts.get(Figure.PROPOSED):
        view = discord.ui.View(timeout=None)
        view.add_item(ReviewPosts())
    return Card(content="\n".join(lines), view=view)


def _heading(channel: FollowedChannel, backfill: Backfill) -> str:
    read = backfill.counts.get(Figure.READ, 0)
    posts = ngettext("{count} post", "{count} posts", read).format(count=number(read))
    named = {"channel": f"<#{channel.channel_id}>", "posts": f"**{posts}**"}
    if backfill.state is BackfillState.DONE:
        return _("I have read all posts of {channel}: {posts}.").format(**named)
    if backfill.state is not BackfillState.RUNNING:
        return _("I stopped reading the posts of {channel}, after {posts}.").format(**named)
    said = _("I am reading the posts of {channel}, newest first: {posts} so far.").format(**named)
    if backfill.before is None:
        return said
    # A day as each reader's Discord writes it.
    when = f"<t:{int(backfill.before.timestamp())}:D>"
    return f"{said} " + _("I am at those that were closed on {day}.").format(day=when)


def _figures(backfill: Backfill) -> list[str]:
    """Return what came of the posts, and what is to be known of it."""
    counts = backfill.counts
    words = {
        Figure.SOLVED: _("**{count}** solved, which I answer with now"),
        Figure.PROPOSED: _("**{count}** for `/library review`"),
        Figure.GONE: _("**{count}** deleted meanwhile"),
        Figure.LEFT_OUT: _("**{count}** left out, as their authors want it or without words"),
    }
    shown = [
        said.format(count=number(counts[figure]))
        for figure, said in words.items()
        if counts.get(figure)
    ]
    lines = [" · ".join(shown)] if shown else []
    if cut := counts.get(Figure.CUT, 0):
        said = ngettext(
            "Of {count} long post I read the first {most} messages only.",
            "Of {count} long posts I read the first {most} messages only.",
            cut,
        )
        lines.append("-# " + said.format(count=number(cut), most=number(LOOKED_AT)))
    return lines
