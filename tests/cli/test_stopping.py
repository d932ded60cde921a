"""Stopping: within five seconds, whatever the threads are at, and without a traceback."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from tests.loopback import TOKEN, Loopback, serving, slow

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX")

ROOT = Path(__file__).parents[2]
LONG = 120
"""Seconds that a thread of the program is at work and can't be stopped."""

IN_TIME = 30
"""Seconds within which the program must be gone: four, and room for a busy machine."""

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
    app.open_meaning = busy
elif what == "unpacking":
    from bot.services import import_reader
    import_reader.WorkerReader.next = busy
    import_reader.LARGE = 0
from bot.cli import main
main()
"""


async def start(url: str, what: str, *arguments: str, model: str = "off") -> Process:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "DISCORD_TOKEN": TOKEN,
        "EMBEDDING_MODEL": model,
    }
    command = [sys.executable, "-c", PROGRAM, url, what, *arguments]
    return await asyncio.create_subprocess_exec(
        *command,
        stderr=PIPE,
        stdout=PIPE,
        env=environment,
        # Tests that run in a shell's background inherit that Ctrl-C is to be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


async def until(process: Process, words: str) -> str:
    said = ""
    assert process.stderr is not None
    async with asyncio.timeout(120):
        while words not in said and (line := await process.stderr.readline()):
            said += line.decode()
    assert words in said, said
    return said


async def stopped(process: Process, number: signal.Signals) -> tuple[float, int | None, str]:
    """How long it takes until the program is gone, with what code and which last words."""
    began = time.monotonic()
    process.send_signal(number)
    try:
        async with asyncio.timeout(LONG / 2):
            _, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return time.monotonic() - began, process.returncode, err.decode()


@pytest.mark.parametrize(
    ("what", "model"), [("vectors", ""), ("opening", ""), ("index", "off"), ("unpacking", "off")]
)
async def test_a_bot_at_work_stops_in_time(what: str, model: str) -> None:
    if what == "vectors":
        pytest.importorskip("fastembed")
    async with serving(Loopback(TOKEN)) as fake:
        process = await start(fake.url, what, "run", model=model)
        said = await until(process, "AT WORK")
        took, code, err = await stopped(process, signal.SIGTERM)
    assert took < IN_TIME
    assert (code, err.splitlines()[-1]) == (0, "Stopped."), said + err
    assert "Traceback" not in said + err


ELSEWHERE = """
import asyncio, signal, threading, time
from bot.cli.run import until_stopped
from bot.cli.stopping import run

def tell(number):
    time.sleep(0.5)  # until the loop waits
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
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LONG / 2,
    )
    assert done.stdout == "both\n", done.stderr


async def test_an_import_stops_in_time(home: Path) -> None:
    (home / "more.jsonl").write_text('{"id": "moss", "title": "Which moss?"}\n')
    process = await start("http://127.0.0.1:9", "unpacking", "import", "more.jsonl")
    said = await until(process, "AT WORK")
    took, code, err = await stopped(process, signal.SIGINT)
    assert took < IN_TIME
    assert code == 130, said + err
    assert err.endswith("what was taken in stays; the same command goes on from there\nstopped\n")
    assert "Traceback" not in said + err


async def test_no_process_of_ours_stays_behind(home: Path) -> None:
    """A worker is ended with the program, also in the middle of a file."""
    code = (
        "import threading\nfrom bot.worker import Worker\nfrom bot.cli import stopping\n"
        "worker = Worker('tests.cli.test_stopping:sleeping')\n"
        "threading.Thread(target=worker.ask, args=[None], daemon=True).start()\n"
        "print(worker._process.pid, flush=True)\nstopping._leave(0, 'bye')\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=60,
        check=True,
    )
    child = int(process.stdout)
    for _ in range(200):  # it is ended, but whoever takes orphans in has to look first
        if not Path(f"/proc/{child}/stat").exists() or " Z " in _stat(child):
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("it is still there")


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


@pytest.mark.parametrize("moment", [0.0, 0.1, 0.3, 0.6, 1.0])
def test_ctrl_c_at_any_moment_of_the_start_is_no_traceback(home: Path, moment: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "ask", "why?"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert "bot/" not in err, err  # before that, it is Python itself that complains


async def test_stopping_during_a_command_is_no_traceback() -> None:
    fake = Loopback(TOKEN)
    guild = fake.add_guild("Garden club")
    alice = fake.add_member(guild, "alice")
    fake.faults.always("POST", r"/callback$", slow(LONG))
    async with serving(fake):
        process = await start(fake.url, "nothing", "run")
        await until(process, "connected as")
        fake.command(guild.channels["general"], alice, "ask", question="why?")
        await fake.until(lambda: any(path.endswith("/callback") for _, path, _ in fake.requests))
        took, code, err = await stopped(process, signal.SIGTERM)
    assert took < IN_TIME
    assert (code, err.splitlines()[-1]) == (0, "Stopped."), err
    assert "Traceback" not in err
    assert "incident" not in err
