"""The report of a soak as text."""

from __future__ import annotations

from soaking.checks import Figures
from soaking.run import Report


def table(report: Report) -> str:
    """Return what a soak came to."""
    options = report.options
    rows = {
        "events": f"{options.events:,}",
        "servers": str(options.servers),
        "seed": str(options.seed),
        "simulated days": f"{report.days:.0f}",
        "starts": f"{report.starts} ({report.kills} after a kill)",
        "votes in force": f"{report.votes:,}",
        "lines of warning": f"{report.warnings:,}",
        "errors of our faults": f"{report.excused:,}",
        "took": f"{report.seconds:.0f} s ({report.processor:.0f} s of a processor)",
        "faults found": str(len(report.faults)),
    }
    lines = [f"{name:24} {value:>28}" for name, value in rows.items()]
    lines += ["", "what happened" + " " * 18 + "times  nothing to do"]
    for name in sorted(report.done, key=lambda name: -report.done[name]):
        missed = report.missed.get(name, 0)
        lines.append(f"{name:28} {report.done[name]:>8,} {missed or '':>14}")
    others = sorted(report.missed.keys() - report.done.keys())
    lines += [f"{name} ({report.missed[name]})" for name in others]
    return "\n".join([*lines, "", *_measured(report.figures)])


def _measured(seen: list[Figures]) -> list[str]:
    def row(name: str, values: list[str]) -> str:
        return f"{name:24}" + "".join(f"{value:>12}" for value in values)

    lines = [
        row("after events", [f"{each.event:,}" for each in seen]),
        row("memory", [f"{each.memory / 1024**2:.0f} MB" for each in seen]),
        row("on disk", [f"{each.bytes_on_disk / 1024**2:.1f} MB" for each in seen]),
    ]
    for name in ("files", "descriptors", "threads", "tasks"):
        lines.append(row(name, [str(getattr(each, name)) for each in seen]))
    lines += ["", "rows"]
    tables = sorted(seen[-1].rows) if seen else []
    lines += [row(name, [f"{each.rows.get(name, 0):,}" for each in seen]) for name in tables]
    lines += ["", "objects of ours, those whose number grew"]
    if seen:
        grown = {k: n - seen[0].objects[k] for k, n in seen[-1].objects.items()}
        for kind in sorted((k for k in grown if grown[k] > 20), key=lambda k: -grown[k])[:25]:
            lines.append(row(kind[-23:], [str(each.objects[kind]) for each in seen]))
    return lines
