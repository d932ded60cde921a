"""So many a minute: who may go on, who has to wait and for how long, and what is remembered."""

from __future__ import annotations

from typing import Any, cast

import pytest

from bot.services.rate_limit import (
    PRESS,
    LimitOwner,
    QuestionLimits,
    RateLimit,
    Refusal,
)
from bot.settings import Settings
from tests.kit.clock import Clock

ALICE, BOB, HERE, THERE = 1, 2, 111, 222


def refused(whose: LimitOwner, seconds: float) -> Any:
    """A refusal, about so long."""
    return Refusal(whose, cast("float", pytest.approx(seconds)))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def limits(clock: Clock, member: int = 3, server: int = 5) -> QuestionLimits:
    settings = Settings(
        member_questions_per_minute=member, server_questions_per_minute=server, _env_file=None
    )
    return QuestionLimits(settings, clock)


class TestRateLimit:
    def test_as_many_as_there_may_be_in_a_minute_come_at_once(self, clock: Clock) -> None:
        limit = RateLimit(3, clock)
        assert [limit.take(ALICE) for _ in range(5)] == [True] * 3 + [False] * 2
        assert limit.take(BOB)

    def test_it_is_told_how_long_to_wait(self, clock: Clock) -> None:
        limit = RateLimit(3, clock)
        for _ in range(3):
            limit.take(ALICE)
        assert limit.wait(ALICE) == pytest.approx(20)
        clock.now += 20
        assert limit.wait(ALICE) == 0
        assert limit.take(ALICE)
        assert not limit.take(ALICE)

    def test_over_many_minutes_there_are_so_many_in_each(self, clock: Clock) -> None:
        limit, taken = RateLimit(7, clock), 0
        for _ in range(10 * 60):
            clock.now += 1
            taken += limit.take(ALICE)
        assert 70 <= taken <= 77

    def test_fractions_add_up_to_the_whole(self, clock: Clock) -> None:
        limit = RateLimit(3, clock)
        assert sum(limit.take(ALICE, 0.05) for _ in range(100)) == 60

    def test_what_costs_more_than_a_minute_has_is_done_once_a_minute(self, clock: Clock) -> None:
        limit = RateLimit(2, clock)
        assert limit.take(ALICE, 3)
        assert not limit.take(ALICE)
        clock.now += 91
        assert limit.take(ALICE, 3)

    def test_whoever_is_quiet_is_forgotten(self, clock: Clock) -> None:
        limit = RateLimit(3, clock)
        for member in range(1_000):
            limit.take(member)
        clock.now += 61
        for member in range(1_000, 1_600):
            limit.take(member)
        assert len(limit) <= 600

    def test_no_more_are_counted_than_there_is_room_for(self, clock: Clock) -> None:
        limit = RateLimit(1, clock, most=100)
        for member in range(1_000):
            assert limit.take(member)
        assert len(limit) == 100
        assert not limit.take(999)


class TestQuestionLimits:
    def test_a_member_has_a_limit_everywhere(self, clock: Clock) -> None:
        found = limits(clock)
        assert (
            found.take(ALICE, HERE) is found.take(ALICE, THERE) is found.take(ALICE, None) is None
        )
        assert found.take(ALICE, HERE) == refused(LimitOwner.MEMBER, 20)
        assert found.take(BOB, HERE) is None

    def test_a_server_has_a_limit_for_all_its_members(self, clock: Clock) -> None:
        found = limits(clock)
        assert [found.take(member, HERE) for member in range(10, 15)] == [None] * 5
        assert found.take(16, HERE) == refused(LimitOwner.SERVER, 12)
        assert found.take(16, THERE) is None
        assert found.take(16, None) is None  # in direct messages there is none

    def test_what_is_refused_is_not_counted(self, clock: Clock) -> None:
        found = limits(clock)
        for _ in range(50):
            found.take(ALICE, HERE)
        assert found.take(BOB, HERE) is found.take(BOB, HERE) is None
        clock.now += 20
        assert found.take(ALICE, THERE) is None

    def test_presses_cost_less(self, clock: Clock) -> None:
        found = limits(clock, member=3, server=0)
        assert sum(found.take(ALICE, HERE, PRESS) is None for _ in range(20)) == 12

    def test_managers_are_held_to_the_servers_limit(self, clock: Clock) -> None:
        found = limits(clock)
        taken = [found.take(ALICE, HERE, manages=True) for _ in range(6)]
        assert taken == [None] * 5 + [refused(LimitOwner.SERVER, 12)]
        without = limits(clock, server=0)
        taken = [without.take(ALICE, HERE, manages=True) for _ in range(4)]
        assert taken == [None] * 3 + [refused(LimitOwner.MEMBER, 20)]

    def test_zero_takes_any_number(self, clock: Clock) -> None:
        found = limits(clock, member=0, server=0)
        assert not any(found.take(ALICE, HERE) for _ in range(1_000))

    def test_a_refusal_is_said_once_a_minute(self, clock: Clock) -> None:
        found = limits(clock)
        assert [found.may_say(HERE) for _ in range(3)] == [True, False, False]
        assert found.may_say(THERE)
        clock.now += 60
        assert found.may_say(HERE)
