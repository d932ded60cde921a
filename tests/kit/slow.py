"""Which tests are slow: ``tests/slow.txt`` names them, and a run without ``--all`` leaves them out.

A test is slow if it takes more than SLOW_SECONDS of a processor, its programs included, in the
mean of its parameters. Those that need a PostgreSQL server are left out as well, whatever they
take. Tests that are named on the command line always run. ``--write-slow`` measures a run of all
and writes the file anew.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from tests.kit.paths import ROOT

SLOW_SECONDS = 0.3
NAMES = ROOT / "tests" / "slow.txt"
ON_POSTGRES = re.compile(r"\[(.*-)?postgres[]-]")
"""In the name of a test that is run once on each database: this time on PostgreSQL."""

SERVER = "postgres_server"
"""The fixture of whatever needs a PostgreSQL server."""

PROPERTY = "processor_seconds"
"""The property of a report that has what its test used."""

BEGAN = pytest.StashKey[float]()
"""What had been used when a test began."""

EVERY_NAME = pytest.StashKey[set[str]]()
"""The functions of all tests, where a run is of all."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addoption("--all", action="store_true", help="run the slow tests as well")
    parser.addoption("--write-slow", action="store_true", help="run all, and list the slow ones")


def slow_names() -> set[str]:
    """The functions of slow tests, as pytest names them without their parameters."""
    return set(NAMES.read_text(encoding="utf-8").split())


def name(nodeid: str) -> str:
    """What a test is called without its parameters."""
    return nodeid.partition("[")[0]


def is_left_out(nodeid: str, fixtures: Collection[str], names: set[str]) -> bool:
    """Whether a test is left out of a run without ``--all``; ``names`` are those of slow ones."""
    return name(nodeid) in names or SERVER in fixtures or ON_POSTGRES.search(nodeid) is not None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow tests out, unless they are asked for."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return
    config.stash[EVERY_NAME] = {name(item.nodeid) for item in items}
    if config.getoption("--all") or config.getoption("--write-slow"):
        return
    names, kept, left_out = slow_names(), list[pytest.Item](), list[pytest.Item]()
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        (left_out if is_left_out(item.nodeid, fixtures, names) else kept).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)


def _processor_seconds() -> float:
    """What this process and the programs that it waited for have used."""
    return sum(os.times()[:4])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note what had been used when a test began."""
    item.stash[BEGAN] = _processor_seconds()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Report what a test used, with the report of its end."""
    if call.when == "teardown":
        item.user_properties.append((PROPERTY, _processor_seconds() - item.stash[BEGAN]))
    return (yield)


class Measured:
    """What each test of a run used; written when the run ends."""

    def __init__(self) -> None:
        self._seconds = defaultdict[str, list[float]](list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test used."""
        if report.when == "teardown" and not ON_POSTGRES.search(report.nodeid):
            seconds = dict(report.user_properties)[PROPERTY]
            self._seconds[name(report.nodeid)].append(float(str(seconds)))

    def pytest_sessionfinish(self) -> None:
        """Write which are slow."""
        self.write(NAMES)

    def write(self, path: Path) -> None:
        """Write the names of those that are slow, in order."""
        slow = [n for n, used in self._seconds.items() if sum(used) / len(used) > SLOW_SECONDS]
        path.write_text("".join(f"{n}\n" for n in sorted(slow)), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Collect what tests use where it is told: not in the processes that run them."""
    if not config.getoption("--write-slow"):
        return
    if hasattr(config, "workerinput"):
        return
    is_of_all = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    if not is_of_all or config.option.keyword or config.option.markexpr:
        raise pytest.UsageError("--write-slow is for a run of all: without paths, -k and -m")
    config.pluginmanager.register(Measured())
