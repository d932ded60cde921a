"""Follow-ups: a reply to a card is asked together with the question that the card answered.

Alone, "how do I undo that?" says little. Together with the question before, its words say mostly
what was answered already. So both are searched, and the thread that the card shows is left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot.models import Match, Reply, Verdict
from bot.services.answering import Answering
from bot.services.guilds import Guilds
from bot.services.learning import Learning
from bot.services.postings import Postings


@dataclass(frozen=True, slots=True)
class Followed:
    """The question that a reply follows, as a card answered it, and the thread on the card."""

    question: str
    thread_id: int


class FollowUps:
    """Answers questions that follow a card."""

    def __init__(
        self, answering: Answering, guilds: Guilds, postings: Postings, learning: Learning
    ):
        self._answering, self._guilds = answering, guilds
        self._postings, self._learning = postings, learning

    async def followed(self, message_id: int, user_id: int) -> Followed | None:
        """Return what a member follows who replies to a message; ``None`` if it is no card.

        The question is the member's own, while it is in memory; to others, and after a restart,
        it is the title of the card's thread.
        """
        posting = await self._postings.get(message_id)
        if posting is None:
            return None
        asked = self._learning.question(message_id) if posting.asker_id == user_id else ""
        thread = await self._answering.serve(posting.thread_id, guild_id=posting.guild_id)
        return Followed(asked or thread.title, thread.id) if thread is not None else None

    async def ask(
        self,
        text: str,
        *,
        followed: Followed,
        guild_id: int,
        limit: int = 5,
        asker: int | None = None,
        form_evidence: float = 0.0,
    ) -> Reply:
        """Return the verdict on a text that follows a card.

        - A text that refers to nothing before ("how do I add a sticker?") and is answered by
          itself needs nothing else.
        - Both together are answered if they lead surely to another thread than the card's.
        - Else the text alone is, but if it refers to something ("it", "that") only by the
          thread that is likeliest for both together, after the card's.
        - Else what is likely for either is suggested, if the text refers to something.

        Raises Busy where too many questions wait.
        """
        ask = partial(self._answering.ask, guild_id=guild_id, limit=limit)
        ask = partial(ask, asker=asker, form_evidence=form_evidence)
        alone, refers = await ask(text), refers_back(text)
        if alone.verdict is Verdict.ANSWER and not refers:
            return alone
        # In this order: a question's first words tell most of what it is about.
        both = replace(await ask(f"{text} {followed.question}"), question=text)
        if both.thread is not None and both.thread.id != followed.thread_id:
            return both
        if not refers:
            return alone
        others = _without(both.matches, followed.thread_id)
        likeliest = others[0].thread_id if others else None
        if alone.thread is not None and alone.thread.id == likeliest:
            return alone
        least = (await self._guilds.settings(guild_id)).suggest_threshold
        return _suggesting(alone, others, followed, least, limit)


def refers_back(text: str) -> bool:
    """Return whether a text has a word for something that was named before it."""
    return _REFERRING.search(text) is not None


def _without(matches: Sequence[Match], thread_id: int) -> list[Match]:
    """Return the other matches, as likely as they are if that thread is not meant (Bayes)."""
    taken = sum(match.confidence for match in matches if match.thread_id == thread_id)
    left = max(1.0 - taken, 1e-6)
    return [
        replace(match, confidence=min(1.0, match.confidence / left))
        for match in matches
        if match.thread_id != thread_id
    ]


def _suggesting(
    alone: Reply, others: Sequence[Match], followed: Followed, least: float, limit: int
) -> Reply:
    """Return the reply that suggests what is likely for the text or for both together."""
    best: dict[int, Match] = {}
    for match in (*alone.matches, *others):
        known = best.get(match.thread_id)
        if match.thread_id != followed.thread_id and (
            known is None or match.confidence > known.confidence
        ):
            best[match.thread_id] = match
    matches = sorted(best.values(), key=lambda match: -match.confidence)[:limit]
    first = matches[0].confidence if matches else 0.0
    return replace(
        alone,
        verdict=Verdict.SUGGEST if first >= least else Verdict.NONE,
        confidence=first,
        matches=tuple(matches),
        thread=None,
        answer=None,
    )


_REFERRING = re.compile(
    r"\b(?:it|its|that|this|they|them|their|those|these|one|ones|there|then|mine|same|"
    r"dies|dieser?|dieses|diesen|es|ihn|ihm|damit|davon|dafür|dazu|dort|dann|"
    r"das(?=[?!.]|$)|ça|cela|ceci|celui|celle|ceux|"
    r"eso|esto|ese|esa|ahí|entonces|"
    r"isso|isto|esse|essa|ele|ela|eles|elas|nisso|"
    r"это|этого|этом|его|её|их|там|тогда|"
    r"bunu|onu|bu|şu|bunun|onun|orada)\b"
    r"|それ|これ|その|この|그거|그것|이거|이것|那个|这个|它",
    re.IGNORECASE,
)
"""Words for what was named before, in the ten languages that the bot speaks; those that are
articles or prepositions as well are left out."""
