"""The settings of a server that moderators may change, each declared once, here.

A field of ``GuildSettings`` is a setting of the host's (``settings.Settings``), which holds in
guilds that set nothing else; a column of the table ``guild_settings``; and, by an ``Option``, an
option of a ``/settings`` command, which ``/settings show`` and ``/settings reset`` cover too. To
add one: a field, an option, a line in ``.env.example``, and a migration (``make migration``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.errors import ConfigError
from bot.i18n import N_, languages, named
from bot.i18n import gettext as _
from bot.models import Policy, VoteEmoji, bare_emoji

OFF = "off"
"""The value of an emoji that is not used."""

AS_DISCORD = "discord"
"""The language of a server that has chosen none: the one that it has in Discord."""


class GuildSettings(BaseModel):
    """The settings of one guild; every field has a value in force.

    Thresholds are confidences in [0, 1] with ``suggest <= answer``. ``learn_phrasings`` says
    whether the bot learns from what members ask, and uses what it learned. With
    ``unanswered_emoji`` it reacts to questions of ask channels that it has nothing on (OFF: not).
    ``server_language`` is AS_DISCORD or one of ``i18n.languages``; it is no ``language``, as
    LANGUAGE is a variable that many systems set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer_threshold: float = Field(default=0.6, ge=0.0, le=1.0)
    suggest_threshold: float = Field(default=0.3, ge=0.0, le=1.0)
    answer_policy: Policy = Policy.ACCEPTED
    up_emoji: str = Field(default="⬆️", min_length=1, max_length=64)
    down_emoji: str = Field(default="⬇️", min_length=1, max_length=64)
    learn_phrasings: bool = True
    unanswered_emoji: str = Field(default="👀", min_length=1, max_length=64)
    server_language: str = Field(default=AS_DISCORD, min_length=2, max_length=16)

    @property
    def emoji(self) -> VoteEmoji:
        """Return what members vote with on what is posted now."""
        return VoteEmoji(self.up_emoji, self.down_emoji)


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a ``/settings`` command: the setting that it changes, its name and its help.

    Limits of numbers and texts are those of the setting's field. ``choices`` are the values to
    choose from, by which it is parsed, with what Discord shows for each. An emoji is checked
    to be one that the bot can use; it ``may_be_off`` too.
    """

    setting: str
    name: str
    help: str
    choices: Mapping[str, str] = field(default_factory=dict)
    is_emoji: bool = False
    may_be_off: bool = False

    @property
    def type(self) -> Any:
        """Return the type of the setting."""
        return GuildSettings.model_fields[self.setting].annotation

    @property
    def limits(self) -> tuple[Any, Any]:
        """Return the least and the greatest number, or length of a text (``None``: no limit)."""
        schema = GuildSettings.model_json_schema()["properties"][self.setting]
        low, high = ("minLength", "maxLength") if self.type is str else ("minimum", "maximum")
        return schema.get(low), schema.get(high)


@dataclass(frozen=True, slots=True)
class SettingsCommand:
    """A ``/settings`` command, and what people read of its settings.

    ``label`` and ``on_card`` are its field on the card of ``/settings show``; ``reply`` follows
    a change, ``refusal`` a value that is not allowed. With ``nothing_given``, every option may
    be left out, and that is the answer when all are. ``presets`` are values by name, which an
    option ``preset`` offers beside the others.
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


def _percentages(settings: GuildSettings) -> dict[str, str]:
    answer, suggest = settings.answer_threshold, settings.suggest_threshold
    return {"answer": percent(answer), "suggest": percent(suggest)}


_POLICIES = {
    Policy.ACCEPTED.value: N_("accepted: the accepted answer first"),
    Policy.SCORE.value: N_("score: the answer with most votes first"),
}
_LEARNING = N_(
    "From now on I learn how people ask here: when somebody votes for the answer to their "
    "question, or chooses what they meant, I remember their words. `/phrasings list` shows them."
)
_NOT_LEARNING = N_(
    "From now on I learn nothing here, and what I had learned is not used. It is still there: "
    "`/phrasings list` shows it, `/phrasings remove` deletes it."
)


def _language(chosen: str) -> str:
    """Return the name of a language, as its speakers call it, or that none was chosen."""
    return _(_AS_DISCORD) if chosen == AS_DISCORD else named(chosen)


_AS_DISCORD = N_("as set in Discord")
_LANGUAGES = {AS_DISCORD: _AS_DISCORD} | {code: named(code) for code in languages()}

COMMANDS = (
    SettingsCommand(
        name="thresholds",
        help=N_("Say how sure I must be to speak"),
        options=(
            Option("answer_threshold", "answer", N_("From this confidence on I answer (0 to 1)")),
            Option(
                "suggest_threshold",
                "suggest",
                N_("From this confidence on I ask what was meant (0 to 1)"),
            ),
        ),
        label=N_("Thresholds"),
        on_card=lambda now: _(
            "**{preset}**\nanswers from {answer} confidence\nsuggests from {suggest}"
        ).format(preset=_(preset(now)), **_percentages(now)),
        reply=lambda now: _(
            "I answer from {answer} confidence on and suggest from {suggest} on."
        ).format(**_percentages(now)),
        refusal=N_("Thresholds are numbers from 0 to 1, such as 0.6."),
        nothing_given=N_(
            "Give me a number for `answer`, for `suggest`, or for both, or a `preset`."
        ),
        presets=PRESETS,
    ),
    SettingsCommand(
        name="policy",
        help=N_("Say which of a thread's answers comes first"),
        options=(Option("answer_policy", "policy", N_("Which answer comes first"), _POLICIES),),
        label=N_("Answer policy"),
        on_card=lambda now: now.answer_policy.value,
        reply=lambda now: _("Answer policy is now {policy}.").format(
            policy=_(_POLICIES[now.answer_policy])
        ),
        refusal=N_("The answer policy is accepted or score."),
    ),
    SettingsCommand(
        name="emoji",
        help=N_("Say with which emoji people vote"),
        options=(
            Option("up_emoji", "up", N_("For a good answer"), is_emoji=True),
            Option("down_emoji", "down", N_("For a bad answer"), is_emoji=True),
        ),
        label=N_("Voting"),
        on_card=lambda now: f"{now.up_emoji} {now.down_emoji}",
        reply=lambda now: _(
            "From now on people vote with {up} and {down} on what I post. "
            "On earlier messages, the emoji under them count as before."
        ).format(up=now.up_emoji, down=now.down_emoji),
        refusal=N_("A voting emoji is one emoji, of at most 64 characters."),
    ),
    SettingsCommand(
        name="unanswered",
        help=N_("Say how I mark a question in an ask channel that I have nothing on"),
        options=(
            Option(
                "unanswered_emoji",
                "emoji",
                N_("The emoji that I react with, or off"),
                is_emoji=True,
                may_be_off=True,
            ),
        ),
        label=N_("Unanswered questions"),
        on_card=lambda now: (
            _("not marked")
            if now.unanswered_emoji == OFF
            else _("marked with {emoji}").format(emoji=now.unanswered_emoji)
        ),
        reply=lambda now: (
            _("From now on I don't mark questions that I have nothing on.")
            if now.unanswered_emoji == OFF
            else _(
                "From now on I react with {emoji} to questions in ask channels that I have "
                "nothing on, until somebody answers."
            ).format(emoji=now.unanswered_emoji)
        ),
        refusal=N_("The mark is one emoji, of at most 64 characters, or off."),
    ),
    SettingsCommand(
        name="learning",
        help=N_("Say whether I learn how people ask here"),
        options=(
            Option(
                "learn_phrasings",
                "learn",
                N_("Whether I learn from the votes and choices of those who ask"),
                {"on": N_("on"), "off": N_("off")},
            ),
        ),
        label=N_("Learning"),
        on_card=lambda now: _("from votes and choices") if now.learn_phrasings else _("off"),
        reply=lambda now: _(_LEARNING) if now.learn_phrasings else _(_NOT_LEARNING),
        refusal=N_("Learning is on or off."),
    ),
    SettingsCommand(
        name="language",
        help=N_("Say in which language I speak where all can read it"),
        options=(
            Option(
                "server_language", "language", N_("What I speak in channels"), choices=_LANGUAGES
            ),
        ),
        label=N_("Language"),
        on_card=lambda now: _language(now.server_language),
        reply=lambda now: _(
            "In channels I speak this language now: {language}. What I show to one member alone "
            "is in the language of their Discord. Threads stay as they were written."
        ).format(language=_language(now.server_language)),
        refusal=N_("I don't speak that language. Choose one from the list."),
    ),
)


def refusal_of(name: str) -> str:
    """Return what moderators read when a field is given a value that is not allowed."""
    return _(next(c.refusal for c in COMMANDS if any(o.setting == name for o in c.options)))


def check(settings: GuildSettings) -> None:
    """Raise ConfigError, in words for moderators, for settings that contradict each other."""
    low, high = settings.suggest_threshold, settings.answer_threshold
    if low > high:
        raise ConfigError(
            _(
                "The threshold for suggestions ({suggest}) must not be above the one for answers "
                "({answer})."
            ).format(suggest=f"{low:g}", answer=f"{high:g}")
        )
    if bare_emoji(settings.up_emoji) == bare_emoji(settings.down_emoji):
        raise ConfigError(_(EMOJI_MUST_DIFFER))
    if settings.server_language not in _LANGUAGES:
        raise ConfigError(refusal_of("server_language"))


EMOJI_MUST_DIFFER = N_("The two voting emoji must differ.")
