"""``import``: threads into the library, or with ``--dry-run`` what files would give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.panel import Panel
from rich.text import Text

from bot.cli import runtime
from bot.cli.console import (
    key_value_table,
    out,
    print_error,
    print_note,
    print_warning,
    progress,
    staged_progress,
)
from bot.cli.options import argument, guild_option, number, option
from bot.errors import counted
from bot.models import SHARED, Answer, Thread
from bot.services.import_pipeline import ImportReport
from bot.sources import Options, SourceReport, read_all
from bot.sources.encodings import named_encoding
from bot.sources.foreign_fields import chosen_names
from bot.sources.formats import FORMATS, named_format

GOES_ON = "what was taken in stays; the same command goes on from there"

_FORMATS = ", ".join(form.name for form in FORMATS)
_SCORE = number(int, "a score, a whole number such as 5 or -1")
_COUNT = number(int, "a whole number from 1 on", 1)

_MAX_THREADS = 5
"""Threads that a dry run shows; all are counted."""

_MAX_LINES = 6
"""Lines of a text that a dry run shows: enough to see whether it was read rightly."""

_MAX_LINE = 300
"""Characters of such a line."""


Paths = Annotated[
    list[Path],
    argument(
        "PATH...",
        "Files or folders: text pages, Markdown, tables, JSON, JSONL, posts of Discord forums, "
        "Stack Exchange dumps.",
    ),
]

FormatName = Annotated[
    str | None,
    option("--format", "NAME", f"Read them as this: {_FORMATS}.", "by their content"),
]

ColumnMap = Annotated[
    str,
    option(
        "--map",
        "FIELD=COLUMN,...",
        "Which column of a table, or key of JSON, holds what: question=Frage,answer=Antwort.",
        "by their usual names",
    ),
]

EncodingName = Annotated[
    str | None,
    option(
        "--encoding",
        "NAME",
        "What their text is in, such as cp1252 or gb18030; dumps say so themselves.",
        "UTF-8; of tables also by their content",
    ),
]

Site = Annotated[
    str | None,
    option(
        "--site",
        "HOST",
        "Where a dump is from, such as history.stackexchange.com.",
        "guessed from its name",
    ),
]

MinScore = Annotated[
    int | None,
    option("--min-score", "N", "Only threads with at least this score.", parser=_SCORE),
]

Tags = Annotated[
    list[str] | None,
    option("--tag", "TAG", "Only threads with this tag; given again, also those with another."),
]

Limit = Annotated[int | None, option("--limit", "N", "Only the first N threads.", parser=_COUNT)]

Prune = Annotated[
    bool,
    typer.Option("--prune", help="Retire threads from the same source that it has no longer."),
]

DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Only show what would be read; the library isn't touched."),
]

ForGuild = Annotated[
    int, guild_option("Make them this Discord server's own.", "the shared library")
]


def import_threads(
    paths: Paths,
    form: FormatName = None,
    columns: ColumnMap = "",
    encoding: EncodingName = None,
    site: Site = None,
    min_score: MinScore = None,
    tags: Tags = None,
    limit: Limit = None,
    prune: Prune = False,
    dry_run: DryRun = False,
    guild: ForGuild = SHARED,
) -> int:
    """Import files and folders, or only read them; 1 if anything was rejected."""
    options = Options(
        format=form and named_format(form).name,
        columns=chosen_names(columns),
        site=site,
        min_score=min_score,
        tags=frozenset(tags or ()),
        limit=limit,
        encoding=None if encoding is None else named_encoding(encoding),
    )
    return _dry_run(paths, options) if dry_run else _import_paths(paths, options, guild, prune)


def _import_paths(paths: Sequence[Path], options: Options, guild: int, prune: bool) -> int:
    """Import into the shared library or a guild's own, and print the result."""
    try:
        report = runtime.run(_import(paths, options, guild, prune), f"{GOES_ON}\nstopped")
    except KeyboardInterrupt:
        print_note(GOES_ON)
        raise
    _print_report(report)
    if report.not_retired is not None:
        print_warning(f"nothing is retired: {report.not_retired}")
    table = key_value_table()
    table.add_row("added", str(report.added))
    table.add_row("updated", str(report.updated))
    table.add_row("unchanged", str(report.unchanged))
    if prune:
        table.add_row("retired", str(report.retired))
    if report.states:
        table.add_row("states of histories", str(report.states))
    table.add_row("rejected", str(report.refused), style="red" if report.rejected else None)
    out().print(table)
    return 0 if report.ok else 1


async def _import(paths: Sequence[Path], options: Options, guild: int, prune: bool) -> ImportReport:
    seen = SourceReport()
    async with runtime.open_app() as app:
        with staged_progress(
            "Importing threads", lambda: (seen.stage, seen.done, seen.size)
        ) as advance:
            report = await app.library.import_paths(
                paths, scope=guild, options=options, progress=advance, seen=seen, prune=prune
            )
        await runtime.make_vectors(app)
        return report


def _dry_run(paths: Sequence[Path], options: Options) -> int:
    """Print the first threads of files and folders, and count them all; 1 if any was refused.

    Only these files are opened, and nothing is written.
    """
    report = SourceReport()
    first: list[Thread] = []
    threads = answers = accepted = 0
    with progress("Reading") as advance:
        for thread in read_all(paths, report, options):
            if threads < _MAX_THREADS:
                first.append(thread)
            threads += 1
            answers += len(thread.answers)
            accepted += sum(answer.accepted for answer in thread.answers)
            advance(1)
    _print_report(report)
    for thread in first:
        out().print(_thread_panel(thread))
    if threads > _MAX_THREADS:
        print_note(f"and {threads - _MAX_THREADS:,} more")
    table = key_value_table()
    table.add_row("threads", str(threads))
    table.add_row("answers", str(answers))
    table.add_row("accepted answers", str(accepted))
    table.add_row("rejected", str(report.refused))
    table.add_row("passed over", str(report.passed_over.total()))
    out().print(table)
    return 1 if report.rejected else 0


def _print_report(report: ImportReport | SourceReport) -> None:
    """Print on stderr what was refused, what was read otherwise, and what was passed over.

    Of one file only the first of many are named.
    """
    for problem in report.rejected:
        print_error(str(problem))
    for path, times in report.more_rejected.items():
        print_error(f"{path}: {counted(times, 'more were not accepted')}")
    for problem in report.warned:
        print_warning(str(problem))
    for path, times in report.more_warned.items():
        print_warning(f"{path}: {counted(times, 'more such warnings')}")
    for key, times in sorted(report.unknown_keys.items()):
        unknown = f"{key!r}, which Threadwise doesn't know"
        print_note(f"left out: {unknown}, {counted(times, 'times')}")
    for what, times in sorted(report.passed_over.items()):
        print_note(f"passed over: {counted(times, what)}")
    for hint in report.hints:
        print_note(hint)


def _thread_panel(thread: Thread) -> Panel:
    parts = [_shortened(thread.body)] if thread.body else []
    parts += [_answer_text(answer) for answer in thread.answers[:2]]
    if len(thread.answers) > 2:
        parts.append(Text(f"and {counted(len(thread.answers) - 2, 'more answers')}", style="dim"))
    if not parts:
        parts.append(Text("no answer yet", style="dim"))
    about = [thread.key, *(f"#{tag}" for tag in thread.tags[:5])]
    return Panel(
        Text("\n\n").join(parts),
        title=Text(" ".join(thread.title.split()), style="bold"),
        title_align="left",
        subtitle=Text("  ".join(about), style="dim"),
        subtitle_align="left",
    )


def _answer_text(answer: Answer) -> Text:
    facts = [f"{answer.score:+d}" if answer.score else "0"]
    facts += ["accepted"] if answer.accepted else []
    facts += [f"by {answer.author}"] if answer.author else []
    return Text.assemble((f"Answer ({', '.join(facts)})\n", "bold"), _shortened(answer.body))


def _shortened(text: str) -> Text:
    lines = text.strip().splitlines()
    kept = [
        line if len(line) <= _MAX_LINE else f"{line[: _MAX_LINE - 1]}…"
        for line in lines[:_MAX_LINES]
    ]
    return Text("\n".join(kept + (["…"] if len(lines) > _MAX_LINES else [])))
