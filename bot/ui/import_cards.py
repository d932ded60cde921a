"""The progress of an import of /library, and its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.i18n import N_, ngettext, number
from bot.i18n import gettext as _
from bot.ui import limits, text
from bot.ui.cards import ACCEPTED, ANSWER, MUTED, Card
from bot.ui.moderator_cards import name_of

BAR = 12
"""Characters of a progress bar: what fits on one line of a telephone."""

MAX_REMARKS = 5
"""Remarks of one kind on an import that are shown: as many as fit in a field (limits)."""


def progress_line(name: str, done: int, total: int) -> str:
    """Return an import's progress as text."""
    full = BAR * done // total if total else 0
    bar = "▰" * full + "▱" * (BAR - full)
    importing = _("Importing {file}").format(file=name_of(name))
    said = ngettext("{done} of {count} thread", "{done} of {count} threads", total)
    return f"{importing}\n{bar} {said.format(done=number(done), count=number(total))}"


@dataclass(frozen=True, slots=True)
class Remarks:
    """The first of some remarks on a file, and the count of all."""

    lines: Sequence[str] = ()
    count: int = 0


OUTCOMES = {
    "added": N_("**{count}** added"),
    "updated": N_("**{count}** updated"),
    "unchanged": N_("**{count}** unchanged"),
}
"""What became of the threads of an import, and the words for it."""


def imported_card(
    name: str,
    counts: dict[str, int],
    problems: Remarks,
    warnings: Remarks,
    others: Remarks,
    *,
    hints: Sequence[str] = (),
) -> Card:
    """Return the result of an import: how many were added and so on, and what was wrong.

    ``counts`` are those of OUTCOMES. ``warnings`` name what got in otherwise than it stands in
    the file, ``others`` what was passed over, ``hints`` what else is worth knowing.
    """
    taken = any(counts.values())
    colour = MUTED if not taken else ANSWER if problems.count else ACCEPTED
    embed = discord.Embed(title=text.title(name, limits.EMBED_TITLE), colour=colour)
    summed = [_(OUTCOMES[what]).format(count=number(count)) for what, count in counts.items()]
    if problems.count:
        summed.append(_("**{count}** rejected").format(count=number(problems.count)))
    lines = [" · ".join(summed), *(text.title(hint, limits.IMPORT_LINE) for hint in hints[:3])]
    embed.description = "\n".join(lines)
    fields = {
        _("Not accepted"): problems,
        _("Changed on the way"): warnings,
        _("Passed over"): others,
    }
    for title, remarks in fields.items():
        if remarks.count:
            embed.add_field(name=title, value=_listed(remarks), inline=False)
    if taken:
        embed.set_footer(
            text=_(
                "Members find them now. Was it the wrong file? /library remove takes threads "
                "out again, one or all of a source."
            )
        )
    return Card(embed=embed)


def _listed(remarks: Remarks) -> str:
    """Return the first remarks as a list, and how many more there are."""
    shown = [f"- {text.title(line, limits.IMPORT_LINE)}" for line in remarks.lines[:MAX_REMARKS]]
    return "\n".join([*shown, *text.and_more(remarks.count - len(shown))])
