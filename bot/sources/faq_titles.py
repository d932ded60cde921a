"""Titles that say what a page holds, questions with their answers, and ask none themselves."""

from __future__ import annotations

import re

_LEADING = r"(?:(?:the|our|general|common)\s+)?"
_NAMES = (
    r"(?:f\.a\.q\.?s?|faqs?|q\s?(?:&|and|\+)\s?as?|"
    r"(?:frequently|commonly)\s+asked\s+questions|common\s+questions|questions\s+(?:and|&)\s+"
    r"answers|häufig(?:e|\s+gestellte)\s+fragen|fragen\s+und\s+antworten|foire\s+aux\s+questions|"
    r"questions\s+fréquentes|preguntas\s+(?:más\s+)?frecuentes|perguntas\s+(?:mais\s+)?frequentes|"
    r"domande\s+frequenti|veelgestelde\s+vragen|często\s+zadawane\s+pytania|sık\s+sorulan\s+sorular|"
    r"часто\s+задаваемые\s+вопросы|よくある(?:ご)?質問|常见问题|常見問題|자주\s*묻는\s*질문)"
)
_WHOLE = re.compile(rf"{_LEADING}{_NAMES}(?:\s*\(.*\))?", re.IGNORECASE)
# "Workshop FAQ", "FAQ - Billing", "Frequently asked questions about keys". "Adding an entry to
# the FAQ" is a title of its own.
_OTHERS = r"[ ,:|/–—-]{1,3}[\w&'’.]{1,40}"
_MORE = re.compile(
    rf"(?P<before>(?:[\w&'’.]{{1,40}}[ ,:|/–—-]{{1,3}}){{1,3}}){_NAMES}"
    rf"|{_NAMES}(?:{_OTHERS}){{1,5}}",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"\b(?:an?|the|to|your|this|how|in|our|what|about)\b", re.IGNORECASE)
_LONGEST = 100
"""Characters of a title that is looked at for more than such a name."""


def is_faq_title(title: str) -> bool:
    """Whether a page's title says that questions stand on it, and asks none itself."""
    words = " ".join(title.split()).strip(" :!.#*_")
    if _WHOLE.fullmatch(words):
        return True
    found = _MORE.fullmatch(words) if len(words) <= _LONGEST else None
    return found is not None and not _ARTICLE.search(found["before"] or "")
