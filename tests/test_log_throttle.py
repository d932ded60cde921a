"""Floods of lines in the log are cut, and counted."""

from __future__ import annotations

import logging

import pytest

from bot.errors import StoreError
from bot.log_throttle import FailureLog, LogThrottle


def test_the_first_of_each_kind_are_admitted_and_the_rest_counted() -> None:
    throttle = LogThrottle(60.0, burst=2)
    assert [throttle.admit("a", now) for now in (0.0, 1.0, 2.0, 3.0)] == [0, 0, None, None]
    assert throttle.admit("b", 3.0) == 0
    assert [throttle.admit("a", now) for now in (60.0, 61.0, 62.0)] == [2, 0, None]


def test_what_is_not_admitted_is_there_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    throttle, log = LogThrottle(3600.0), logging.getLogger("bot.test")
    with caplog.at_level(logging.DEBUG, "bot.test"):
        for _ in range(3):
            throttle.warn(log, "down: %s", "x")
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING, logging.DEBUG, logging.DEBUG]


def test_a_failure_is_logged_until_something_else_happens(caplog: pytest.LogCaptureFixture) -> None:
    failures = FailureLog(logging.getLogger("bot.test"), "trying again")
    down, bug = StoreError("down"), ValueError("a bug")
    for error in (down, down, bug, bug, down):
        failures.failed(error)
    failures.worked()
    failures.failed(down)
    said = [(record.getMessage(), record.exc_info is not None) for record in caplog.records]
    ours = ("trying again: down", False)
    assert said == [ours, ("trying again: a bug", True), ours, ours]
