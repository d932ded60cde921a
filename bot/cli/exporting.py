"""``export``, ``backup`` and ``restore``: the library in files."""

from __future__ import annotations

import gzip
import io
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO, TypeVar, cast

import typer

from bot.cli import runtime
from bot.cli.console import print_note, progress
from bot.cli.options import argument, guild_option, option
from bot.errors import ConfigError, counted
from bot.models import SHARED
from bot.private_files import unfinished
from bot.settings import load_settings
from bot.sources.writers import PAGES, WRITERS, OneFile, Pages
from bot.store import backup
from bot.store.backup import PageProgress
from bot.store.stats import Counts

T = TypeVar("T")


def back_up(
    file: Annotated[Path, argument("FILE", "Where to write; an older backup there is replaced.")],
) -> None:
    """Copy the library into a file, also while the bot runs. Raises ThreadwiseError."""
    url = load_settings().database
    content = _with_progress(lambda step: backup.back_up(url, file, step))
    print_note(f"Backed up {_counts(content)} to {file}")


def restore(
    file: Annotated[Path, argument("FILE", "What [bold]backup[/] has written.")],
) -> None:
    """Put a backup in the library's place. Raises ThreadwiseError, and then all is as before."""
    url = load_settings().database
    content, former = _with_progress(lambda step: backup.restore(url, file, step))
    print_note(f"The library is that of {file} now: {_counts(content)}.")
    if former is not None:
        print_note(f"What was there before is kept as {former}; delete it when you don't need it.")
    print_note("Index and neighbours are made anew at the next start.")


def _with_progress(work: Callable[[PageProgress], Awaitable[T]]) -> T:
    async def copy() -> T:
        with progress("Copying pages") as advance:
            return await work(advance)

    return runtime.run(copy())


def _counts(content: Counts) -> str:
    threads, answers, votes = (counted(n, what) for what, n in asdict(content).items())
    return f"{threads}, {answers} and {votes}"


def export(
    file: Annotated[
        Path | None,
        argument(
            "FILE",
            "Where to write: a file, compressed if it ends in .gz, or a folder.",
            "standard output",
        ),
    ] = None,
    form: Annotated[
        str | None,
        option(
            "--format",
            "NAME",
            "jsonl, markdown, or pages: a folder with a text page for each thread.",
            "as FILE says, else jsonl",
        ),
    ] = None,
    guild: Annotated[
        int, guild_option("Write this Discord server's own threads.", "the shared library")
    ] = SHARED,
    history: Annotated[
        bool, typer.Option("--history", help="Also what helpers changed of a server's threads.")
    ] = False,
) -> None:
    """Write the library to ``file`` (standard output without one, or for ``-``).

    Raises ConfigError when there is no such form, or the file can't be written; an older
    file of that name is then as it was.
    """
    file = None if file == Path("-") else file
    form = _form(file, form)
    if history and guild == SHARED:
        raise ConfigError("a history is of one server's own threads: add --guild ID")
    if history and form != "jsonl":
        raise ConfigError(f"{form} has no place for a history: export it as jsonl")
    runtime.run(_export(file, form, guild, history))


def _form(file: Path | None, named: str | None) -> str:
    """Return the form to write: as it is named, else as the file's name or the folder says."""
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


async def _export(file: Path | None, form: str, guild: int, history: bool) -> None:
    async with runtime.open_with_seeds() as app:
        total = (await app.library.count()).threads
        with progress("Exporting threads", total) as advance:
            if file is not None and form == PAGES:
                with _new_folder(file) as folder:
                    write = Pages(folder).write
                    written = await app.library.export(write, scope=guild, progress=advance)
            else:
                with _output(file) as stream:
                    write = OneFile(stream, form).write
                    written = await app.library.export(write, scope=guild, progress=advance)
                    if history:
                        await app.library.export_history(stream.write, scope=guild)
    if file is not None:
        print_note(f"Wrote {counted(written, 'threads')} to {file}")


@contextmanager
def _output(file: Path | None) -> Iterator[TextIO]:
    if file is None:
        with _write_errors("standard output"), _standard_output() as stream:
            yield stream
        return
    with _write_errors(file), _replacing(file.resolve()) as stream:
        yield stream


@contextmanager
def _standard_output() -> Iterator[TextIO]:
    try:
        with _text(sys.stdout.buffer) as stream:
            yield stream
    except OSError:
        # What could not be written is still there, and Python would try again at the end.
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), sys.stdout.fileno())
        raise


@contextmanager
def _write_errors(place: Path | str) -> Iterator[None]:
    """Turn OSError into ConfigError, which names the place; one whose reader is gone stays."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ConfigError(f"{place} can't be written: {error.strerror or error}") from None


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder to fill, which takes its own name at the end."""
    with _write_errors(folder):
        target = folder.resolve()
        if target.exists() and any(target.iterdir()):
            raise ConfigError(
                f"{folder} can't be written: there are files in it; empty it, or name another"
            )
        with unfinished(target, folder=True) as unnamed:
            yield unnamed
            if target.exists():
                target.rmdir()  # it is empty
            unnamed.rename(target)


@contextmanager
def _replacing(file: Path) -> Iterator[TextIO]:
    """Yield a stream whose content takes the file's place at the end, whole or not at all."""
    if file.exists() and not file.is_file():  # a pipe or a device has nothing to protect
        with file.open("wb") as raw, _text(raw) as stream:
            yield stream
        return
    with unfinished(file) as place:
        with place.open("wb") as raw:
            with _text(raw, gz=file.suffix == ".gz") as stream:
                yield stream
            raw.flush()
            os.fsync(raw.fileno())
        place.replace(file)


@contextmanager
def _text(raw: BinaryIO, *, gz: bool = False) -> Iterator[TextIO]:
    """Write UTF-8 lines into ``raw``, which stays open, compressed for ``gz``.

    The compressed form has neither name nor time: the same library gives the same file.
    """
    packed = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if gz else None
    with packed or nullcontext():
        target = raw if packed is None else cast("BinaryIO", packed)
        stream = io.TextIOWrapper(target, encoding="utf-8", newline="\n")
        try:
            yield stream
            stream.flush()
        finally:
            stream.detach()
