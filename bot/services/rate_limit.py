"""Rate limits: so many questions a minute by member and by server, counted in memory."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from bot.observing import UNOBSERVED, Observer
from bot.settings import Settings

MINUTE = 60.0

MOST = 20_000
"""Members, or servers, that are counted at a time, about 3 MB; the one counted longest ago is
forgotten first. Whoever did nothing for a minute need not be counted at all."""

QUESTION, PRESS, KEYSTROKE = 1.0, 0.25, 0.05
"""What a question costs, a press of a button that shows a thread, and a letter typed into a
command that completes titles: about in proportion to the work that they make."""

log = logging.getLogger(__name__)

Clock = Callable[[], float]
"""Seconds that only go up."""


def monotonic() -> float:
    """Return ``time.monotonic``'s seconds."""
    return time.monotonic()  # looked up at each call: tests put another clock there


class RateLimit:
    """A limit of ``per_minute`` for each key, all of which may come at once (GCRA).

    One number is kept for a key: when all that it did will have been paid for.
    """

    def __init__(self, per_minute: float, clock: Clock = monotonic, most: int = MOST):
        self._seconds_each = MINUTE / per_minute
        self._clock, self._most = clock, most
        self._paid_at: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._paid_at)

    def wait(self, key: int, cost: float = 1.0) -> float:
        """Return the seconds until ``key`` may do what costs that much; 0 if it may now."""
        now = self._clock()
        takes = min(cost * self._seconds_each, MINUTE)  # or it might never be done
        # A little is given, as sums of fractions are not exact.
        wait = max(self._paid_at.get(key, now), now) + takes - now - MINUTE
        return 0.0 if wait < 1e-6 else wait

    def count(self, key: int, cost: float = 1.0) -> None:
        """Count something that was done."""
        now = self._clock()
        paid_at = max(self._paid_at.pop(key, now), now) + cost * self._seconds_each
        self._paid_at[key] = paid_at  # the last now: those before it were counted longer ago
        self._forget(now)

    def take(self, key: int, cost: float = 1.0) -> bool:
        """Count something if it may be done now; return whether it may."""
        allowed = not self.wait(key, cost)
        if allowed:
            self.count(key, cost)
        return allowed

    def _forget(self, now: float) -> None:
        """Forget whoever need not be counted any more, a few at a time."""
        for _ in range(2):
            oldest = next(iter(self._paid_at))
            if self._paid_at[oldest] > now and len(self._paid_at) <= self._most:
                return
            del self._paid_at[oldest]
            if not self._paid_at:
                return


class LimitOwner(StrEnum):
    """The kinds of limits that can be reached."""

    MEMBER = "member"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a question is not taken: whose limit is reached, and for how many seconds."""

    owner: LimitOwner
    wait: float


class QuestionLimits:
    """The limits of questions a minute by member and by server, as the settings say.

    Whoever manages a server is held to the server's limit alone, where it has one: they
    have to see what is wrong while somebody floods. What is refused is not counted.
    """

    def __init__(
        self, settings: Settings, clock: Clock = monotonic, observer: Observer = UNOBSERVED
    ):
        self._observer = observer
        self._member = _limit(settings.member_questions_per_minute, clock)
        self._server = _limit(settings.server_questions_per_minute, clock)
        self._notices = RateLimit(1, clock)

    def take(
        self, member_id: int, guild_id: int | None, cost: float = QUESTION, *, manages: bool = False
    ) -> Refusal | None:
        """Count a question of a member, or say why it is not taken; ``None`` if it is.

        ``guild_id`` is ``None`` in direct messages.
        """
        limits: list[tuple[LimitOwner, RateLimit, int]] = []
        if self._server is not None and guild_id:
            limits.append((LimitOwner.SERVER, self._server, guild_id))
        if self._member is not None and not (manages and limits):
            limits.insert(0, (LimitOwner.MEMBER, self._member, member_id))
        for whose, limit, key in limits:
            if wait := limit.wait(key, cost):
                log.debug("user %d: over the %s's limit", member_id, whose)
                self._observer.limited(whose)
                return Refusal(whose, wait)
        for _, limit, key in limits:
            limit.count(key, cost)
        return None

    def may_say(self, snowflake: int) -> bool:
        """Return whether a refusal may be told to a member, or in a channel: once a minute."""
        return self._notices.take(snowflake)


def _limit(per_minute: int, clock: Clock) -> RateLimit | None:
    return RateLimit(per_minute, clock) if per_minute else None
