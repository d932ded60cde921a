"""The figures as people read them: tables on the terminal and in Markdown, and a plot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

Row = dict[str, Any]
"""One size: ours, and ``peers`` by name."""

COLOURS = ("#3b6fb6", "#c4483e", "#de8f3c", "#3f8f5b", "#8159a6", "#777c86", "#b05a92", "#2a9d9d")


@dataclass(frozen=True, slots=True)
class Section:
    """A table: its title, and lines of a label with a cell for each size."""

    title: str
    lines: list[tuple[str, list[str]]]


OURS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("real titles", lambda row: f"{row['real_titles']:,}"),
    ("made titles", lambda row: f"{row['made_titles']:,}"),
    ("ask, ms", lambda row: _pair(row["ask"])),
    ("  the thread that was meant is among the first 5", lambda row: _ours_found(row)),
    ("autocomplete, ms", lambda row: _pair(row["complete"])),
    ("questions/s from 32 askers at once", lambda row: f"{row['asks_per_s']:,.0f}"),
    ("import, threads/s (store and index)", lambda row: f"{row['import_per_s']:,.0f}"),
    ("start with an existing index, s", lambda row: _number(row["start_s"])),
    ("resident memory, MB", lambda row: _number(row["memory_mb"])),
    ("database, MB", lambda row: _number(row["database_mb"])),
    ("index, MB", lambda row: _number(row["index_mb"])),
)


def sections(rows: list[Row]) -> list[Section]:
    """All tables, those without a line left out."""
    ours = Section(
        "Threadwise: the whole way, database included; median / 99th percentile",
        [(label, [cell(row) for row in rows]) for label, cell in OURS],
    )
    found = [
        ours,
        Section("The event loop is held for at most, ms (100 are the limit)", _holds(rows)),
        Section("The same questions to others, ms (how many times ours)", _asked(rows, "ask")),
        Section("The thread that was meant is among the others' first 5", _found(rows)),
        Section("The same beginnings, ms (how many times ours)", _asked(rows, "complete")),
        Section("Others: building, s", _peer_lines(rows, "build_s")),
        Section("Others: resident memory, MB", _peer_lines(rows, "memory_mb")),
        Section("Others: disk, MB", _peer_lines(rows, "disk_mb")),
    ]
    return [section for section in found if section.lines]


def notes(rows: list[Row]) -> list[str]:
    """Who was left out and why, and whose figures rest on few questions."""
    sizes: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for peer in row["peers"].values():
            why = peer.get("skipped")
            if why is None and peer["ask"]["n"] < row["ask"]["n"]:
                why = f"{peer['ask']['n']} of {row['ask']['n']} questions timed"
            if why is not None:
                sizes.setdefault((peer["label"], why), []).append(f"{row['threads']:,}")
    return [
        "Titles are real as far as there are any; bodies and answers are made of the same words.",
        *(f"Vectors at {row['threads']:,}: {_vectors(row)}." for row in rows),
        *(f"{label} at {' and '.join(where)}: {why}." for (label, why), where in sizes.items()),
    ]


def show(rows: list[Row]) -> None:
    """The tables on the terminal."""
    console = Console(width=140)
    for section in sections(rows):
        table = Table(title=section.title, title_justify="left")
        table.add_column("threads")
        for row in rows:
            table.add_column(f"{row['threads']:,}", justify="right")
        for label, cells in section.lines:
            table.add_row(label, *cells)
        console.print(table)
    for note in notes(rows):
        console.print(note, markup=False, highlight=False)


def save(rows: list[Row], folder: Path) -> None:
    """Write ``bench.md`` and ``bench.png``."""
    (folder / "bench.md").write_text(markdown(rows), encoding="utf-8")
    plot(rows, folder / "bench.png")


def markdown(rows: list[Row]) -> str:
    """The tables as a page that shows the plot."""
    sizes = [f"{row['threads']:,}" for row in rows]
    lines = ["# Benchmark", "", "![Latency by size](bench.png)", ""]
    for section in sections(rows):
        table = [("threads", sizes), ("---", ["---:"] * len(rows)), *section.lines]
        lines += [f"## {section.title}", ""]
        lines += [f"| {label} | {' | '.join(cells)} |" for label, cells in table]
        lines.append("")
    return "\n".join([*lines, *(f"- {note}" for note in notes(rows)), ""])


def plot(rows: list[Row], file: Path) -> None:
    """Median latency of a question by size, both on logarithmic scales."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    for number, (label, sizes, times) in enumerate(_series(rows)):
        axes.plot(
            sizes, times, marker="o", label=label, color=COLOURS[number % len(COLOURS)],
            linewidth=1.4 if number else 3,
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="threads", ylabel="median ms a question")
    axes.set_xticks([row["threads"] for row in rows], [f"{row['threads']:,}" for row in rows])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(file, dpi=150)


def _series(rows: list[Row]) -> Iterator[tuple[str, list[int], list[float]]]:
    yield "Threadwise", [row["threads"] for row in rows], [row["ask"]["median"] for row in rows]
    for name, label in _names(rows):
        there = [row for row in rows if "ask" in row["peers"].get(name, {})]
        if there:
            times = [row["peers"][name]["ask"]["median"] for row in there]
            yield label, [row["threads"] for row in there], times


def _vectors(row: Row) -> str:
    kind = row.get("vectors", "none")
    if kind == "none":
        return f"none, because {row.get('no_meaning', 'that was not measured')}"
    told = f"{kind}, {row['vectors_per_s']:,.0f} a second"
    return told + (" made by the model" if kind == "real" else " taken in; questions' are real")


def _names(rows: list[Row]) -> list[tuple[str, str]]:
    """Every peer's name and label, in order."""
    labels = {name: peer["label"] for row in rows for name, peer in row["peers"].items()}
    return list(labels.items())


def _asked(rows: list[Row], kind: str) -> list[tuple[str, list[str]]]:
    def cell(peer: Row) -> str:
        return f"{_pair(peer[kind])} ({_times(peer[f'{kind}_ratio'])})"

    return _lines(rows, kind, cell)


def _holds(rows: list[Row]) -> list[tuple[str, list[str]]]:
    """What was done, with the longest hold at each size and what it was by."""
    lines: dict[str, list[str]] = {}
    for place, row in enumerate(rows):
        for name, hold in row.get("loop", {}).items():
            cells = lines.setdefault(name, ["–"] * len(rows))
            by = f" ({hold['by']})" if hold["by"] else ""
            cells[place] = f"{_number(hold['ms'])}{by}"
    return [*lines.items()]


def _ours_found(row: Row) -> str:
    """Made vectors mean nothing, so nothing can be said of what is found by them."""
    return "–" if row.get("vectors") == "made" else f"{row['found']:.1%}"


def _found(rows: list[Row]) -> list[tuple[str, list[str]]]:
    return _lines(rows, "found", lambda peer: f"{peer['found']:.1%}")


def _peer_lines(rows: list[Row], name: str) -> list[tuple[str, list[str]]]:
    return _lines(rows, name, lambda peer: _number(peer[name]))


def _lines(rows: list[Row], needed: str, cell: Callable[[Row], str]) -> list[tuple[str, list[str]]]:
    """A line for each peer that has this figure at some size; a dash where it hasn't."""
    found = []
    for name, label in _names(rows):
        peers = [row["peers"].get(name, {}) for row in rows]
        cells = [cell(peer) if peer.get(needed) is not None else "–" for peer in peers]
        if any(peer.get(needed) is not None for peer in peers):
            found.append((label, cells))
    return found


def _pair(times: dict[str, float]) -> str:
    return f"{_number(times['median'])} / {_number(times['p99'])}"


def _times(ratio: float) -> str:
    return f"{_number(ratio)} x"


def _number(value: float) -> str:
    """A number with as many decimals as its size deserves."""
    return f"{value:,.{0 if value >= 100 else 1 if value >= 1 else 2}f}"
