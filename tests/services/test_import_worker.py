"""Files read in a worker: the same is found, reported and prepared as in this process."""

from __future__ import annotations

import random
import string
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import psutil
import pytest

from bot.app import App
from bot.errors import ConfigError, InputError
from bot.models import Answer, Thread
from bot.services import import_reader
from bot.services.import_pipeline import Import
from bot.services.import_reader import (
    INDEXED_BYTES,
    Batch,
    LocalReader,
    Prepared,
    Reader,
    WorkerReader,
    open_reader,
)
from bot.sources import Draft, Options, SourceReport, find_all, write_thread
from tests.kit import programs
from tests.kit.dumps import answer, put, question

MANY = 2_100
"""Half of them are more than a batch."""


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


def batches(reader: Reader) -> Iterator[Batch]:
    while not (batch := reader.next()).is_last:
        yield batch
    yield batch


def all_of(reader: Reader) -> tuple[list[tuple[str, str | None, str | None]], list[Prepared]]:
    """What tells all that is found from other threads, and every second draft prepared."""
    found: list[Prepared] = []
    made: list[Prepared] = []
    try:
        for batch in batches(reader):
            drafts = [place for place, one in enumerate(batch.threads) if one.is_draft]
            made += [one for one in batch.threads if not one.is_draft]
            if drafts:
                wanted = [place for place in drafts if not (place + len(found)) % 2]
                made += reader.prepare(wanted)
            found += batch.threads
    finally:
        reader.close()
    return [(one.rows.key, one.rows.source, one.rows.fingerprint) for one in found], made


@pytest.mark.parametrize("options", [Options(), Options(min_score=MANY // 2, site="x.example")])
def test_the_same_is_found_and_made(folder: Path, options: Options) -> None:
    here, there = SourceReport(), SourceReport()
    found, made = all_of(LocalReader(find_all([folder], here, options), here))
    assert all_of(WorkerReader([folder], options, there)) == (found, made)
    assert [str(problem) for problem in there.rejected] == [str(p) for p in here.rejected]
    assert [there.passed_over, there.sources, there.stage, there.size, there.done] == [
        here.passed_over,
        here.sources,
        here.stage,
        here.size,
        here.done,
    ]
    assert len(here.rejected) == 2
    assert len(found) > import_reader.THREADS_A_BATCH


def test_what_was_reported_before_stays_in_the_report(folder: Path) -> None:
    report = SourceReport()
    report.reject("it is no good", folder)
    all_of(WorkerReader([folder], Options(), report))
    assert len(report.rejected) == 3


def test_an_error_is_raised_here(folder: Path) -> None:
    with pytest.raises(ConfigError, match="site"):
        all_of(WorkerReader([folder], Options(site="no site"), SourceReport()))


def test_who_stops_early_leaves_nobody_and_no_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rest := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(rest))
    monkeypatch.setattr(tempfile, "tempdir", None)
    reader = WorkerReader([folder], Options(), SourceReport())
    assert next(batch.threads for batch in batches(reader) if batch.threads)
    reader.close()
    assert [*rest.iterdir()] == []


@pytest.mark.parametrize(
    "then",
    [
        lambda reader, _batch: reader.prepare([0]),
        lambda reader, _batch: [*batches(reader)],
    ],
)
def test_a_process_that_died_is_reported_of(
    folder: Path, then: Callable[[Reader, Batch], object]
) -> None:
    reader = WorkerReader([folder], Options(), SourceReport())
    batch = next(batch for batch in batches(reader) if batch.threads)
    (process,) = psutil.Process().children()
    process.kill()
    process.wait()
    for _ in range(2):
        with pytest.raises(InputError, match=r"ended too early.*what was taken in stays"):
            then(reader, batch)
    reader.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_cant_hear_the_answers_does_not_wait_for_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_stream: object) -> object:
        raise MemoryError

    monkeypatch.setattr("bot.worker.pickle.load", fails)
    reader = WorkerReader([folder], Options(), SourceReport())
    with pytest.raises(InputError, match="ended too early"):
        reader.next()
    reader.close()


def test_little_is_read_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = folder / "missing"
    file = folder / "Posts.xml"
    size = file.stat().st_size
    for paths, much, kind in (
        ([file, missing], size, WorkerReader),
        ([file, missing], size + 1, LocalReader),
        ([missing, folder], size + 1, WorkerReader),
    ):
        monkeypatch.setattr(import_reader, "WORKER_BYTES", much)
        reader = open_reader(paths, Options(), SourceReport())
        assert type(reader) is kind
        reader.close()


def test_one_that_cant_be_made_costs_only_itself() -> None:
    make: Callable[[], Thread] = partial(int, "x")  # type: ignore[assignment]
    broken = Draft(key="b", source="some", fingerprint="f", make=make)
    good = Thread(key="g", title="Good?")
    reader = LocalReader([good, None, broken, good, broken, good], SourceReport())
    batch = reader.next()
    assert [one.is_draft for one in batch.threads] == [False, True, False, True, False]
    (made,) = reader.prepare([3])
    assert (made.rows.key, made.text) == ("b", None)
    assert made.problem == "its text can't be read (ValueError)"
    assert [one.text is None for one in batch.threads] == [False, True, False, True, False]


@pytest.mark.both_databases
async def test_an_id_that_no_index_has_room_for_costs_only_its_thread(app: App) -> None:
    chance = random.Random(1)  # what repeats itself is packed, and takes less room
    long = "".join(chance.choices(string.ascii_letters, k=INDEXED_BYTES))
    keys = ["a", f"{long}.", long, "é" * (INDEXED_BYTES // 2 + 1), "b"]
    named = [Thread(key=key, title=f"What is {n}?") for n, key in enumerate(keys)]
    named.append(Thread(key="c", title="From where?", source=f"{long}."))
    report = await app.library.add(named)
    assert [(e.path, e.reason) for e in report.rejected] == [
        (f"{long[:39]}…", "its id is longer than 2,000 bytes; shorten it"),
        (f"{'é' * 39}…", "its id is longer than 2,000 bytes; shorten it"),
        ("c", "its source is longer than 2,000 bytes; shorten it"),
    ]
    assert (await app.library.count()).threads == 3


async def test_what_a_later_one_replaces_is_not_prepared(app: App, folder: Path) -> None:
    posts = [question(n, f"Which number is {n}?") for n in (1, 2, 1, 3, 2)]
    put(folder, [*posts, answer(8_000, 1)])
    lines = [write_thread(Thread(key=f"garden/{n}", title=f"{n}?")) for n in (5, 7)]
    (folder / "zinnia.jsonl").write_text("\n".join([*lines, *lines[:1]]), encoding="utf-8")
    reader = WorkerReader([folder], Options(), SourceReport())
    asked: list[str] = []

    def noted(wanted: Sequence[int]) -> list[Prepared]:
        made = WorkerReader.prepare(reader, wanted)
        asked.extend(one.rows.key for one in made)
        return made

    reader.prepare = noted  # type: ignore[method-assign]
    report = await Import(app.database, app._index_sync, 0).run(reader)
    assert sorted(asked) == ["garden/1", "garden/2", "garden/3"]
    assert (report.added, report.ok) == (7, True)


def test_a_worker_is_quick_to_start() -> None:
    """It reads files; what the database and the bot are made of takes a second to import."""
    code = (
        "import sys, bot.services.import_reader, bot.services.upload_check\n"
        "print({'sqlalchemy', 'pydantic', 'discord', 'numpy'} & sys.modules.keys())"
    )
    assert programs.run("-c", code).stdout == "set()\n"
