"""The settings of a server that moderators may change.

A field of ``GuildSettings`` is a setting of the host's (``settings.Settings``), which holds in
guilds that set nothing else; a column of the table ``guild_settings``; and, by an ``Option``, an
option of a ``/settings`` command, which ``/settings show`` and ``/settings reset`` cover too. To
add one: a field, an option (in ``settings_commands``), a line in ``.env.example``, and a migration
(``make migration``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.i18n import N_
from bot.models import Policy, VoteEmoji

OFF = "off"
"""The value of an emoji that is not used."""

MAX_HELPER_ROLES = 25
"""Roles that are named as helpers, at most: as many as a menu of Discord's takes."""

AS_DISCORD = "discord"
"""The language of a server that has chosen none: the one that it has in Discord."""


class GuildSettings(BaseModel):
    """The settings of one guild; every field has a value in force.

    Thresholds are confidences in [0, 1] with ``suggest <= answer``. ``learn_phrasings`` says
    whether the bot learns from what members ask, and uses what it learned; with
    ``confirm_phrasings``, that counts for the guild only once a helper kept it. With
    ``unanswered_emoji`` it reacts to questions of ask channels that it has nothing on (OFF: not).
    In followed channels, ``solution_emoji`` on a message says that it solved the post.
    ``server_language`` is AS_DISCORD or one of ``i18n.languages``; it is no ``language``, as
    LANGUAGE is a variable that many systems set.
    ``helper_role_ids`` are the roles of those who help: it names them to who asks what it has
    nothing on, and notifies them only with ``ping_helpers``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer_threshold: float = Field(default=0.6, ge=0.0, le=1.0)
    suggest_threshold: float = Field(default=0.3, ge=0.0, le=1.0)
    answer_policy: Policy = Policy.ACCEPTED
    up_emoji: str = Field(default="⬆️", min_length=1, max_length=64)
    down_emoji: str = Field(default="⬇️", min_length=1, max_length=64)
    learn_phrasings: bool = True
    confirm_phrasings: bool = False
    unanswered_emoji: str = Field(default="👀", min_length=1, max_length=64)
    solution_emoji: str = Field(default="✅", min_length=1, max_length=64)
    server_language: str = Field(default=AS_DISCORD, min_length=2, max_length=16)
    helper_role_ids: tuple[int, ...] = Field(default=(), max_length=MAX_HELPER_ROLES)
    ping_helpers: bool = False

    @property
    def emoji(self) -> VoteEmoji:
        """Return what members vote with on what is posted now."""
        return VoteEmoji(self.up_emoji, self.down_emoji)


@cache
def _schema() -> dict[str, Any]:
    """Return the JSON schema of each setting."""
    properties: dict[str, Any] = GuildSettings.model_json_schema()["properties"]
    return properties


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a ``/settings`` command: the setting that it changes, its name and its help.

    Limits of numbers and texts are those of the setting's field. ``choices`` are the values to
    choose from, by which it is parsed, with what Discord shows for each; a function makes them
    where that takes a while, when the command is made. An emoji is checked
    to be one that the bot can use; it ``may_be_off`` too.
    """

    setting: str
    name: str
    help: str
    choices: Mapping[str, str] | Callable[[], Mapping[str, str]] = field(default_factory=dict)
    is_emoji: bool = False
    may_be_off: bool = False

    @property
    def offered(self) -> Mapping[str, str]:
        """Return the values to choose from, with what Discord shows for each."""
        return self.choices() if callable(self.choices) else self.choices

    @property
    def type(self) -> Any:
        """Return the type of the setting."""
        return GuildSettings.model_fields[self.setting].annotation

    @property
    def limits(self) -> tuple[Any, Any]:
        """Return the least and the greatest number, or length of a text (``None``: no limit)."""
        schema = _schema()[self.setting]
        low, high = ("minLength", "maxLength") if self.type is str else ("minimum", "maximum")
        return schema.get(low), schema.get(high)


@dataclass(frozen=True, slots=True)
class SettingsCommand:
    """A ``/settings`` command, and what people read of its settings.

    ``label`` and ``on_card`` are its field on the card of ``/settings show``; ``reply`` follows
    a change, ``refusal`` a value that is not allowed. With ``nothing_given``, every option may
    be left out, and that is the answer when all are. ``presets`` are values by name, which an
    option ``preset`` offers beside the others. With ``has_page``, the command is made elsewhere
    and shows a page of its own.
    """

    name: str
    help: str
    options: tuple[Option, ...]
    label: str
    on_card: Callable[[GuildSettings], str]
    reply: Callable[[GuildSettings], str]
    refusal: str
    nothing_given: str = ""
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    has_page: bool = False


def role_mentions(role_ids: Iterable[int]) -> str:
    """Return the mentions of roles; whether they notify anybody is another matter."""
    return " ".join(f"<@&{role_id}>" for role_id in role_ids)


def percent(confidence: float) -> str:
    """Return a confidence as people read it; never 100 %, since nothing is that sure."""
    return f"{min(99, round(confidence * 100))} %"


PRESETS = {
    N_("cautious"): {"answer_threshold": 0.75, "suggest_threshold": 0.4},
    N_("balanced"): {"answer_threshold": 0.6, "suggest_threshold": 0.3},
    N_("talkative"): {"answer_threshold": 0.45, "suggest_threshold": 0.2},
}
"""Thresholds by name; those of *balanced* are the defaults of ``GuildSettings``."""


def preset(settings: GuildSettings) -> str:
    """Return the name of the preset that the thresholds are those of, or *own*, in English."""
    for name, values in PRESETS.items():
        if all(getattr(settings, setting) == value for setting, value in values.items()):
            return name
    return N_("own")
