"""The file of backgrounds: whatever happens to it, at worst they are measured anew."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.search.background import Background
from bot.search.background_file import BackgroundFile

SEEN, OWN = (0,), (0, 111)
BACKGROUND = Background(0.25, 0.31, readable=True, threads=74)


def opened(folder: Path, library: str = "library", model: str = "model") -> BackgroundFile:
    return BackgroundFile(folder, library, model)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    file = opened(tmp_path / "new" / "folder")
    assert file.get(SEEN) is None
    file.put(SEEN, BACKGROUND)
    file.put(OWN, Background(0.5, 0.1, readable=False, threads=3))
    again = opened(tmp_path / "new" / "folder")
    assert again.get(SEEN) == BACKGROUND
    assert again.get(OWN) == Background(0.5, 0.1, readable=False, threads=3)
    assert again.get((0, 222)) is None


def test_those_of_a_scope_that_is_no_more_are_dropped(tmp_path: Path) -> None:
    file = opened(tmp_path)
    for scopes in (SEEN, OWN, (0, 11)):
        file.put(scopes, BACKGROUND)
    file.keep({0, 11})
    for one in (file, opened(tmp_path)):
        assert [one.get(scopes) for scopes in (SEEN, OWN, (0, 11))] == [
            BACKGROUND,
            None,
            BACKGROUND,
        ]


@pytest.mark.parametrize(("library", "model"), [("other", "model"), ("library", "other")])
def test_that_of_another_library_or_model_counts_for_nothing(
    tmp_path: Path, library: str, model: str
) -> None:
    opened(tmp_path).put(SEEN, BACKGROUND)
    assert opened(tmp_path, library, model).get(SEEN) is None


def test_one_that_was_cut_short_is_left_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened(tmp_path).put(SEEN, BACKGROUND)
    path = tmp_path / "background.json"
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            file = opened(tmp_path)
        assert file.get(SEEN) is None
        assert len(caplog.records) == 1
        file.put(SEEN, BACKGROUND)
        assert opened(tmp_path).get(SEEN) == BACKGROUND


@pytest.mark.parametrize("content", [b"[]", b"{}", b"null", b'{"library": 3}', b"\xff\xfe"])
def test_something_else_in_its_place_is_left(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "background.json").write_bytes(content)
    assert opened(tmp_path).get(SEEN) is None


def test_one_that_cannot_be_written_counts_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("a file is in the way")
    file = opened(tmp_path / "folder")
    with pytest.raises(OSError, match="folder"):
        file.put(SEEN, BACKGROUND)
    assert file.get(SEEN) == BACKGROUND


def test_it_fits_until_a_fifth_has_changed() -> None:
    assert BACKGROUND.fits(74)
    assert BACKGROUND.fits(88)
    assert not BACKGROUND.fits(90)
    assert not BACKGROUND.fits(50)


def test_relative_cosines() -> None:
    assert BACKGROUND.relative(0.25) == 0.0
    assert BACKGROUND.relative(1.0) == 1.0
    assert BACKGROUND.relative(0.0) < 0.0


def test_two_that_write_keep_what_the_other_wrote(tmp_path: Path) -> None:
    """As the bot and the command line do, each with what it read when it was opened."""
    bot, command = opened(tmp_path), opened(tmp_path)
    bot.put(SEEN, BACKGROUND)
    command.put(OWN, Background(0.5, 0.1, threads=3))
    again = opened(tmp_path)
    assert again.get(SEEN) == BACKGROUND
    assert again.get(OWN) == Background(0.5, 0.1, threads=3)


def test_what_another_wrote_does_not_replace_what_was_measured_here(tmp_path: Path) -> None:
    old, new = BACKGROUND, Background(0.3, 0.4, threads=200)
    bot, command = opened(tmp_path), opened(tmp_path)
    command.put(SEEN, old)
    bot.put(SEEN, new)
    bot.put(OWN, old)
    assert bot.get(SEEN) == opened(tmp_path).get(SEEN) == new


def test_what_another_model_wrote_is_not_taken_up_by_writing(tmp_path: Path) -> None:
    file = opened(tmp_path)
    opened(tmp_path, model="other").put(OWN, BACKGROUND)
    file.put(SEEN, BACKGROUND)
    assert opened(tmp_path).get(OWN) is None


WRITER = """
import sys
from pathlib import Path
from bot.search.background import Background
from bot.search.background_file import BackgroundFile
file = BackgroundFile(Path(sys.argv[1]), "library", "model")
sys.stdin.readline()  # both begin together
for scope in range(200):
    file.put((0, int(sys.argv[2]) + scope), Background(0.25, 0.31, threads=74))
"""


def test_the_file_is_whole_while_two_processes_write(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, first], stdin=subprocess.PIPE)
        for first in ("1000", "2000")
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
    while any(process.poll() is None for process in started):
        opened(tmp_path)  # says in the log when it can't be read
    assert [process.returncode for process in started] == [0, 0]
    assert caplog.records == []
    last = opened(tmp_path)
    assert BACKGROUND in (last.get((0, 1199)), last.get((0, 2199)))
    assert [path.name for path in tmp_path.iterdir()] == ["background.json"]


def test_what_a_crash_left_beside_it_is_cleared(tmp_path: Path) -> None:
    left = tmp_path / ".background.json.0123abcd.part"
    left.write_bytes(b"{")
    opened(tmp_path).put(SEEN, BACKGROUND)
    assert [path.name for path in tmp_path.iterdir()] == ["background.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    opened(tmp_path).put(SEEN, BACKGROUND)
    tmp_path.chmod(0o500)
    try:
        file = opened(tmp_path)
        with pytest.raises(PermissionError):
            file.put(OWN, BACKGROUND)
        assert file.get(SEEN) == file.get(OWN) == BACKGROUND
    finally:
        tmp_path.chmod(0o700)
