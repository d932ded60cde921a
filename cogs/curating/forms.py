"""Forms of text fields, which report what goes wrong as commands do."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import discord

from bot.client import Interaction
from bot.error_replies import report_error
from bot.i18n import gettext as _
from bot.ui import text

LONGEST = 4_000
"""Characters that a field takes."""

TITLE = 45
"""Characters of a form's title, and of a field's label."""

LONGEST_TITLE = 300
"""Characters of a thread's title in a form."""

TAGS = 200
"""Characters of all tags of a new thread."""

TITLE_FIELD = "title"
"""The name of the field of a thread's title."""

_COMMA = re.compile("[,\uff0c\u3001\u060c]")

Values = Mapping[str, str]
"""What was filled in, by the names of the fields."""

Done = Callable[[Interaction, Values], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a form; ``value`` is what stands in it at first, of at most ``limit``."""

    name: str
    label: str
    value: str = ""
    hint: str = ""
    limit: int = LONGEST
    required: bool = True
    long: bool = True


def title_field(value: str = "") -> Field:
    """Return the field of a question's title."""
    label = _("Question, in one line")
    return Field(name=TITLE_FIELD, label=label, value=value, limit=LONGEST_TITLE, long=False)


def body_field(name: str, value: str = "") -> Field:
    """Return the field of what a question says beside its title."""
    return Field(name=name, label=_("More of the question"), value=value, required=False)


def tags_field(value: str = "", limit: int = TAGS) -> Field:
    """Return the field of a thread's tags."""
    label, hint = _("Tags"), _("With commas between them")
    return Field(
        name="tags", label=label, hint=hint, value=value, limit=limit, required=False, long=False
    )


def fits(value: str, limit: int = LONGEST) -> bool:
    """Return whether a text can stand in a field of a form, whole."""
    return text.width(value) <= limit


class Form(discord.ui.Modal):
    """A form; ``done`` is called with what was filled in."""

    def __init__(self, title: str, fields: Sequence[Field], done: Done):
        super().__init__(title=text.label(title, TITLE))
        self._done = done
        self._inputs: dict[str, discord.ui.TextInput[Any]] = {}
        for field in fields:
            style = discord.TextStyle.long if field.long else discord.TextStyle.short
            self._inputs[field.name] = discord.ui.TextInput(
                custom_id=field.name,
                style=style,
                default=field.value or None,
                required=field.required,
                max_length=field.limit,
            )
            self.add_item(
                discord.ui.Label(
                    text=text.label(field.label, TITLE),
                    description=field.hint or None,
                    component=self._inputs[field.name],
                )
            )

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Hand over what was filled in."""
        interaction.client.languages.speak_to(interaction)
        values = {name: field.value.strip() for name, field in self._inputs.items()}
        await self._done(cast(Interaction, interaction), values)

    async def on_error(  # type: ignore[override]  # a modal is called without an item
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        """Report what went wrong."""
        await report_error(interaction, error, type(self).__name__)


def tags_of(value: str) -> tuple[str, ...]:
    """Return the tags that were written with commas between them."""
    tags = (" ".join(tag.split()) for tag in _COMMA.split(value))
    return tuple(dict.fromkeys(tag for tag in tags if tag))
