"""A small soak: what a year of three servers comes to is what a plain count says."""

from __future__ import annotations

from pathlib import Path

import pytest
from soaking.plain import Ballot, PlainVotes
from soaking.report import table
from soaking.run import Options, run

HERE = Ballot(root=1, guild_id=2, user_id=3)


@pytest.mark.untraced
async def test_a_small_soak_finds_nothing(tmp_path: Path) -> None:
    options = Options(events=200, servers=3, restarts=2, seed=4, checks=4)
    report = await run(tmp_path, options, lambda line: None)
    assert report.faults == []
    assert report.votes > 10
    assert report.starts == 3
    assert [each.event >= 50 for each in report.figures] == [True] * 4
    assert "votes in force" in table(report)


def test_the_plain_count_takes_the_newest_that_stands() -> None:
    plain = PlainVotes()
    plain.react(HERE, 10, 1)
    plain.react(HERE, 11, -1)
    assert plain.vote(HERE) == -1
    plain.unreact(HERE, 11, -1)
    assert plain.vote(HERE) == 1
    plain.press(HERE, -1)
    assert plain.vote(HERE) == -1
    plain.press(HERE, -1)
    assert plain.votes() == {HERE: 1}
    plain.clear(1, 2, 10)
    assert plain.votes() == {}
