"""The page of /settings helpers: the roles of those who help, with a menu to choose them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Self

import discord
from discord.ui import Button, DynamicItem, Item, RoleSelect

from bot.guild_settings import MAX_HELPER_ROLES
from bot.i18n import N_, ngettext, number
from bot.i18n import gettext as _
from bot.ui import text
from bot.ui.cards import ANSWER, Card
from bot.ui.items import Pressable, button

HELPERS_MAY = N_(
    "They can save messages as answers, write and mend answers with `/answer`, say what solved a "
    "post, and accept answers."
)
"""What helpers can do, in short."""


def role_menu(custom_id: str, now: Sequence[int]) -> RoleSelect[Any]:
    """Return a menu of roles of which as many can be chosen as may help; ``now`` are chosen."""
    return RoleSelect(
        custom_id=custom_id,
        placeholder=_("Who helps? Choose roles, or none"),
        min_values=0,
        max_values=MAX_HELPER_ROLES,
        default_values=[discord.Object(role_id) for role_id in now[:MAX_HELPER_ROLES]],
    )


class SetHelpers(Pressable, DynamicItem[RoleSelect[Any]], template=r"tw:helpers:roles"):
    """Menu of the roles of those who help: those that are chosen help, and no others."""

    counts = False

    def __init__(self, now: Sequence[int] = ()):
        super().__init__(role_menu("tw:helpers:roles", now))

    @property
    def chosen(self) -> list[discord.Role]:
        """Return the roles that were chosen."""
        return list(self.item.values)


class NotifyHelpers(
    Pressable, DynamicItem[Button[Any]], template=r"tw:helpers:notify:(?P<notify>on|off)"
):
    """Button that says whether the helpers are notified when they are named."""

    counts = False

    def __init__(self, *, notify: bool):
        self.notify = notify
        name = _("Notify them") if notify else _("Don't notify them")
        custom_id = f"tw:helpers:notify:{'on' if notify else 'off'}"
        super().__init__(button(name, custom_id))

    @classmethod
    def _parse(cls, match: re.Match[str], item: Item[Any]) -> Self:
        return cls(notify=match["notify"] == "on")


ALL = (SetHelpers, NotifyHelpers)
"""The items of this module, for the client to register."""


def helpers_card(named: str, roles: Sequence[int], gone: int, *, pings: bool) -> Card:
    """Return the page; ``named`` says whom the bot names, ``gone`` counts lost roles."""
    embed = discord.Embed(title=_("Who helps"), colour=ANSWER)
    may = [_(HELPERS_MAY)] if roles else []
    embed.description = text.lines([named, *may, *gone_roles_notes(gone)])
    view = discord.ui.View(timeout=None)
    view.add_item(SetHelpers(roles))
    if roles:
        view.add_item(NotifyHelpers(notify=not pings))
    return Card(embed=embed, view=view)


def gone_roles_notes(count: int) -> Iterator[str]:
    """Yield a line on the helper roles that the server doesn't have, if there are any."""
    if count:
        yield ngettext(
            "{count} role that is set here isn't in this server (any more), so I leave it out.",
            "{count} roles that are set here aren't in this server (any more), so I leave them "
            "out.",
            count,
        ).format(count=number(count))
