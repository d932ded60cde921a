"""Write a made-up Stack Exchange dump, and measure how fast it is imported.

    python scripts/synthetic_dump.py FOLDER [--posts 1000000]
    python scripts/synthetic_dump.py FOLDER --measure [--data FOLDER]

Measured are the first import into an empty library, the same again, and a newer copy with
another user more, of which everything is read to find that no thread has changed; each in a
process of its own: posts a second, seconds of processor time, and the most memory above that at the
start, helping processes included; its own, and with the files that are mapped (the index
while it is merged). The times mean little alone on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Write, or measure; or, started by itself, import once."""
    options = arguments()
    if options.stage:
        from dumps.measuring import imported

        print(json.dumps(imported(options.folder, options.data)))
    elif options.measure:
        with tempfile.TemporaryDirectory(prefix="threadwise-dump-") as place:
            measure(options.folder, options.data or Path(place))
    else:
        from dumps.made import write

        write(options.folder, options.posts, _tell(options.posts))
        size = sum(file.stat().st_size for file in options.folder.iterdir()) / 2**20
        print(f"Wrote {options.posts:,} posts, {size:,.0f} MB, to {options.folder}")


def measure(dump: Path, data: Path) -> None:
    """Import twice and print what it took."""
    posts = _posts(dump)
    print(
        f"{'':8}{'seconds':>9}{'posts/s':>9}{'cpu s':>9}{'memory MB':>11}{'resident':>10}  outcome"
    )
    seconds: list[float] = []
    with tempfile.TemporaryDirectory(prefix="threadwise-newer-") as place:
        newer = _newer(dump, Path(place))
        for name, folder in (("first", dump), ("again", dump), ("newer", newer)):
            figures = _stage(folder, data)
            seconds.append(figures["seconds"])
            outcome = ", ".join(
                f"{figures[key]:,} {key}"
                for key in ("added", "unchanged", "rejected")
                if figures[key]
            )
            print(
                f"{name:8}{figures['seconds']:9.1f}{posts / figures['seconds']:9,.0f}"
                f"{figures['cpu_seconds']:9.1f}{figures['memory_mb']:11.0f}"
                f"{figures['resident_mb']:10.0f}  {outcome}",
                flush=True,
            )
    first, again, newer_copy = seconds
    print(
        f"again is {first / again:.1f} times as fast, a newer copy {first / newer_copy:.1f} times"
    )


def _newer(dump: Path, place: Path) -> Path:
    """Return a copy of the dump with one more user, whose name is on no post."""
    for file in dump.iterdir():
        (place / file.name).symlink_to(file.resolve())
    users = (dump / "Users.xml").read_text(encoding="utf-8")
    (place / "Users.xml").unlink()
    more = users.replace("</users>", '  <row Id="-1" DisplayName="Community" />\n</users>')
    (place / "Users.xml").write_text(more, encoding="utf-8")
    return place


def _stage(dump: Path, data: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, str(dump), "--stage", "--data", str(data)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _posts(dump: Path) -> int:
    with (dump / "Posts.xml").open("rb") as rows:
        return sum(b"<row " in line for line in rows)


def _tell(total: int) -> Any:
    done = 0

    def progress(more: int) -> None:
        nonlocal done
        done += more
        if sys.stderr.isatty():
            print(f"\r{done:,} of {total:,}", end="", file=sys.stderr)

    return progress


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the dump is, or is to be")
    parser.add_argument("--posts", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--measure", action="store_true", help="import the dump that is there")
    parser.add_argument("--data", type=Path, help="keep the library here", metavar="FOLDER")
    parser.add_argument("--stage", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
