"""An outage of the network in the log: few lines, and no traceback."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable

import aiohttp
import pytest

from bot.cli.logs import MAX_LINES, QUIET, OutageFilter
from tests.kit.clock import Clock

REFUSED = ConnectionRefusedError(111, "Connect call failed")
Said = Callable[[], list[str]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(clock: Clock) -> tuple[logging.Logger, Said]:
    """A logger of discord.py's and what it has written."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(OutageFilter(clock))
    logger = logging.getLogger("discord.outages-test")
    logger.handlers[:], logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    return logger, lambda: out.getvalue().splitlines()


def fail(logger: logging.Logger, error: BaseException, said: str = "a try in %.2fs") -> None:
    try:
        raise error
    except type(error):
        logger.exception(said, 1.5)


def test_a_try_that_fails_is_one_line(log: tuple[logging.Logger, Said]) -> None:
    logger, said = log
    fail(logger, REFUSED)
    assert said() == ["WARNING a try in 1.50s ([Errno 111] Connect call failed)"]


def test_many_tries_are_few_lines_and_the_next_says_how_many(
    log: tuple[logging.Logger, Said], clock: Clock
) -> None:
    logger, said = log
    for _ in range(20):
        fail(logger, REFUSED)
        clock.now += 1.0
    assert len(said()) == MAX_LINES
    clock.now += QUIET
    fail(logger, REFUSED)
    assert said()[-1].endswith("; 17 more such lines were left out")


def test_kinds_are_counted_apart(log: tuple[logging.Logger, Said]) -> None:
    logger, said = log
    for _ in range(5):
        fail(logger, REFUSED)
        logger.warning("channel %d: not posted: %s", 7, aiohttp.ServerDisconnectedError())
    assert len(said()) == 2 * MAX_LINES
    assert said()[1] == "WARNING channel 7: not posted: Server disconnected"


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        aiohttp.ClientPayloadError("half"),
        aiohttp.ServerTimeoutError(),
        OSError("dns"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_the_network(log: tuple[logging.Logger, Said], error: Exception) -> None:
    logger, said = log
    fail(logger, error)
    assert len(said()) == 1


def test_a_mistake_of_ours_keeps_its_traceback(log: tuple[logging.Logger, Said]) -> None:
    logger, said = log
    for _ in range(5):
        fail(logger, KeyError("oops"))
    assert "".join(said()).count("Traceback") == 5


def test_a_disk_that_is_full_is_no_outage(caplog: pytest.LogCaptureFixture) -> None:
    outages = OutageFilter()
    error = OSError(28, "No space left on device")
    record = logging.LogRecord("bot.services", logging.ERROR, "x", 1, "no: %s", (error,), None)
    assert all(outages.filter(record) for _ in range(9))


def test_other_lines_stay_as_they_are(log: tuple[logging.Logger, Said]) -> None:
    logger, said = log
    for _ in range(9):
        logger.info("connected")
        logger.warning("a warning about %s", "something")
    assert len(said()) == 18
