"""Replies to those who greet the bot, thank it, or ask what it is."""

from __future__ import annotations

from collections.abc import Sequence

from bot.i18n import N_
from bot.i18n import gettext as _
from bot.services.small_talk import SmallTalk
from bot.ui import limits, text

EXAMPLES = 2
"""Questions that are named as examples."""

ANSWERED = frozenset({SmallTalk.ABILITIES, SmallTalk.IDENTITY})
"""What a thread is looked for first. On the seeds, "help" found the one on raids, by words alone
with a confidence of 0.65, and never one that helped."""

SURELY = 0.7
"""Confidence of a thread that is a better reply. With the seeds, by words alone and by meaning,
right threads had 0.72 to 0.98 and the best of the wrong ones 0.69."""

_LINES = {
    SmallTalk.GREETING: N_("Hi! Ask me something, and I look for the answer in the threads here."),
    SmallTalk.THANKS: N_("You're welcome! A vote on the answer helps whoever asks next."),
    SmallTalk.HELP: N_("Ask me in your own words, here or with `/ask`; `/help` shows the rest."),
    SmallTalk.ABILITIES: N_(
        "I find the answer that somebody here has already given, and you vote on it. `/help` "
        "shows more."
    ),
    SmallTalk.IDENTITY: N_(
        "I'm a bot that knows this server's questions and answers. I look them up; I make "
        "nothing up."
    ),
    SmallTalk.INSULT: N_("Sorry if I was no help. Other words often find more."),
}


def reply_line(kind: SmallTalk, examples: Sequence[str]) -> str:
    """Return the reply to small talk, with questions that can be asked."""
    line = _(_LINES[kind])
    if not examples:
        return line
    shown = " · ".join(f"*{text.title(title, limits.PLAIN_LINE)}*" for title in examples)
    return f"{line}\n-# {_('You could ask, for example: {questions}').format(questions=shown)}"
