"""Unfinished files: cleared once nobody is at them any more."""

from __future__ import annotations

import os
import signal
import stat
import tempfile
from pathlib import Path

import pytest

from bot.private_files import clear, clear_temporary, temporary_folder, unfinished
from tests.kit import programs

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs the locks of POSIX")

AT_WORK = """
import sys, time
from pathlib import Path
from bot.private_files import temporary_folder, unfinished
with unfinished(Path(sys.argv[1])) as place, temporary_folder("upload") as folder:
    place.with_name(place.name + "-journal").touch()
    (folder / "sent.txt").write_text("private")
    print(place, folder.parent, flush=True)
    time.sleep(600)
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_finished_file_takes_its_place_and_nothing_is_left(tmp_path: Path) -> None:
    with unfinished(tmp_path / "out") as place:
        assert mode(place) == 0o600
        place.write_text("whole")
        place.replace(tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("folder", [False, True])
def test_what_fails_is_taken_away(tmp_path: Path, folder: bool) -> None:
    def fail() -> None:
        with unfinished(tmp_path / "out", folder=folder) as place:
            assert place.is_dir() == folder
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert not list(tmp_path.iterdir())


def test_what_another_process_is_at_stays_until_it_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    process = programs.spawn("-c", AT_WORK, tmp_path / "out", TMPDIR=str(temporary))
    try:
        assert process.stdout is not None
        place, folder = map(Path, process.stdout.readline().split())
        assert clear(tmp_path) == clear_temporary() == []
        assert place.exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert clear(tmp_path, "other") == []
        assert clear(tmp_path) == [place]
        assert clear_temporary() == [folder]
    finally:
        process.kill()
        process.communicate()
    assert [p.name for p in tmp_path.iterdir()] == ["temporary"]
    assert not list(temporary.iterdir())


def test_the_next_one_clears_what_is_left_of_its_own_target(tmp_path: Path) -> None:
    left, other = tmp_path / ".out.0123abcd.part", tmp_path / ".else.0123abcd.part"
    for place in (left, tmp_path / ".out.0123abcd.part-journal", other):
        place.write_text("half")
    with unfinished(tmp_path / "out"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == [other.name]


def test_only_what_is_ours_by_its_name_is_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in ("notes.part", ".out.part", ".out.0123abcd.part.txt", "out.0123abcd.part"):
        (tmp_path / name).write_text("somebody's")
    (tmp_path / "threadwise-upload-backup12").mkdir()  # without our lock in it
    assert clear(tmp_path) == clear_temporary() == []


def test_a_temporary_folder_goes_with_its_content() -> None:
    with temporary_folder("test") as folder:
        (folder / "file").write_text("x")
        assert clear_temporary() == [] or folder.exists()
    assert not folder.parent.exists()
