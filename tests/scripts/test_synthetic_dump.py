"""The made-up dump and its measuring, at a size at which they say nothing but that they work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import synthetic_dump
from dumps import made

from bot.sources import SourceReport, read
from tests.kit.dumps import plain

SCRIPT = Path(synthetic_dump.__file__)


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "dump"
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, "--posts", "2000"], capture_output=True, check=True
    )
    assert done.stdout.decode().startswith("Wrote 2,000 posts")
    return folder


def test_it_is_like_a_real_one(dump: Path) -> None:
    posts = plain(dump / "Posts.xml")
    report = SourceReport()
    threads = list(read(dump, report))
    assert report.rejected == report.warned == []
    assert len(threads) + sum(len(thread.answers) for thread in threads) == len(posts) == 2_000
    assert 700 < len(threads) < 900
    assert 800 < sum(len(post["Body"]) for post in posts) / 2_000 < 1_300
    assert any(thread.phrasings for thread in threads)
    assert any(thread.related for thread in threads)
    assert {"```", "- ", "> ", "**", "`"} <= {
        mark for mark in ("```", "- ", "> ", "**", "`") if any(mark in t.body for t in threads)
    }


def test_it_is_the_same_again(dump: Path, tmp_path: Path) -> None:
    steps: list[int] = []
    made.write(tmp_path, 2_000, steps.append)
    assert sum(steps) == 2_000
    for name in ("Posts.xml", "Users.xml", "PostLinks.xml"):
        assert (tmp_path / name).read_bytes() == (dump / name).read_bytes()


def test_importing_it_is_measured(dump: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, dump, "--measure", "--data", tmp_path / "data"],
        capture_output=True,
        check=True,
    )
    head, first, again, newer, ratio = done.stdout.decode().splitlines()
    assert head.split() == "seconds posts/s cpu s memory MB resident outcome".split()
    assert first.split()[0] == "first"
    assert first.endswith(" added")
    assert again.split()[0] == "again"
    assert again.endswith(" unchanged")
    assert newer.split()[0] == "newer"
    assert newer.endswith(" unchanged")
    assert ratio.startswith("again is ")
