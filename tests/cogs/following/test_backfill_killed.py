"""A backfill that is killed loses no post and doubles none. ``make backfill-trial`` has more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.backfill_trial import trial
from tests.kit.library import forget_environment

POSTS, KILLS = 200, 3
MEMORY = 150 * 1024**2


@pytest.mark.untraced
async def test_killed_it_ends_as_if_it_never_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_environment(monkeypatch)
    report = await trial(tmp_path / "data", posts=POSTS, kills=KILLS)
    assert report.faults == []
    assert report.kills == KILLS
    assert report.messages == 8 * POSTS
    assert report.read_again <= KILLS + report.active
    assert report.memory < MEMORY
