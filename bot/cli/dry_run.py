"""``import --dry-run``: what files would give, without a library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot.cli.console import note, out, progress
from bot.cli.import_export import tell
from bot.models import Answer, Thread
from bot.plurals import counted
from bot.sources import Options, SourceReport, read_all

_SHOWN = 5
_LINES = 6
"""Lines of a text that are shown; what matters is whether it was read rightly."""


def show(paths: Sequence[Path], options: Options) -> int:
    """Show the first threads of files and folders, and count them all; 1 if any was refused.

    Nothing is opened but these files, and nothing is written.
    """
    report = SourceReport()
    first: list[Thread] = []
    threads = answers = accepted = 0
    with progress("Reading") as advance:
        for thread in read_all(paths, report, options):
            if threads < _SHOWN:
                first.append(thread)
            threads += 1
            answers += len(thread.answers)
            accepted += sum(answer.accepted for answer in thread.answers)
            advance(1)
    tell(report)
    for thread in first:
        out().print(_panel(thread))
    if threads > _SHOWN:
        note(f"and {threads - _SHOWN:,} more")
    counts = {
        "threads": threads,
        "answers": answers,
        "accepted answers": accepted,
        "rejected": report.refused,
        "passed over": report.passed_over.total(),
    }
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name, number in counts.items():
        table.add_row(name, str(number))
    out().print(table)
    return 1 if report.rejected else 0


def _panel(thread: Thread) -> Panel:
    parts = [_short(thread.body)] if thread.body else []
    parts += [_answer(answer) for answer in thread.answers[:2]]
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


def _answer(answer: Answer) -> Text:
    said = [f"{answer.score:+d}" if answer.score else "0"]
    said += ["accepted"] if answer.accepted else []
    said += [f"by {answer.author}"] if answer.author else []
    return Text.assemble((f"Answer ({', '.join(said)})\n", "bold"), _short(answer.body))


def _short(text: str) -> Text:
    lines = text.strip().splitlines()
    kept = [line if len(line) <= 300 else f"{line[:299]}…" for line in lines[:_LINES]]
    return Text("\n".join(kept + (["…"] if len(lines) > _LINES else [])))
