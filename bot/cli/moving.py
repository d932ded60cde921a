"""``import`` and ``export``: threads into the library, and out of it."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from rich.table import Table

from bot.cli.console import complain, err, note, out, progress, warn, watching
from bot.cli.library import make_vectors, opened
from bot.errors import ConfigError
from bot.services.house import House
from bot.services.library import ImportReport
from bot.settings import load_settings
from bot.sources import Options, SourceReport


def import_paths(paths: Sequence[Path], options: Options, *, prune: bool = False) -> int:
    """Import files and folders, and show what came of it; 1 if anything was rejected."""

    async def go() -> ImportReport:
        house = await House.open(load_settings())
        seen = SourceReport()
        try:
            with watching(
                "Importing threads", lambda: (seen.stage, seen.done, seen.size)
            ) as advance:
                report = await house.library.import_paths(
                    paths, options=options, progress=advance, seen=seen, prune=prune
                )
            await make_vectors(house)
            return report
        finally:
            await house.close()

    report = asyncio.run(go())
    tell(report)
    if prune and not report.ok:
        warn("nothing is retired: what was rejected may be what seems to be gone")
    out().print(_summary(report, prune))
    return 0 if report.ok else 1


def export(file: Path | None) -> None:
    """Write the library to ``file`` (standard output without one, or for ``-``).

    Raises ConfigError when the file can't be written; an older file of that name
    is then as it was.
    """
    asyncio.run(_export(None if file == Path("-") else file))


async def _export(file: Path | None) -> None:
    async with opened() as house:
        total = (await house.library.count()).threads
        with _writing(file) as stream, progress("Exporting threads", total) as advance:
            written = await house.library.export(stream, progress=advance)
    if file is not None:
        err().print(f"Wrote {written} threads to {file}", markup=False, highlight=False)


def tell(report: ImportReport | SourceReport) -> None:
    """Say on stderr what was refused, what was read otherwise, and what was passed over.

    Of one file only the first of many are named.
    """
    for problem in report.rejected:
        complain(str(problem))
    for path, times in report.more_rejected.items():
        complain(f"{path}: {times:,} more were not accepted")
    for problem in report.warned:
        warn(str(problem))
    for path, times in report.more_warned.items():
        warn(f"{path}: {times:,} more such warnings")
    for key, times in sorted(report.unknown_keys.items()):
        note(f"passed over: {key!r}, which Threadwise doesn't know, {times} times")
    for what, times in sorted(report.passed_over.items()):
        note(f"passed over: {times:,} {what}")


def _summary(report: ImportReport, prune: bool) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_row("added", str(report.added))
    table.add_row("updated", str(report.updated))
    table.add_row("unchanged", str(report.unchanged))
    if prune:
        table.add_row("retired", str(report.retired))
    table.add_row("rejected", str(report.refused), style="red" if report.rejected else None)
    return table


@contextmanager
def _writing(file: Path | None) -> Iterator[TextIO]:
    if file is None:
        with _text(sys.stdout.buffer) as stream:
            yield stream
        return
    try:
        with _replacing(file.resolve()) as stream:
            yield stream
    except OSError as error:
        raise ConfigError(f"{file} can't be written: {error.strerror or error}") from None


@contextmanager
def _replacing(file: Path) -> Iterator[TextIO]:
    """A stream whose content takes the file's place at the end, whole or not at all."""
    if file.exists() and not file.is_file():  # a pipe or a device has nothing to protect
        with file.open("wb") as raw, _text(raw) as stream:
            yield stream
        return
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with unfinished.open("xb") as raw:
            with _packing(raw) if file.suffix == ".gz" else _text(raw) as stream:
                yield stream
            raw.flush()
            os.fsync(raw.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _packing(raw: BinaryIO) -> Iterator[TextIO]:
    """Compress into ``raw``, without name or time: the same library, the same file."""
    with (
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        _text(cast("BinaryIO", packed)) as stream,
    ):
        yield stream


@contextmanager
def _text(raw: BinaryIO) -> Iterator[TextIO]:
    """Write UTF-8 lines into ``raw``, which stays open."""
    stream = io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
    try:
        yield stream
        stream.flush()
    finally:
        stream.detach()
