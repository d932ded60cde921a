"""Texts about followed channels: lists, notices, and the line below a solved post."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import discord
from discord.ui import Button, DynamicItem, Item

from bot.following import FollowedChannel
from bot.i18n import N_, ngettext, number
from bot.i18n import gettext as _
from bot.ui import limits, text
from bot.ui.cards import ANSWER, Card
from bot.ui.items import Pressable, button, row_id

KEPT_HERE = N_(
    "What solves a question here is kept in my library, with its author's name and a link, and "
    "shown to others on this server who ask the same. `/forget-me` takes yours out."
)
"""What members of a followed channel are told, in the channel or in its guidelines."""

HOW_TO_MARK = N_(
    "Did a message solve this? Say so: its menu → *Apps* → *Mark as solution*, or {emoji} on it."
)
"""What is said in each new post where moderators want that."""

NONE_FOLLOWED = N_("I follow no channel here yet. `/library follow` begins.")


class TellInGuidelines(
    Pressable, DynamicItem[Button[Any]], template=r"tw:guidelines:(?P<channel>\d{1,20})"
):
    """Button that says in a forum's guidelines that its solved posts are kept."""

    counts = False

    def __init__(self, channel_id: int):
        self.channel_id = channel_id
        super().__init__(button(_("Say so in its guidelines"), f"tw:guidelines:{channel_id}"))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(row_id(match["channel"]))


class NotTheSolution(Pressable, DynamicItem[Button[Any]], template=r"tw:unsolved"):
    """Button below a solved post by which helpers and the asker say that something else solved it.

    The post is the one that the message stands in.
    """

    counts = False
    saves = True

    def __init__(self) -> None:
        super().__init__(button(_("Not the solution"), "tw:unsolved"))


class Reopen(Pressable, DynamicItem[Button[Any]], template=r"tw:reopen"):
    """Button by which helpers and the asker say that nothing solved a post yet."""

    counts = False
    saves = True

    def __init__(self) -> None:
        super().__init__(button(_("Reopen"), "tw:reopen"))


ALL = (TellInGuidelines, NotTheSolution, Reopen)
"""All of these items, for the client to register."""


@dataclass(frozen=True, slots=True)
class ListedChannel:
    """A followed channel as it is listed.

    ``is_there`` says that it was not deleted, ``is_seen`` that the bot may read it.
    """

    channel: FollowedChannel
    solved: int
    proposed: int
    is_there: bool = True
    is_seen: bool = True


def followed_card(channel: FollowedChannel, emoji: str, notes: Sequence[str]) -> Card:
    """Return what it means that a channel is followed; a forum has a button for its guidelines."""
    named = f"<#{channel.channel_id}>"
    said = [
        _("I follow {channel} now: what is solved there is found here at once.").format(
            channel=named
        ),
        _(
            "Solved is what its asker or a helper says, by *Apps → Mark as solution* or {emoji} "
            "on the message that helped; and what another bot marked so."
        ).format(emoji=emoji),
    ]
    if channel.instructs:
        said.append(_("Each new post is told how, in one quiet line."))
    if channel.is_forum:
        said += _on_forum(channel)
    else:
        said.append(_("I told its members so, in one line there."))
    view = None
    if channel.is_forum:
        said.append(_("Each solved post says that it is kept. So can the guidelines of the forum."))
        view = discord.ui.View(timeout=None)
        view.add_item(TellInGuidelines(channel.channel_id))
    return Card(content="\n".join([*said, *(f"⚠️ {note}" for note in notes)]), view=view)


def _on_forum(channel: FollowedChannel) -> list[str]:
    tag = channel.solved_tag
    said = (
        _("Its tag for solved posts: **{tag}**").format(tag=text.title(tag, limits.FACT))
        if tag
        else _("It has no tag for solved posts, so I set none.")
    )
    by_reactions = (
        _("Where there is such a tag only, I take the message that most people like.")
        if channel.take_by_reactions
        else _("Where there is such a tag only, a helper is asked, in `/library review`.")
    )
    return [said, by_reactions]


def list_card(channels: Sequence[ListedChannel]) -> Card:
    """Return the channels that a server follows."""
    if not channels:
        return Card(content=_(NONE_FOLLOWED))
    embed = discord.Embed(title=_("Followed channels"), colour=ANSWER)
    lines = [_line(each) for each in channels]
    embed.description = text.lines(lines, limits.EMBED_DESCRIPTION)
    return Card(embed=embed)


def _line(followed: ListedChannel) -> str:
    channel = followed.channel
    if not followed.is_there:
        gone = _("was deleted: `/library unfollow` takes it from this list")
        return f"#{text.title(channel.name, limits.FACT)} · {gone}"
    parts = [
        f"<#{channel.channel_id}>",
        _("{count} solved").format(count=number(followed.solved)),
    ]
    if followed.proposed:
        parts.append(_("{count} to review").format(count=number(followed.proposed)))
    if channel.solved_tag:
        parts.append(_("tag {tag}").format(tag=text.title(channel.solved_tag, limits.FACT)))
    if channel.take_by_reactions:
        parts.append(_("takes by reactions"))
    if channel.instructs:
        parts.append(_("tells new posts how"))
    if not followed.is_seen:
        parts.append(_("**hidden from me**"))
    return " · ".join(parts)


def unfollowed_line(channel: FollowedChannel, threads: int) -> str:
    """Return what is said after a channel was unfollowed."""
    name = text.title(channel.name, limits.FACT)
    said = _("I don't follow **#{name}** any more.").format(name=name)
    if not threads:
        return said
    stays = ngettext(
        "{count} thread from there stays; `/library remove` takes it out, by its source.",
        "{count} threads from there stay; `/library remove` takes them out, by their source.",
        threads,
    ).format(count=number(threads))
    return f"{said} {stays}"


def solved_line(link: str, notes: Sequence[str]) -> Card:
    """Return the line below a post that is solved by the message at an address."""
    said = _(
        "✅ Solved by [this message]({link}). It is in my library now, for others here who ask "
        "the same. `/forget-me` takes yours out."
    ).format(link=link)
    view = discord.ui.View(timeout=None)
    view.add_item(NotTheSolution())
    return Card(content="\n".join(f"-# {line}" for line in (said, *notes)), view=view, silent=True)


def instructions_line(emoji: str) -> Card:
    """Return what is said in a new post: how it is marked as solved, and what becomes of it."""
    lines = (_(HOW_TO_MARK).format(emoji=emoji), _(KEPT_HERE))
    return Card(content="\n".join(f"-# {line}" for line in lines), silent=True)


def unsolved_line() -> Card:
    """Return what the line below a post says once that is solved no longer."""
    return Card(content=f"-# {_('Not solved yet after all: I took it out of my library again.')}")


def marked_card(title: str, notes: Sequence[str], *, is_new: bool) -> Card:
    """Return what is said to who marked a solution; with a way back."""
    said = _("Saved, and found here from now on: **{title}**") if is_new else _(SOLUTION_ALREADY)
    lines = [said.format(title=text.title(title, limits.ASKED)), *notes]
    view = discord.ui.View(timeout=None)
    view.add_item(Reopen())
    return Card(content="\n".join(lines), view=view)


SOLUTION_ALREADY = N_("In the library already, and solved by that message: **{title}**")
