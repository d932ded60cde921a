"""Building of threads from the rows of a question and its answers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from bot.models import Answer, Thread
from bot.sources.file_format import VERSION, Draft
from bot.sources.markup import to_markdown
from bot.sources.stackexchange.staging_db import StagedPost, StagedThread

MAX_PHRASINGS = 20
"""Titles of duplicates that a thread takes, the best scored."""

MAX_RELATED = 100
"""Threads that one points to, the best scored: some are linked to by thousands."""

# Where a row doesn't name its licence, these held for what was written before.
_LICENSES = (("2011-04-08", "CC BY-SA 2.5"), ("2018-05-02", "CC BY-SA 3.0"))
_LICENSE_NOW = "CC BY-SA 4.0"

_TAG = re.compile(r"[^<>|]+")


def draft_of(staged: StagedThread, source: str, site: str | None) -> Draft:
    """Return a draft of a thread, to be made when it is needed."""
    question = staged.posts[0]
    return Draft(
        key=f"{source}/{question.id}",
        source=source,
        score=question.score,
        tags=tags_of(question),
        fingerprint=_fingerprint(staged, source, site),
        make=partial(_build, staged, source, site),
    )


def tags_of(question: StagedPost) -> tuple[str, ...]:
    """Return a question's tags, in the older form ``<a><b>`` or the newer ``|a|b|``."""
    return tuple(_TAG.findall(question.tags or ""))


def date_of(text: str) -> datetime:
    """Parse a time as dumps write it, in UTC. Raises ValueError."""
    date = datetime.fromisoformat(text)
    if date.tzinfo is not None:
        return date.astimezone(UTC)
    return datetime.combine(date, date.time(), UTC)  # a quarter of what replace() takes


def license_of(post: StagedPost) -> str | None:
    """Return the licence of a post: the row's own, or what held on the site when it was written."""
    if post.license or not post.created:
        return post.license
    return next((name for before, name in _LICENSES if post.created < before), _LICENSE_NOW)


def _build(staged: StagedThread, source: str, site: str | None) -> Thread:
    question, *answers = staged.posts
    assert question.title is not None
    return Thread(
        key=f"{source}/{question.id}",
        title=question.title,
        body=_markdown(question, site),
        score=question.score,
        tags=tags_of(question),
        url=f"https://{site}/q/{question.id}" if site else None,
        author=question.author,
        license=license_of(question),
        asked_at=_optional_date(question.created),
        closed_at=_optional_date(question.closed),
        source=source,
        phrasings=tuple(_phrasings(question.title, staged.phrasings)),
        related=tuple(f"{source}/{other}" for other in staged.related[:MAX_RELATED]),
        answers=tuple(_answers(answers, question.accepted, site)),
    )


def _answers(posts: list[StagedPost], accepted: int | None, site: str | None) -> Iterator[Answer]:
    for post in posts:
        # An answer that is nothing but a picture without a text says at least where it is.
        url = f"https://{site}/a/{post.id}" if site else None
        if body := _markdown(post, site) or url:
            yield Answer(
                key=str(post.id),
                body=body,
                score=post.score,
                accepted=post.id == accepted,
                author=post.author,
                url=url,
                license=license_of(post),
                answered_at=_optional_date(post.created),
            )


def _phrasings(title: str, duplicates: tuple[str, ...]) -> list[str]:
    """Return the titles of a thread's duplicates that aren't its own, each once."""
    said = {title.casefold()}
    fresh: list[str] = []
    for other in duplicates:
        if other.casefold() not in said and len(fresh) < MAX_PHRASINGS:
            said.add(other.casefold())
            fresh.append(other)
    return fresh


def _markdown(post: StagedPost, site: str | None) -> str:
    return to_markdown(post.body, base_url=f"https://{site}/" if site else None)


def _optional_date(text: str | None) -> datetime | None:
    return date_of(text) if text else None


def _fingerprint(staged: StagedThread, source: str, site: str | None) -> str:
    """Return a digest of all that ``_build`` uses; the number of a row's line is no part of it."""
    parts = [VERSION, source, site or ""]
    for post in staged.posts:
        parts += map(str, post[1:])
    parts += ["", *staged.phrasings, "", *map(str, staged.related)]
    # XML has no NUL, so no two lists of parts are joined to the same text.
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=32).hexdigest()
