"""Count the modules that one import and one question pass through: ``visited_modules.py``.

A Markdown file with two questions is imported into an open library, then a question is asked.
A module counts when one of its functions runs meanwhile, in any thread (``sys.setprofile``) or
in a process that is started; what runs while modules are imported does not. ``--names`` prints
the modules.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from bot.app import App
from bot.models import SHARED
from bot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGE = """# How do I pin a message?

Open its menu and choose *Pin*.

# How do I mute a channel?

Press and hold its name, then choose *Mute*.
"""
WATCH = """
import os, sys, threading

seen = set()

def note(frame, event, argument):
    file = frame.f_code.co_filename
    if event != "call" or file in seen or not frame.f_code.co_flags & 1:
        return  # bit 1 is missing from the bodies of modules and classes
    while frame is not None:
        if "importlib" in frame.f_code.co_filename:
            return
        frame = frame.f_back
    seen.add(file)
    if CHILD:
        with open(os.path.join(os.environ["VISITED"], str(os.getpid())), "a") as out:
            out.write(file + "\\n")

def start():
    threading.setprofile(note)
    sys.setprofile(note)

CHILD = "VISITED" in os.environ
if CHILD:
    start()
"""
"""Run at the start of every process, as ``sitecustomize``, and in this one."""


def watcher(folder: Path) -> ModuleType:
    """Return the watch as a module of this process, and have child processes start theirs."""
    (folder / "sitecustomize.py").write_text(WATCH)
    module = ModuleType("watch")
    exec(compile(WATCH, "watch", "exec"), module.__dict__)
    paths = [str(folder), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    os.environ["VISITED"] = str(folder)
    return module


def modules(files: set[str]) -> list[str]:
    """Return the names of those of ``bot`` and ``cogs``."""
    inside = [Path(f) for f in files if f.startswith((f"{ROOT}/bot/", f"{ROOT}/cogs/"))]
    return sorted({".".join(p.relative_to(ROOT).with_suffix("").parts) for p in inside})


async def measure(folder: Path) -> dict[str, list[str]]:
    """Return the modules visited by an import and by a question."""
    page = folder / "page.md"
    page.write_text(PAGE)
    (folder / "watch").mkdir()
    watch = watcher(folder / "watch")
    watch.start()  # before the threads that work for the library are
    app = await App.open(Settings(data_dir=folder / "data", embedding_model="off"))
    visited = {}
    try:
        watch.seen.clear()
        await app.library.import_paths([page], scope=SHARED)
        parts = [p for p in (folder / "watch").iterdir() if p.name.isdigit()]
        children = {line for part in parts for line in part.read_text().splitlines()}
        visited["import"] = modules(set(watch.seen) | children)
        watch.seen.clear()
        await app.answering.ask("how can i pin a mesage", guild_id=1)
        visited["question"] = modules(set(watch.seen))
    finally:
        sys.setprofile(None)
        await app.close()
    return visited


def main() -> None:
    """Print how many modules each of the two visited."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", action="store_true", help="print the modules as well")
    names = parser.parse_args().names
    with tempfile.TemporaryDirectory() as temporary:
        for what, visited in asyncio.run(measure(Path(temporary))).items():
            print(f"{what}: {len(visited)} modules")
            if names:
                print("".join(f"    {module}\n" for module in visited), end="")


if __name__ == "__main__":
    main()
