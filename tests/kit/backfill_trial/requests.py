"""The requests of a bot by its own clock, and whether they kept to Discord's limits."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from aiohttp import web

from bot.services.request_pace import A_SECOND

CLOCK, SKIPPED = "X-Clock", "X-Skipped"
"""Headers with the time by the bot's clock, and how far that is ahead of the computer's."""

GLOBAL = 50
"""Requests in a second of a bot, of any kind: Discord's limit."""

BUCKET, BUCKET_SECONDS = 5, 5.0
"""Requests of one kind in one channel in so many seconds: Discord tells the numbers by headers
only, and this is the least that it is known to serve."""

READING = re.compile(r"/(?:threads/|messages$|messages/\d+/reactions/|members/\d+$)")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Requests:
    """All requests in order: their time, their kind, and the channel's or guild's part of it.

    ``before`` is called with the number of each request that reads posts.
    """

    times: list[tuple[float, str]] = field(default_factory=list)
    reading: list[float] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    skipped: float = 0.0
    at_once: int = 0
    most_at_once: int = 0
    before: Callable[[int], Awaitable[None]] | None = None

    def middleware(self) -> object:
        """The middleware that notes each request."""

        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            if (stamp := request.headers.get(CLOCK)) is None:
                return await handler(request)
            self.skipped = float(request.headers[SKIPPED])
            bucket = re.sub(r"/messages/\d+/", "/messages/:id/", request.path)
            self.times.append((float(stamp), f"{request.method} {bucket}"))
            if request.method != "GET" or not READING.search(request.path):
                return await handler(request)
            self.reading.append(float(stamp))
            self.read.append(request.path)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            try:
                if self.before is not None:
                    await self.before(len(self.reading))
                return await handler(request)
            finally:
                self.at_once -= 1

        return watch

    def over_limits(self) -> list[str]:
        """What was over a limit, in words; none if all kept to them."""
        found = []
        if (most := _most((at for at, _ in self.times), 1.0)) > GLOBAL:
            found.append(f"{most} requests in a second")
        if (most := _most(self.reading, 1.0)) > A_SECOND:
            found.append(f"{most} requests of the backfill in a second")
        if self.most_at_once > 1:
            found.append(f"{self.most_at_once} requests at once for one channel")
        buckets = defaultdict[str, list[float]](list)
        for at, bucket in self.times:
            buckets[bucket].append(at)
        for bucket, times in buckets.items():
            if (most := _most(times, BUCKET_SECONDS)) > BUCKET:
                found.append(f"{most} × {bucket} in {BUCKET_SECONDS:.0f} s")
        return found


def _most(times: Iterable[float], seconds: float) -> int:
    """Return how many of these fell into a span of time, at most."""
    most, recent = 0, deque[float]()
    for at in sorted(times):
        recent.append(at)
        while at - recent[0] >= seconds:
            recent.popleft()
        most = max(most, len(recent))
    return most
