"""Cards for moderators: /library, /settings and /phrasings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

import discord
from discord import ButtonStyle
from discord.ui import Button, DynamicItem, Item
from discord.utils import format_dt

from bot.guild_settings import GuildSettings
from bot.i18n import N_, ngettext, number
from bot.i18n import gettext as _
from bot.phrasings import LearnedPhrasing
from bot.settings_commands import COMMANDS
from bot.ui import limits, text
from bot.ui.cards import ANSWER, MUTED, Card
from bot.ui.facts import answers_counted, threads_counted, votes_counted
from bot.ui.items import Pressable, button, row_id


class RemoveThese(
    Pressable,
    DynamicItem[Button[Any]],
    template=r"tw:remove:(?P<kind>[ts]):(?P<thread>\d{1,20}):(?P<count>\d{1,9})",
):
    """Button that removes a thread, or its whole source, of ``count`` threads when it was shown."""

    counts = False

    def __init__(self, thread_id: int, count: int, *, whole_source: bool):
        self.thread_id, self.count, self.whole_source = thread_id, count, whole_source
        name = ngettext("Remove it", "Remove all {count}", count).format(count=number(count))
        custom_id = f"tw:remove:{'s' if whole_source else 't'}:{thread_id}:{count}"
        super().__init__(button(name, custom_id, ButtonStyle.danger))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        whole = match["kind"] == "s"
        return cls(row_id(match["thread"]), int(match["count"]), whole_source=whole)


class KeepThem(Pressable, DynamicItem[Button[Any]], template=r"tw:keep"):
    """Button that leaves everything as it is."""

    counts = False

    def __init__(self) -> None:
        super().__init__(button(_("Keep"), "tw:keep"))


class BringBack(Pressable, DynamicItem[Button[Any]], template=r"tw:undo:(?P<moment>\d{1,18})"):
    """Button that brings back what was removed at a moment (microseconds since 1970)."""

    counts = False

    def __init__(self, moment: int):
        self.moment = moment
        super().__init__(button(_("Undo"), f"tw:undo:{moment}", ButtonStyle.primary))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["moment"]))


class JudgePhrasing(
    Pressable,
    DynamicItem[Button[Any]],
    template=r"tw:phrasing:(?P<way>keep|back):(?P<phrasing>\d{1,20}):(?P<thread>\d{1,20})",
):
    """Button that keeps a learned phrasing or takes it back.

    ``thread_id`` is that of the list under which it is, 0 for the list of all.
    """

    counts = False

    def __init__(self, phrasing_id: int, thread_id: int, *, keeps: bool, row: int | None = None):
        self.phrasing_id, self.thread_id, self.keeps = phrasing_id, thread_id, keeps
        way = "keep" if keeps else "back"
        name = _("Keep {number}") if keeps else _("Take back {number}")
        style = ButtonStyle.primary if keeps else ButtonStyle.secondary
        custom_id = f"tw:phrasing:{way}:{phrasing_id}:{thread_id}"
        super().__init__(button(name.format(number=phrasing_id), custom_id, style), row=row)

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        phrasing, thread = row_id(match["phrasing"]), row_id(match["thread"])
        return cls(phrasing, thread, keeps=match["way"] == "keep")


ALL = (RemoveThese, KeepThem, BringBack, JudgePhrasing)
"""All of these items, for the client to register."""


def figures_card(
    libraries: Sequence[tuple[str, int, int, int]],
    votes: int,
    phrasings: int,
    sources: Sequence[tuple[str | None, int, bool]],
    last: tuple[str, datetime] | None,
) -> Card:
    """Return the library in figures.

    ``libraries`` are names with threads, answers and accepted answers; ``sources`` names
    with threads, and whether they are shared; ``last`` is the last import's file and time.
    """
    embed = discord.Embed(title=_("The library, seen from this server"), colour=ANSWER)
    for name, threads, answers, accepted in libraries:
        value = f"**{threads_counted(threads)}**\n{answers_counted(answers)}\n"
        value += _("{count} accepted").format(count=number(accepted))
        embed.add_field(name=name, value=value)
    learned = ngettext("{count} phrasing learned", "{count} phrasings learned", phrasings)
    given = f"{votes_counted(votes)}\n{learned.format(count=number(phrasings))}"
    embed.add_field(name=_("From members"), value=given)
    shown = [_source(name, count, shared=shared) for name, count, shared in sources]
    if shown:
        embed.add_field(name=_("Threads by source"), value=text.lines(shown), inline=False)
    if last is not None:
        when = format_dt(last[1], "R")
        embed.add_field(name=_("Last import"), value=f"{name_of(last[0])}, {when}", inline=False)
    return Card(embed=embed)


def _source(name: str | None, count: int, *, shared: bool) -> str:
    said = _("{source}: {count} (shared)") if shared else "{source}: {count}"
    named = text.title(name or _("unknown"), limits.FACT)
    return said.format(source=named, count=number(count))


def removal_card(name: str, threads: int, votes: int, button: RemoveThese) -> Card:
    """Return the question whether it is really to be removed."""
    embed = discord.Embed(title=_("Remove this?"), colour=discord.Colour.red())
    said = name_of(name)
    if button.whole_source:
        all_of = _("All of {source}: {threads}")
        said = all_of.format(source=said, threads=threads_counted(threads))
    if votes:
        with_votes = _("with {votes}").format(votes=votes_counted(votes))
        said += f" {with_votes}" if button.whole_source else f"\n{with_votes}"
    embed.description = said
    embed.set_footer(
        text=_(
            "It can be undone for a day. After that it is gone for good, with its votes and what "
            "members taught."
        )
    )
    view = discord.ui.View(timeout=None)
    view.add_item(button)
    view.add_item(KeepThem())
    return Card(embed=embed, view=view)


def removed_card(name: str, threads: int, moment: int, until: datetime) -> Card:
    """Return what was removed, with a button that undoes it."""
    embed = discord.Embed(title=_("Removed"), colour=MUTED)
    more = f" ({threads_counted(threads)})" if threads != 1 else ""
    undone = _("This can be undone until {time}, here or with `/library restore`.")
    embed.description = f"{name_of(name)}{more}\n{undone.format(time=format_dt(until, 'f'))}"
    view = discord.ui.View(timeout=None)
    view.add_item(BringBack(moment))
    return Card(embed=embed, view=view)


def name_of(name: str) -> str:
    """Return a title, source or file's name for a sentence of ours."""
    return f"**{text.title(name, limits.ASKED)}**"


_SHORTEST = 6
"""Characters of a line about a phrasing, at least: a number, a letter, quotes and spaces."""


def settings_card(
    settings: GuildSettings,
    modes: Sequence[tuple[int, str]],
    notes: Sequence[str],
    answered: tuple[float, float] | None = None,
) -> Card:
    """Return a guild's settings as a card; ``modes`` are channel ids with what holds there.

    ``answered`` are shares of halves of titles, and of questions without an answer, or None.
    """
    embed = discord.Embed(title=_("Threadwise in this server"), colour=ANSWER)
    for command in COMMANDS:
        embed.add_field(name=_(command.label), value=command.on_card(settings))
    if answered is not None:
        embed.add_field(name=_("What that means here"), value=_meaning(*answered), inline=False)
    named = [f"<#{channel_id}>: {mode}" for channel_id, mode in modes]
    embed.add_field(
        name=_("Channels"),
        value=text.lines(named) or _("all as usual: I answer when I'm mentioned"),
        inline=False,
    )
    if notes:
        embed.add_field(name=_("Mind"), value=text.lines(notes), inline=False)
    return Card(embed=embed)


def _meaning(known: float, unknown: float) -> str:
    measured = _(
        "Asked halves of titles, I answer {known} rightly. Asked what has no answer here, "
        "I answer {unknown} all the same."
    ).format(known=f"{known * 100:.0f} %", unknown=f"{unknown * 100:.0f} %")
    return (
        measured + "\n" + _("A hard test of my own, to compare presets by: members ask otherwise.")
    )


def phrasings_card(
    phrasings: Sequence[LearnedPhrasing], thread: str = "", *, only_kept: bool = False
) -> Card:
    """Return learned phrasings as a card; of one thread, if its title is given.

    Those that no helper has kept come first, with buttons for the first of them; of these,
    those that members agree upon. ``only_kept`` says that nothing counts before it is kept.
    """
    embed = discord.Embed(
        title=text.title(thread, limits.EMBED_TITLE) if thread else _("What members taught me"),
        colour=ANSWER,
    )
    in_order = sorted(phrasings, key=lambda phrasing: (phrasing.kept, not phrasing.agreed))
    most = limits.EMBED_DESCRIPTION // _SHORTEST  # there may be thousands
    taught = [_phrasing(phrasing, with_title=not thread) for phrasing in in_order[:most]]
    more = max(0, len(phrasings) - most)
    embed.description = text.lines(taught, limits.EMBED_DESCRIPTION, more)
    unkept = [phrasing for phrasing in in_order if not phrasing.kept]
    if not unkept:
        return Card(embed=embed)
    meaning = [_(_WHAT_COUNTS_MEANS)] if any(phrasing.confirmed for phrasing in unkept) else []
    if any(not phrasing.confirmed for phrasing in unkept):
        meaning.append(_(_WHAT_WAITS_MEANS) if only_kept else _(_WHAT_NEW_MEANS))
    embed.set_footer(text="\n".join(meaning))
    view = discord.ui.View(timeout=None)
    for row, phrasing in enumerate(unkept[: limits.BUTTON_ROWS]):
        of_thread = phrasing.thread_id if thread else 0
        view.add_item(JudgePhrasing(phrasing.id, of_thread, keeps=True, row=row))
        view.add_item(JudgePhrasing(phrasing.id, of_thread, keeps=False, row=row))
    return Card(embed=embed, view=view)


_WHAT_COUNTS_MEANS = N_(
    "One that counts already goes when a member votes against it, unless you keep it."
)
_WHAT_NEW_MEANS = N_(
    "A new one counts for the member who taught it alone, until another confirms it or you keep it."
)
_WHAT_WAITS_MEANS = N_("A new one counts for the members who taught it alone, until you keep it.")

_TEACHERS = 2
"""Members that are named of those who taught a phrasing: as many as make it count."""


def _phrasing(phrasing: LearnedPhrasing, *, with_title: bool) -> str:
    said = f"`{phrasing.id}` {text.title(phrasing.text, limits.PHRASING)}"
    members = phrasing.teachers or (phrasing.user_id,)
    taught = ", ".join(f"<@{member}>" for member in members[:_TEACHERS])
    taught += ", …" if len(members) > _TEACHERS else ""
    if phrasing.learned_at is not None:
        taught += f" {format_dt(phrasing.learned_at, 'R')}"
    if not phrasing.kept:
        taught = " · ".join([taught, _("counts already") if phrasing.confirmed else _("new")])
    if not with_title:
        return f"{said} · {taught}"
    of = _("for: {title}").format(title=text.title(phrasing.title, limits.FACT))
    return f"{said}\n-# {of} · {taught}"
