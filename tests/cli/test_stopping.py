"""Stopping: within five seconds, whatever the threads are at, and without a traceback."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.kit import programs
from tests.kit.loopback import TOKEN, Loopback, serving, slow
from tests.kit.programs import Program
from tests.kit.waiting import until

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")

LONG = 120
"""Seconds that a thread of the program is at work and can't be stopped."""

IN_TIME = LONG / 2
"""Seconds within which the program must be gone: four, and much room for a busy machine."""

PROGRAM = f"""
import sys, threading, time, warnings
warnings.simplefilter("ignore")
from discord.http import Route
Route.BASE = sys.argv.pop(1)
what = sys.argv.pop(1)

def busy(*_, **__):
    print("AT WORK", file=sys.stderr, flush=True)
    time.sleep({LONG})

if what == "vectors":
    from bot.search.semantic.embedder import Embedder
    Embedder.texts = busy
elif what == "index":
    from bot.search.index import Writing
    Writing.commit = busy
elif what == "opening":
    import bot.app as app
    app.open_semantic_index = busy
elif what == "unpacking":
    from bot.services import import_reader
    import_reader.WorkerReader.next = busy
    import_reader.WORKER_BYTES = 0
from bot.cli import main
main()
"""


async def start(url: str, what: str, *arguments: str, model: str = "off") -> Program:
    settings = {"DISCORD_TOKEN": TOKEN, "EMBEDDING_MODEL": model}
    return await programs.start("-c", PROGRAM, url, what, *arguments, **settings)


async def stopped(process: Program, number: signal.Signals) -> tuple[float, int, str]:
    """Send a signal; returns the seconds until the program is gone, its code and its stderr."""
    began = time.monotonic()
    process.signal(number)
    code, _, said = await process.end()
    return time.monotonic() - began, code, said


@pytest.mark.parametrize(
    ("what", "model"), [("vectors", ""), ("opening", ""), ("index", "off"), ("unpacking", "off")]
)
async def test_a_bot_at_work_stops_in_time(what: str, model: str) -> None:
    if what == "vectors":
        pytest.importorskip("onnxruntime")
    async with serving(Loopback(TOKEN)) as fake:
        process = await start(fake.url, what, "run", model=model)
        await process.until("AT WORK")
        took, code, said = await stopped(process, signal.SIGTERM)
    assert took < IN_TIME
    assert (code, said.splitlines()[-1]) == (0, "Stopped."), said
    assert "Traceback" not in said


ELSEWHERE = """
import asyncio, signal, sys, threading, time
from bot.cli.run import until_stopped
from bot.cli.runtime import run

def tell(number):
    while sys._current_frames()[threading.main_thread().ident].f_code.co_name != "select":
        time.sleep(0.001)  # until the loop waits
    signal.pthread_kill(threading.get_ident(), number)

async def idle(number):
    threading.Thread(target=tell, args=[number], daemon=True).start()
    await asyncio.sleep(3600)

asyncio.run(until_stopped(idle(signal.SIGTERM)))
try:
    run(idle(signal.SIGINT))
except KeyboardInterrupt:
    print("both")
"""


def test_a_signal_that_another_thread_gets_stops_a_loop_that_waits() -> None:
    done = programs.run("-c", ELSEWHERE)
    assert done.stdout == "both\n", done.stderr


async def test_an_import_stops_in_time(home: Path) -> None:
    (home / "more.jsonl").write_text('{"id": "moss", "title": "Which moss?"}\n')
    process = await start("http://127.0.0.1:9", "unpacking", "import", "more.jsonl")
    await process.until("AT WORK")
    took, code, said = await stopped(process, signal.SIGINT)
    assert took < IN_TIME
    assert code == 130, said
    assert said.endswith("what was taken in stays; the same command goes on from there\nstopped\n")
    assert "Traceback" not in said


async def test_no_process_of_ours_stays_behind(home: Path) -> None:
    """A worker is ended with the program, also in the middle of a file."""
    code = (
        "import threading\nfrom bot.worker import Worker\nfrom bot.cli import runtime\n"
        "worker = Worker('tests.cli.test_stopping:sleeping')\n"
        "threading.Thread(target=worker.ask, args=[None], daemon=True).start()\n"
        "print(worker._process.pid, flush=True)\nruntime._exit(0, 'bye')\n"
    )
    child = int(programs.run("-c", code).stdout)
    # It is ended, but whoever takes orphans in has to look first.
    await until(lambda: not Path(f"/proc/{child}/stat").exists() or " Z " in _stat(child))


def _stat(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return " Z "


class sleeping:
    """What the worker does: nothing, for long."""

    def __enter__(self) -> object:
        return lambda _question: time.sleep(LONG)

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("module", ["typer", "bot.settings", "sqlalchemy", "bot.cli.evaluate"])
async def test_ctrl_c_at_any_moment_of_the_start_is_no_traceback(home: Path, module: str) -> None:
    """As soon as Python has told that it has imported a module.

    Before our first line it is Python that complains, or coverage, whose ``.pth`` file swallows
    every exception and whose tracing begins with that line.
    """
    process = await programs.start("-X", "importtime", "-m", "bot", "ask", "why?")
    await process.until(f" {module}\n")
    process.signal(signal.SIGINT)
    code, _, said = await process.end()
    assert code, said
    assert "bot/" not in said, said


async def test_stopping_during_a_command_is_no_traceback() -> None:
    fake = Loopback(TOKEN)
    guild = fake.add_guild("Garden club")
    alice = fake.add_member(guild, "alice")
    fake.faults.always("POST", r"/callback$", slow(LONG))
    async with serving(fake):
        process = await start(fake.url, "nothing", "run")
        await process.until("connected as")
        fake.command(guild.channels["general"], alice, "ask", question="why?")
        await fake.until(lambda: any(path.endswith("/callback") for _, path, _ in fake.requests))
        took, code, said = await stopped(process, signal.SIGTERM)
    assert took < IN_TIME
    assert (code, said.splitlines()[-1]) == (0, "Stopped."), said
    assert "Traceback" not in said
    assert "incident" not in said
