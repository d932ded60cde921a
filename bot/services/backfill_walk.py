"""The way of a backfill through a channel's posts: active ones, archived ones, active ones again.

Archived posts are listed by the time at which they were archived. What is archived while the
walk goes on is above it, as it was among the active ones; what becomes active again is looked
for at the end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from bot.following import FollowedChannel
from bot.services.backfill_posts import BackfillPosts
from bot.services.post_reader import FoundPost, PostPage

INSTANT = timedelta(milliseconds=1)
"""By how much pages of archived posts overlap: several may be archived at one time."""

T = TypeVar("T")


class Patiently(Protocol):
    """Does a step until it succeeds."""

    async def __call__(self, step: Callable[[], Awaitable[T]], /) -> T:
        """Return what the step gives."""


async def walk(
    posts: BackfillPosts,
    begun: FollowedChannel,
    patiently: Patiently,
    shown: Callable[[FollowedChannel], None],
) -> None:
    """Fill in all posts that lie below where a backfill is, newest first."""
    assert begun.backfill is not None
    before, last_id = begun.backfill.before, begun.backfill.post_id
    seen = set[int]()

    async def fill_in(found: Iterable[FoundPost]) -> None:
        for each in found:
            if each.post.id not in seen:
                shown(await patiently(partial(posts.fill_in, each)))
                seen.add(each.post.id)

    if before is None:
        active = await patiently(posts.active)
        rest = (each for each in active if last_id is None or each.post.id < last_id)
        await fill_in(rest)
    elif last_id is not None:
        seen.add(last_id)
    end = None if before is None else before + INSTANT
    while True:
        page = await patiently(partial(posts.archived, end))
        await fill_in(page.posts)
        lower = _lower(page, end)
        if lower is None:
            break
        end = lower
    for each in await patiently(posts.active):
        if each.post.id not in seen:
            shown(await patiently(partial(posts.fill_in, each, is_late=True)))


def _lower(page: PostPage, end: datetime | None) -> datetime | None:
    """Return before when the next page's posts were archived; ``None``: there is none."""
    times = [each.archived_at for each in page.posts if each.archived_at is not None]
    if not page.has_more or not times:
        return None
    lowest = min(times)
    for lower in (lowest + INSTANT, lowest):  # the latter where all are of one instant
        if end is None or lower < end:
            return lower
    return None
