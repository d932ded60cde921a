"""The ``/settings`` commands, declared with the words that moderators read."""

from __future__ import annotations

from bot.emoji_form import bare_emoji
from bot.errors import ConfigError
from bot.guild_settings import (
    AS_DISCORD,
    OFF,
    PRESETS,
    GuildSettings,
    Option,
    SettingsCommand,
    percent,
    preset,
    role_mentions,
)
from bot.i18n import N_, languages, named
from bot.i18n import gettext as _
from bot.models import Policy


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


_CONFIRMING = N_(
    "Nothing that members teach counts for the whole server before a helper keeps it: "
    "`/phrasings list` shows what waits."
)


def _learning_on_card(now: GuildSettings) -> str:
    if not now.learn_phrasings:
        return _("off")
    learned = _("from votes and choices")
    return f"{learned}\n{_('confirmed by helpers')}" if now.confirm_phrasings else learned


def _learning_reply(now: GuildSettings) -> str:
    if not now.learn_phrasings:
        return _(_NOT_LEARNING)
    return f"{_(_LEARNING)} {_(_CONFIRMING)}" if now.confirm_phrasings else _(_LEARNING)


def _language(chosen: str) -> str:
    """Return the name of a language, as its speakers call it, or that none was chosen."""
    return _(_AS_DISCORD) if chosen == AS_DISCORD else named(chosen)


_AS_DISCORD = N_("as set in Discord")


def _languages() -> dict[str, str]:
    """Return the languages to choose from, with their names, which take a while to look up."""
    return {AS_DISCORD: _AS_DISCORD} | {code: named(code) for code in languages()}


def _helpers(now: GuildSettings) -> str:
    """Return the helper roles as people read them; empty if there are none."""
    roles = role_mentions(now.helper_role_ids)
    return f"{roles} ({_('notified')})" if roles and now.ping_helpers else roles


def _helpers_reply(now: GuildSettings) -> str:
    roles = role_mentions(now.helper_role_ids)
    if not roles:
        return _("When I have nothing on a question, I name nobody.")
    if now.ping_helpers:
        said = _("When I have nothing on a question that I was asked, I notify {roles}.")
    else:
        said = _("When I have nothing on a question that I was asked, I name {roles}, silently.")
    return said.format(roles=roles)


HELPERS = SettingsCommand(
    name="helpers",
    help=N_("Show who helps here, and change it"),
    options=(
        Option("helper_role_ids", "add", N_("A role whose members help")),
        Option(
            "ping_helpers",
            "ping",
            N_("Whether they are notified when I name them"),
            {"on": N_("on"), "off": N_("off")},
        ),
    ),
    label=N_("Helpers"),
    on_card=lambda now: _helpers(now) or _("none"),
    reply=_helpers_reply,
    refusal=N_("There are 25 helper roles at most."),
    has_page=True,
)

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
        name="solution",
        help=N_("Say which emoji marks what solved a post"),
        options=(
            Option(
                "solution_emoji", "emoji", N_("What askers and helpers react with"), is_emoji=True
            ),
        ),
        label=N_("Solutions"),
        on_card=lambda now: _("marked with {emoji}").format(emoji=now.solution_emoji),
        reply=lambda now: _(
            "From now on {emoji} from the asker or a helper says which message solved a post of "
            "a followed channel."
        ).format(emoji=now.solution_emoji),
        refusal=N_("The mark is one emoji, of at most 64 characters."),
    ),
    HELPERS,
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
            Option(
                "confirm_phrasings",
                "confirm",
                N_("Whether a helper must keep what members teach before it counts for all"),
                {"on": N_("on"), "off": N_("off")},
            ),
        ),
        label=N_("Learning"),
        on_card=_learning_on_card,
        reply=_learning_reply,
        refusal=N_("Learning is on or off."),
        nothing_given=N_("Say whether I `learn`, or whether helpers `confirm` it first."),
    ),
    SettingsCommand(
        name="language",
        help=N_("Say in which language I speak where all can read it"),
        options=(
            Option(
                "server_language", "language", N_("What I speak in channels"), choices=_languages
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
    if settings.server_language not in (AS_DISCORD, *languages()):
        raise ConfigError(refusal_of("server_language"))


EMOJI_MUST_DIFFER = N_("The two voting emoji must differ.")
