"""A run of all tests leaves out the slow ones, and nothing else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.kit import slow


def test_the_slow_ones_are_tests(request: pytest.FixtureRequest) -> None:
    every = request.config.stash.get(slow.EVERY_NAME, None)
    if every is None:
        pytest.skip("only a run of all tests knows the names of all")
    gone = slow.slow_names() - every
    assert not gone, "mend tests/slow.txt: make test-all ARGS=--write-slow"


@pytest.mark.parametrize(
    ("nodeid", "left_out"),
    [
        ("tests/a.py::test_long", True),
        ("tests/a.py::test_long[1-sqlite]", True),
        ("tests/a.py::test_longer", False),
        ("tests/a.py::test_short[sqlite]", False),
        ("tests/a.py::test_short[postgres]", True),
        ("tests/a.py::test_short[postgres-0]", True),
        ("tests/a.py::test_short[x-postgres]", True),
        ("tests/a.py::test_short[postgresql]", False),
    ],
)
def test_what_is_left_out(nodeid: str, left_out: bool) -> None:
    assert slow.is_left_out(nodeid, ["tmp_path"], {"tests/a.py::test_long"}) is left_out


def test_what_needs_a_server_is_left_out() -> None:
    assert slow.is_left_out("tests/a.py::test_short", ["postgres_url", "postgres_server"], set())


def test_the_server_is_a_fixture_of_what_uses_its_databases(
    postgres_url: str, request: Any
) -> None:
    assert slow.SERVER in request.node.fixturenames


def test_the_mean_over_the_parameters_decides(tmp_path: Path) -> None:
    measured = slow.Measured()
    for nodeid, seconds in {
        "tests/b.py::test_b[1]": 0.1,
        "tests/b.py::test_b[2]": 2.0,
        "tests/a.py::test_a": 0.6,
        "tests/a.py::test_quick[1]": 0.1,
        "tests/a.py::test_quick[2]": 0.4,
        "tests/a.py::test_twice[postgres]": 9.0,
    }.items():
        measured.pytest_runtest_logreport(_end(nodeid, seconds))
    measured.write(tmp_path / "slow.txt")
    assert (tmp_path / "slow.txt").read_text() == "tests/a.py::test_a\ntests/b.py::test_b\n"


def test_the_report_of_its_end_says_what_a_test_used() -> None:
    item: Any = SimpleNamespace(stash=pytest.Stash(), user_properties=[])
    call: Any = SimpleNamespace(when="teardown")
    next(slow.pytest_runtest_protocol(item))
    began = slow._processor_seconds()
    while (used := slow._processor_seconds() - began) < 0.03:
        sum(range(10**4))
    next(slow.pytest_runtest_makereport(item, call))
    ((name, seconds),) = item.user_properties
    assert name == slow.PROPERTY
    assert used <= seconds < used + 1


def _end(nodeid: str, seconds: float) -> pytest.TestReport:
    """The report of the end of a test that used so many seconds of a processor."""
    return pytest.TestReport(
        nodeid=nodeid,
        location=("", None, ""),
        keywords={},
        outcome="passed",
        longrepr=None,
        when="teardown",
        user_properties=[(slow.PROPERTY, seconds)],
    )
