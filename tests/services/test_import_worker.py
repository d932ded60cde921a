"""Files read in another process: the same is found, told and made ready as here."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import psutil
import pytest

from bot.app import App
from bot.errors import ConfigError, InputError
from bot.models import Answer, Thread
from bot.services import elsewhere
from bot.services.elsewhere import Elsewhere, reader_of
from bot.services.intake import Intake
from bot.services.reading import Here, Item, Reader, Ready
from bot.sources import Draft, Options, SourceReport, find_all, write_thread
from tests.kit.dumps import answer, put, question

MANY = 600
"""More than are told of at a time."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dump in which some rows are wrong, and a file of threads."""
    bad = [question(5_000, "", Title=None), answer(6_000, 7_000)]
    posts = [question(n, f"Which number is {n}?", Score=n) for n in range(1, MANY)]
    folder = put(tmp_path / "garden", [*posts, *bad, answer(8_000, 1, Body="<p>One.</p>")])
    threads = [
        Thread(key="k", title="Why not?", answers=(Answer(body="No.", tallies=((7, 2),)),)),
        Thread(key="l", title="Why »so«?"),
    ]
    (folder / "more.jsonl").write_text("\n".join(map(write_thread, threads)), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _nobody_is_left() -> Iterator[None]:
    yield
    assert psutil.Process().children() == []


def all_of(reader: Reader) -> tuple[list[tuple[str, str | None, str | None]], list[Ready | str]]:
    """What is told of all that is found, and every second one made ready."""
    try:
        items = [item for item in reader.found() if item is not None]
        made = reader.make(items[::2], items[1::2])
    finally:
        reader.close()
    return [item[:3] for item in items], made


def first(reader: Reader) -> Item:
    """Wait for the first that is found; meanwhile ``found`` yields nothing now and then."""
    return next(item for item in reader.found() if item is not None)


@pytest.mark.parametrize("options", [Options(), Options(min_score=MANY // 2, site="x.example")])
def test_the_same_is_found_and_made(folder: Path, options: Options) -> None:
    here, there = SourceReport(), SourceReport()
    found, made = all_of(Here(find_all([folder], here, options)))
    assert all_of(Elsewhere([folder], options, there)) == (found, made)
    assert [str(problem) for problem in there.rejected] == [str(p) for p in here.rejected]
    assert [there.passed_over, there.sources, there.stage, there.size, there.done] == [
        here.passed_over,
        here.sources,
        here.stage,
        here.size,
        here.done,
    ]
    assert len(here.rejected) == 2
    assert len(found) > elsewhere.SOME


def test_what_was_reported_before_stays_in_the_report(folder: Path) -> None:
    report = SourceReport()
    report.reject("it is no good", folder)
    all_of(Elsewhere([folder], Options(), report))
    assert len(report.rejected) == 3


def test_an_error_is_raised_here(folder: Path) -> None:
    with pytest.raises(ConfigError, match="site"):
        all_of(Elsewhere([folder], Options(site="no site"), SourceReport()))


def test_who_stops_early_leaves_nobody_and_no_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rest := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(rest))
    monkeypatch.setattr(tempfile, "tempdir", None)
    reader = Elsewhere([folder], Options(), SourceReport())
    first(reader)
    reader.close()
    assert [*rest.iterdir()] == []


@pytest.mark.parametrize(
    "then",
    [
        lambda reader, item: reader.make([item], []),
        lambda reader, item: [*reader.found()],
    ],
)
def test_a_process_that_died_is_reported_of(
    folder: Path, then: Callable[[Reader, Item], object]
) -> None:
    reader = Elsewhere([folder], Options(), SourceReport())
    item = first(reader)
    (process,) = psutil.Process().children()
    process.kill()
    process.wait()
    for _ in range(2):
        with pytest.raises(InputError, match=r"ended too early.*what was taken in stays"):
            then(reader, item)
    reader.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_cant_hear_the_answers_does_not_wait_for_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_stream: object) -> object:
        raise MemoryError

    monkeypatch.setattr("bot.aside.pickle.load", fails)
    reader = Elsewhere([folder], Options(), SourceReport())
    with pytest.raises(InputError, match="ended too early"):
        first(reader)
    reader.close()


def test_little_is_read_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = folder / "missing"
    file = folder / "Posts.xml"
    size = file.stat().st_size
    for paths, much, kind in (
        ([file, missing], size, Elsewhere),
        ([file, missing], size + 1, Here),
        ([missing, folder], size + 1, Elsewhere),
    ):
        monkeypatch.setattr(elsewhere, "MUCH", much)
        reader = reader_of(paths, Options(), SourceReport())
        assert type(reader) is kind
        reader.close()


def test_one_that_cant_be_made_costs_only_itself() -> None:
    make: Callable[[], Thread] = partial(int, "x")  # type: ignore[assignment]
    broken = Draft(key="b", source="some", fingerprint="f", make=make)
    good = Thread(key="g", title="Good?")
    _, made = all_of(Here([good, None, good, broken, good, good]))
    assert made[1] == "its text can't be read (ValueError)"
    assert [type(one) for one in made] == [Ready, str, Ready]


async def test_what_a_later_one_replaces_is_let_go(app: App, folder: Path) -> None:
    lines = [write_thread(Thread(key=f"garden/{n}", title=f"{n}?")) for n in (5, 7)]
    (folder / "zinnia.jsonl").write_text("\n".join(lines), encoding="utf-8")
    reader = Elsewhere([folder], Options(), SourceReport())
    asked: list[int] = []

    def make(wanted: Sequence[Item], known: Sequence[Item]) -> list[Ready | str]:
        asked.extend(cast("int", item.what) for item in (*wanted, *known))
        return reader.make(wanted, known)

    intake = Intake(app.database, 0, reader.found(), make)
    try:
        batches = [batch async for batch in intake.batches()]
    finally:
        reader.close()
    assert sorted(asked) == [*range(len(asked))]
    titles = {one.packed.key: one.packed.row[1] for batch in batches for one in batch.made}
    assert (len(titles), titles["garden/5"], titles["garden/7"]) == (len(asked) - 2, "5?", "7?")
