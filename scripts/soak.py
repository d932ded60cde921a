"""Let the bot live through a simulated year of ten servers, and check that all adds up.

Run ``make soak``, or ``python scripts/soak.py`` in the project's folder. It ends with 1 if a
vote or tally is wrong, the index differs from the database, a server was shown what is
another's, something grew without bound, or the bot logged an error that no fault explains. Each
line of these names the seed and the event: the same options bring it again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from soaking.report import table
from soaking.run import Options, run


def main() -> int:
    """Run the soak and print what it came to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--servers", type=int, default=10)
    parser.add_argument("--restarts", type=int, default=30, help="half of them kill the bot")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="off", help="the model for meaning, as EMBEDDING_MODEL")
    parser.add_argument("--memory", type=int, default=100, help="MB by which the second half grows")
    parser.add_argument("--report", type=Path, help="write the report to this file as well")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    given = parser.parse_args()
    if given.events < 100 or given.servers < 3:
        parser.error("there must be 100 events and 3 servers at least")
    options = Options(
        events=given.events,
        servers=given.servers,
        restarts=given.restarts,
        seed=given.seed,
        model=given.model,
        memory=given.memory * 1024**2,
    )
    with tempfile.TemporaryDirectory() as folder:
        report = asyncio.run(
            run(Path(folder), options, lambda line: print(line, file=sys.stderr, flush=True))
        )
    text = json.dumps(asdict(report), indent=1) if given.json else table(report)
    print(text)
    if given.report:
        given.report.write_text(text + "\n", encoding="utf-8")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
