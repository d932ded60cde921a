"""Fill a forum in with a bot that is killed again and again, over real sockets.

Run ``python -m scripts.backfill_trial [--posts N] [--kills N] [--seed N]`` in the project's
folder, or ``make backfill-trial``. A Discord on this computer has the posts, with eight
times as many messages; it counts what is asked of it by the bot's clock, which skips what the
bot would wait to keep to the limits. It ends with 1 if a post was lost or doubled, a limit was
not kept to, or the bot took too much memory.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.kit.backfill_trial import Report, trial

MEMORY = 150 * 1024**2
"""Bytes that a backfill may take, above those of the bot when it is ready."""


def main() -> int:
    """Run the trial and print what it came to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--posts", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(
            trial(Path(folder), posts=options.posts, kills=options.kills, seed=options.seed)
        )
    print(_table(report))
    faults = [*report.faults]
    if report.kills != options.kills:
        faults.append(f"killed {report.kills} times only")
    if report.memory > MEMORY:
        faults.append("too much memory")
    for fault in faults:
        print(f"FAULT {fault}", file=sys.stderr)
    return 1 if faults else 0


def _table(report: Report) -> str:
    rows = {
        "posts": f"{report.posts:,}",
        "messages": f"{report.messages:,}",
        "active posts": f"{report.active:,}",
        "killed": f"{report.kills} times",
        "requests": f"{report.requests:,}",
        "posts read twice": f"{report.read_again:,}",
        "solved": f"{report.solved:,}",
        "proposed": f"{report.proposed:,}",
        "memory above start": f"{report.memory / 1024**2:.0f} MB",
        "took": f"{report.seconds:.0f} s",
        "took by the bot's clock": f"{report.simulated / 60:.1f} min",
    }
    return "\n".join(f"{name:30} {value:>12}" for name, value in rows.items())


if __name__ == "__main__":
    sys.exit(main())
