"""Hypothesis strategies for threads, for tests that write and read back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from bot.models import Answer, Thread, plain_key

# Lines that mean something to one of the forms, as texts may have them too.
_PIECES = [
    *(
        "# Heading",
        "## Answer",
        "## Answer (score 3)",
        "### Why?",
        "## How do I go",
        "### Is it so? (beta)",
        "Title\n===",
        "Title\n---",
        "---",
    ),
    *("```", "````", "~~~", "```py\ncode\n```", "<!-- open", "-->", "<!-- threadwise {} -->"),
    *('<!-- threadwise {"id": "x"} -->', "<pre>", "<div>", "> # quoted?", "- item\n\n  # inner?"),
    *("    # code", "score:3", "Upvote:2", "Accepted answer", "Upvote:x", "More post"),
    *("Related post", "", " ", "\t", "\\# no", "```markdown verbatim\nx\n```", "{#name}"),
    *("| a | b |", "[x]: http://e.org", "\ufeff", "&amp;", "*a*", "`b`", "Q: how", "\r", "\r\n"),
    *("\u2028", "\x0b", "\x85", "]]>", "<![CDATA["),
]
letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
text = st.one_of(
    st.text(letters, max_size=40),
    st.lists(st.sampled_from(_PIECES) | st.text(letters, max_size=8), max_size=6).map("\n".join),
)
written = text.filter(str.strip)
identity = written.filter(lambda text: plain_key(text) == text)
title = written | st.sampled_from(_PIECES).filter(str.strip)
score = st.sampled_from([0, 1, -7]) | st.integers(-(2**63), 2**63 - 1)
zones = st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(
    lambda delta: timezone(timedelta(minutes=delta // timedelta(minutes=1)))
)
# A day from either end, so that any zone's instant exists in UTC too.
moments = st.datetimes(datetime(1, 1, 2), datetime(2024, 12, 30), timezones=st.just(UTC) | zones)
dates = st.none() | moments
tallies = st.dictionaries(
    st.integers(0, 2**63 - 1), st.integers(-(2**31), 2**31 - 1), max_size=3
).map(lambda votes: tuple(sorted(votes.items())))
accepted_in = st.dictionaries(st.integers(0, 2**63 - 1), moments, max_size=2).map(
    lambda guilds: tuple(sorted(guilds.items()))
)
answer = st.builds(
    Answer,
    body=written,
    score=score,
    key=st.none() | identity,
    author=st.none() | text,
    url=st.none() | text,
    license=st.none() | text,
    answered_at=dates,
    tallies=st.just(()) | tallies,
    accepted_in=st.just(()) | accepted_in,
)


def _accepting(answers: list[Answer], accepted: int) -> tuple[Answer, ...]:
    return tuple(replace(a, accepted=index == accepted) for index, a in enumerate(answers))


answers = st.builds(
    _accepting,
    st.lists(answer, max_size=4, unique_by=lambda a: a.key if a.key is not None else object()),
    st.integers(0, 5),
)
threads = st.builds(
    Thread,
    key=identity,
    title=title,
    body=text,
    score=score,
    tags=st.lists(text, max_size=3).map(tuple),
    url=st.none() | text,
    author=st.none() | text,
    license=st.none() | text,
    asked_at=dates,
    closed_at=dates,
    source=st.none() | text,
    related=st.lists(text, max_size=2).map(tuple),
    phrasings=st.lists(text, max_size=3).map(tuple),
    answers=answers,
)
