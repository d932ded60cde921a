"""The questions of a message that asks several."""

from __future__ import annotations

import re

from bot.services.question_form import LINK, masked_quotations
from bot.services.small_talk import small_talk

MOST_PARTS = 3
"""Questions of one message that are looked at."""

LEAST_WORDS = 3
"""Words of a question that can stand by itself: "right?" can't."""

_SENTENCE = re.compile(r"[^.!?\n\u3002\uff01\uff1f\u061f]++(?P<marks>[?\uff1f\u061f]*+)")
_JOINED = re.compile(
    r"\A(?:(?:and|or|also|but|und|oder|auch|aber|et|ou|aussi|mais|y|también|pero|e|também|mas"
    r"|и|или|а|ещё|но|ve|veya|ayrıca|ama)\b[\s,]*+)++(?=\w)",
    re.IGNORECASE,
)
"""Words that join a question to what stands before it, and say nothing of what it asks."""

_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{6}")


def questions_in(text: str) -> list[str]:
    """Return the sentences of a text that ask something by themselves, by their question marks.

    They are without links, and without the words that join them to what stands before, as in
    "and how do I …?". What stands in code or in a mention ends no sentence.
    """
    text = LINK.sub(" ", text)
    found = _SENTENCE.finditer(masked_quotations(text))
    return [
        _JOINED.sub("", text[match.start() : match.end()].strip())
        for match in found
        if match["marks"]
        and (len(_WORD.findall(match[0])) >= LEAST_WORDS or _UNSPACED.search(match[0]))
    ]


def worth_asking(text: str) -> list[str]:
    """Return the questions of a text without small talk such as "how are you?"."""
    return [question for question in questions_in(text) if small_talk(question) is None]
