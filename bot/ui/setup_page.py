"""The page of /setup: what holds in a server, with menus to change it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import discord
from discord import ChannelType
from discord.ui import Button, ChannelSelect, DynamicItem, Item, RoleSelect, Select

from bot.guild_settings import role_mentions
from bot.i18n import N_, ngettext, number
from bot.i18n import gettext as _
from bot.ui import limits, text
from bot.ui.cards import ANSWER, Card
from bot.ui.helpers_page import HELPERS_MAY, role_menu
from bot.ui.items import Pressable, button, row_id

CHANNEL_TYPES = [
    ChannelType.text,
    ChannelType.news,
    ChannelType.forum,
    ChannelType.voice,
    ChannelType.stage_voice,
    ChannelType.category,
]

NEEDED = {
    "view_channel": N_("View Channel"),
    "send_messages": N_("Send Messages"),
    "send_messages_in_threads": N_("Send Messages in Threads"),
    "embed_links": N_("Embed Links"),
    "read_message_history": N_("Read Message History"),
    "add_reactions": N_("Add Reactions"),
}
"""The permissions that the bot works with, as Discord calls them."""


class ChooseChannel(Pressable, DynamicItem[ChannelSelect[Any]], template=r"tw:setup:channel"):
    """Menu of channels: the chosen one's mode is shown, and can be changed."""

    counts = False

    def __init__(self, chosen: int | None = None):
        super().__init__(
            ChannelSelect(
                custom_id="tw:setup:channel",
                channel_types=CHANNEL_TYPES,
                placeholder=_("Choose a channel…"),
                default_values=[discord.Object(chosen)] if chosen else [],
            )
        )

    @property
    def chosen(self) -> int | None:
        """Return the id of the channel that was chosen."""
        return self.item.values[0].id if self.item.values else None


class ChooseMode(
    Pressable, DynamicItem[Select[Any]], template=r"tw:setup:mode:(?P<channel>\d{1,20})"
):
    """Menu of the modes of a channel; ``modes`` says in words what each means."""

    counts = False

    def __init__(self, channel_id: int, modes: Mapping[str, str], now: str = ""):
        self.channel_id = channel_id
        options = [
            discord.SelectOption(
                label=text.label(name, limits.OPTION_TEXT), value=mode, default=mode == now
            )
            for mode, name in modes.items()
        ]
        super().__init__(
            Select(
                custom_id=f"tw:setup:mode:{channel_id}",
                placeholder=_("When do I speak there?"),
                options=options,
            )
        )

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        shown = item.options if isinstance(item, Select) else []
        return cls(row_id(match["channel"]), {option.value: option.label for option in shown})

    @property
    def chosen(self) -> str | None:
        """Return the mode that was chosen."""
        return self.item.values[0] if self.item.values else None


class ChooseHelpers(Pressable, DynamicItem[RoleSelect[Any]], template=r"tw:setup:helpers"):
    """Menu of the roles of those who help."""

    counts = False

    def __init__(self, now: Sequence[int] = ()):
        super().__init__(role_menu("tw:setup:helpers", now))

    @property
    def chosen(self) -> list[discord.Role]:
        """Return the roles that were chosen."""
        return list(self.item.values)


class LookAgain(Pressable, DynamicItem[Button[Any]], template=r"tw:setup:look"):
    """Button that shows the page as things are now."""

    counts = False

    def __init__(self) -> None:
        super().__init__(button(_("Look again"), "tw:setup:look"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SetupState:
    """The settings and channels of a server as the page shows them.

    ``channels`` are channel ids with what holds there in words, ``chosen`` the channel whose mode
    can be changed, ``mode`` what it is set to, ``modes`` all there are in words. ``own`` and
    ``shared`` count threads. Permissions are fields of ``discord.Permissions``: ``missing`` those
    that the bot lacks everywhere, ``missing_in`` those that it lacks in a channel alone;
    ``authorise`` is the address at which they are granted. ``lost_emoji`` are chosen emoji that
    are gone, ``notes`` further lines.
    """

    channels: Sequence[tuple[int, str]]
    chosen: int | None
    mode: str
    modes: Mapping[str, str]
    helpers: Sequence[int]
    pings: bool
    own: int
    shared: int
    missing: Sequence[str]
    missing_in: Mapping[int, Sequence[str]]
    authorise: str
    role: str
    lost_emoji: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=list)


def setup_card(state: SetupState) -> Card:
    """Return the page."""
    embed = discord.Embed(title=_("Set me up"), colour=ANSWER)
    channels = [f"<#{channel_id}>: {mode}" for channel_id, mode in state.channels]
    fields = {
        _("Where I speak"): text.lines(channels) if channels else _(_NOWHERE),
        _("Who helps"): _helpers(state),
        _("What I know"): _knows(state),
        _("Permissions"): text.lines([*_permissions(state)]),
    }
    if notes := [*lost_emoji_notes(state.lost_emoji), *state.notes]:
        fields[_("Mind")] = text.lines(notes)
    for name, value in fields.items():
        embed.add_field(name=name, value=value, inline=False)
    view = discord.ui.View(timeout=None)
    view.add_item(ChooseChannel(state.chosen))
    if state.chosen is not None:
        view.add_item(ChooseMode(state.chosen, state.modes, state.mode))
    view.add_item(ChooseHelpers(state.helpers))
    view.add_item(LookAgain())
    if state.missing:
        view.add_item(Button(label=_("Grant permissions"), url=state.authorise))
    return Card(embed=embed, view=view)


_NOWHERE = N_(
    "Only where I'm mentioned. Choose a channel below in which people ask, then the mode *ask*."
)


def _helpers(state: SetupState) -> str:
    roles = role_mentions(state.helpers)
    if not roles:
        return _(
            "Nobody yet. Choose a role below: I name it to whoever asks what I have nothing on."
        )
    may = _(HELPERS_MAY)
    if state.pings:
        said = _("{roles}: I notify them when I'm asked what I have nothing on.")
    else:
        said = _(
            "{roles}: I name them when I'm asked what I have nothing on, without a notification. "
            "`/settings helpers` changes that."
        )
    return f"{said.format(roles=roles)} {may}"


def _knows(state: SetupState) -> str:
    shared = ngettext("{count} general thread", "{count} general threads", state.shared)
    said = shared.format(count=number(state.shared))
    if not state.own:
        return _("{general}; none of your own: `/library import`").format(general=said)
    own = ngettext("{count} of your own", "{count} of your own", state.own)
    return f"{said}; {own.format(count=number(state.own))}"


def _permissions(state: SetupState) -> Iterator[str]:
    """Yield a line for each place in which permissions are missing, with what to do."""
    if state.missing:
        yield _(
            "In the whole server I lack {permissions}. *Grant permissions* below asks you for them."
        ).format(permissions=_names(state.missing))
    for channel_id, names in state.missing_in.items():
        yield _(
            "In {channel} I lack {permissions}: open *Edit Channel* → *Permissions*, add the role "
            "{role}, and set them to ✅."
        ).format(channel=f"<#{channel_id}>", permissions=_names(names), role=state.role)
    if not state.missing and not state.missing_in:
        yield _("I have all that I need.")


def _names(permissions: Sequence[str]) -> str:
    return ", ".join(f"*{permission_name(name)}*" for name in permissions)


def permission_name(name: str) -> str:
    """Return what Discord calls a permission that the bot works with."""
    return _(NEEDED[name])


def lost_emoji_notes(names: Sequence[str]) -> Iterator[str]:
    """Yield a line on each chosen emoji that is gone."""
    for name in names:
        yield _(
            "The emoji `:{name}:` is gone; I use the usual one instead. `/settings emoji` and "
            "`/settings unanswered` choose others."
        ).format(name=name)


ALL = (ChooseChannel, ChooseMode, ChooseHelpers, LookAgain)
"""The items of this module, for the client to register."""
