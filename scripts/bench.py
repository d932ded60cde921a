"""Measure how fast the bot is, at several sizes, beside others that are given the same work.

    python scripts/bench.py [--sizes 10000 100000] [--postgres URL] [--save FOLDER]

Titles come from ``--titles`` (default ``../shared/scale/questions.jsonl.gz``) and, where
that ends or is absent, are made; bodies and answers are made (see benchmarks/corpus.py).
Questions are titles of the library with a word left out and slips in 30 % of the longer
words. Each stage runs in a process of its own, so that memory is each one's own. Times
are in milliseconds and mean little alone on a busy machine: read the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import corpus, peers, postgres

ROOT = Path(__file__).parents[1]
REAL_TITLES = ROOT.parent / "shared" / "scale" / "questions.jsonl.gz"
SIZES = (10_000, 100_000)
PEERS: dict[str, type[peers.Peer]] = {
    "wratio": peers.Extract,
    "token_set": peers.ExtractTokenSet,
    "fts5": peers.Fts5,
    "bm25s": peers.Bm25s,
    "tantivy": peers.Tantivy,
    "pg_trgm": postgres.Trigrams,
    "pg_text": postgres.FullText,
}

Figures = dict[str, Any]


def main() -> None:
    """Measure every size and print a table; or, started by itself, do one stage of it."""
    options = arguments()
    if options.stage:
        print(json.dumps(stage(options)))
        return
    if options.postgres:
        os.environ[postgres.VARIABLE] = options.postgres
    if options.save:
        check_save(options.save)
    from benchmarks import report

    rows: list[Figures] = []
    for size in options.sizes:
        rows.append(measure(size, options, rows))
        if options.save:  # after each size: the large ones take long
            report.save(rows, options.save)
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        report.show(rows)


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    add = parser.add_argument
    add("--sizes", nargs="+", type=int, default=list(SIZES), metavar="N", help="threads")
    add("--titles", type=Path, default=REAL_TITLES, help="real titles, a .jsonl.gz file")
    add("--peers", nargs="*", choices=list(PEERS), default=list(PEERS), help="whom to measure")
    add("--postgres", metavar="URL", help=f"a PostgreSQL server (or {postgres.VARIABLE})")
    add("--questions", type=int, default=300, metavar="N", help="questions that are asked")
    add("--seconds", type=float, default=20.0, metavar="S", help="asked at most so long each")
    add("--patience", type=float, default=900.0, metavar="S", help="a peer's building may take")
    add("--json", action="store_true", help="print JSON instead of tables")
    add("--save", type=Path, metavar="FOLDER", help="write bench.md and bench.png there")
    add("--stage", choices=["prepare", "build", "serve", "loop", *PEERS], help=argparse.SUPPRESS)
    add("--step", choices=["build", "ask"], help=argparse.SUPPRESS)
    add("--place", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def measure(size: int, options: argparse.Namespace, before: list[Figures]) -> Figures:
    """Measure one size: the library, Threadwise on it, then each peer that is installed."""
    with tempfile.TemporaryDirectory(prefix="threadwise-bench-") as place:
        run = Run(size, options, place)
        row: Figures = {"threads": size}
        for name in ("prepare", "build", "serve", "loop"):
            row |= run.ours(name)
        row["peers"] = {name: run.peer(name, row, before) for name in options.peers}
    return row


class Run:
    """The processes that measure one size."""

    def __init__(self, size: int, options: argparse.Namespace, place: str):
        self.size, self.patience = size, options.patience
        given = ("titles", "questions", "seconds", "patience")
        self._common = [
            word for name in given for word in (f"--{name}", str(getattr(options, name)))
        ]
        self._common += ["--sizes", str(size), "--place", place]

    def ours(self, name: str) -> Figures:
        """Run a stage of ours; its failure ends everything."""
        print(f"{self.size:,} threads: {name} ...", file=sys.stderr)
        done = subprocess.run(self._command(name), check=True, stdout=subprocess.PIPE)
        figures: Figures = json.loads(done.stdout)
        return figures

    def peer(self, name: str, ours: Figures, before: list[Figures]) -> Figures:
        """Build and ask a peer; returns the ratios to ours, or why it was skipped."""
        figures: Figures = {"label": PEERS[name].label}
        if any(row["peers"][name].get("gave_up") for row in before if row["threads"] <= self.size):
            return figures | {"skipped": "it took too long at a smaller size", "gave_up": True}
        for step in ("build", "ask") if PEERS[name].built else ("ask",):
            figures |= self._step(name, step)
            if "skipped" in figures:
                return figures
        for kind in ("ask", "complete"):
            if kind in figures:
                figures[f"{kind}_ratio"] = figures[kind]["median"] / ours[kind]["median"]
        return figures

    def _step(self, name: str, step: str) -> Figures:
        print(f"{self.size:,} threads: {name}, {step} ...", file=sys.stderr)
        command = [*self._command(name), "--step", step]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=self.patience)
        except subprocess.TimeoutExpired:
            why = f"to {step} it took more than {self.patience:.0f} s"
            return {"skipped": why, "gave_up": True}
        if done.returncode:
            return {"skipped": f"it failed: {(done.stderr.splitlines() or ['?'])[-1]}"}
        figures: Figures = json.loads(done.stdout)
        return figures

    def _command(self, name: str) -> list[str]:
        return [sys.executable, __file__, *self._common, "--stage", name]


def stage(options: argparse.Namespace) -> Figures:
    """Do the work of one process."""
    place, size = options.place, options.sizes[0]
    if options.stage == "prepare":
        return corpus.prepare(place, size, options.titles, options.questions)
    if options.stage in PEERS:
        return peer_stage(PEERS[options.stage](place, options.patience), options)
    if options.stage == "loop":
        from benchmarks import loop

        return loop.holds(place, size)
    from benchmarks import ours  # here, so that its weight is not in the peers' memory

    return ours.build(place) if options.stage == "build" else ours.serve(place, options.seconds)


def peer_stage(peer: peers.Peer, options: argparse.Namespace) -> Figures:
    """Do one step of a peer; returns its figures, or why it was skipped."""
    try:
        if options.step == "build":
            return peers.build_peer(peer)
        return asyncio.run(peers.ask_peer(peer, options.seconds))
    except peers.Skipped as why:
        return {"skipped": str(why)}


def check_save(folder: Path) -> None:
    """Exit with a line that says what to do if nothing could be saved, before the measuring."""
    try:
        peers.need("matplotlib")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (peers.Skipped, OSError) as error:
        print(f"error: nothing can be saved: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
