"""``import`` and ``export``: threads into the library, and out of it."""

from __future__ import annotations

import gzip
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from rich.table import Table

from bot.app import App
from bot.atomic_write import unfinished
from bot.cli import stopping
from bot.cli.console import complain, note, out, progress, warn, watching
from bot.cli.open_app import make_vectors, opened
from bot.errors import ConfigError
from bot.models import SHARED
from bot.plurals import counted
from bot.services.import_report import ImportReport
from bot.settings import load_settings
from bot.sources import Options, SourceReport
from bot.sources.writing import PAGES, WRITERS

GOES_ON = "what was taken in stays; the same command goes on from there"


def import_paths(
    paths: Sequence[Path], options: Options, *, guild: int = SHARED, prune: bool = False
) -> int:
    """Import files and folders, and show what came of it; 1 if anything was rejected.

    With a ``guild``, they become that server's own.
    """

    async def go() -> ImportReport:
        app = await App.open(load_settings())
        seen = SourceReport()
        try:
            with watching(
                "Importing threads", lambda: (seen.stage, seen.done, seen.size)
            ) as advance:
                report = await app.library.import_paths(
                    paths,
                    scope=guild,
                    options=options,
                    progress=advance,
                    seen=seen,
                    prune=prune,
                )
            await make_vectors(app)
            return report
        finally:
            await app.close()

    try:
        report = stopping.run(go(), f"{GOES_ON}\nstopped")
    except KeyboardInterrupt:
        note(GOES_ON)
        raise
    tell(report)
    if report.not_retired is not None:
        warn(f"nothing is retired: {report.not_retired}")
    out().print(_summary(report, prune))
    return 0 if report.ok else 1


def export(file: Path | None, form: str | None, guild: int) -> None:
    """Write the library to ``file`` (standard output without one, or for ``-``).

    Raises ConfigError when there is no such form, or the file can't be written; an older
    file of that name is then as it was.
    """
    file = None if file == Path("-") else file
    stopping.run(_export(file, _form(file, form), guild))


def _form(file: Path | None, named: str | None) -> str:
    """The form to write: as it is named, else as the file's name or the folder says."""
    forms = (*WRITERS, PAGES)
    if named is not None and named not in forms:
        raise ConfigError(f"there is no form {named!r} to write; there are {', '.join(forms)}")
    if file is None:
        if named == PAGES:
            raise ConfigError("text pages are files: name a folder to write them to")
        return named or "jsonl"
    if named is None and file.is_dir():
        return PAGES
    name = file.name.lower().removesuffix(".gz")
    return named or ("markdown" if name.endswith((".md", ".markdown")) else "jsonl")


async def _export(file: Path | None, form: str, guild: int) -> None:
    async with opened() as app:
        total = (await app.library.count()).threads
        with progress("Exporting threads", total) as advance:
            if file is not None and form == PAGES:
                with _filling(file) as folder:
                    written = await app.library.export_pages(folder, scope=guild, progress=advance)
            else:
                with _writing(file) as stream:
                    written = await app.library.export(
                        stream, scope=guild, form=form, progress=advance
                    )
    if file is not None:
        note(f"Wrote {counted(written, 'threads')} to {file}")


def tell(report: ImportReport | SourceReport) -> None:
    """Say on stderr what was refused, what was read otherwise, and what was passed over.

    Of one file only the first of many are named.
    """
    for problem in report.rejected:
        complain(str(problem))
    for path, times in report.more_rejected.items():
        complain(f"{path}: {counted(times, 'more were not accepted')}")
    for problem in report.warned:
        warn(str(problem))
    for path, times in report.more_warned.items():
        warn(f"{path}: {counted(times, 'more such warnings')}")
    for key, times in sorted(report.unknown_keys.items()):
        known = f"{key!r}, which Threadwise doesn't know"
        note(f"passed over: {known}, {counted(times, 'times')}")
    for what, times in sorted(report.passed_over.items()):
        note(f"passed over: {counted(times, what)}")
    for hint in report.hints:
        note(hint)


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
def _filling(folder: Path) -> Iterator[Path]:
    """A folder that is filled under another name, and takes its own at the end."""
    try:
        target = folder.resolve()
        if target.exists() and any(target.iterdir()):
            raise ConfigError(
                f"{folder} can't be written: there are files in it; empty it, or name another"
            )
        with unfinished(target, folder=True) as filling:
            yield filling
            if target.exists():
                target.rmdir()  # it is empty
            filling.rename(target)
    except OSError as error:
        raise ConfigError(f"{folder} can't be written: {error.strerror or error}") from None


@contextmanager
def _replacing(file: Path) -> Iterator[TextIO]:
    """A stream whose content takes the file's place at the end, whole or not at all."""
    if file.exists() and not file.is_file():  # a pipe or a device has nothing to protect
        with file.open("wb") as raw, _text(raw) as stream:
            yield stream
        return
    with unfinished(file) as place:
        with place.open("wb") as raw:
            with _packing(raw) if file.suffix == ".gz" else _text(raw) as stream:
                yield stream
            raw.flush()
            os.fsync(raw.fileno())
        place.replace(file)


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
