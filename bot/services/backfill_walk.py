"""The way of a backfill through a channel's posts: active ones, archived ones, active ones again.

Archived posts are listed by the time at which they were archived, and read in that order; those
of one time by their ids. So whatever is above the cursor has been read. What is archived while
the walk goes on was among the active ones; what becomes active again is looked for at the end.
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
        await fill_in(each for each in active if last_id is None or each.post.id < last_id)
    end = None if before is None else before + INSTANT
    while True:
        page = await patiently(partial(posts.archived, end))
        found, lower = _portion(page, end)
        await fill_in(each for each in found if not _is_above(each, before, last_id))
        if lower is None:
            break
        end = lower
    for each in await patiently(posts.active):
        if each.post.id not in seen:
            shown(await patiently(partial(posts.fill_in, each, is_late=True)))


def _is_above(found: FoundPost, before: datetime | None, last_id: int | None) -> bool:
    """Return whether a post was read before the cursor was where the walk began."""
    if before is None or last_id is None or found.archived_at is None:
        return False
    return (found.archived_at, found.post.id) >= (before, last_id)


def _portion(page: PostPage, end: datetime | None) -> tuple[list[FoundPost], datetime | None]:
    """Return the posts of a page to read now, and before when the next ones were archived.

    ``None``: there are no others. Those of the page's last moment come with the next one, since
    that has them all.
    """
    dated = [(each.archived_at, each) for each in page.posts if each.archived_at is not None]
    dated.sort(key=lambda one: (one[0], one[1].post.id), reverse=True)
    whole = [each for _, each in dated]
    if not page.has_more or not dated:
        return whole, None
    lowest = dated[-1][0]
    above = [each for at, each in dated if at > lowest]
    if above and (end is None or lowest + INSTANT < end):
        return above, lowest + INSTANT
    # All are of one moment, or so near that the next page would be this one again.
    return whole, lowest if end is None or lowest < end else None
