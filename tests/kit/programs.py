"""Programs of the project in processes of their own.

Each is given what Python is to run, such as ``"-m", "bot", "ask"`` or ``"-c", code``, and
settings as keywords, which go into its environment.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.kit.paths import ROOT
from tests.kit.waiting import HANG

PIPE = subprocess.PIPE


def _environment(settings: dict[str, str]) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)} | settings


def _heed_ctrl_c() -> None:
    """Undo what tests in a shell's background inherit: there, Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def spawn(*arguments: str | Path, stdout: int = PIPE, **settings: str) -> subprocess.Popen[str]:
    """Start a program with pipes for its input, output and errors."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdin=PIPE,
        stdout=stdout,
        stderr=PIPE,
        text=True,
        encoding="utf-8",
        env=_environment(settings),
        preexec_fn=_heed_ctrl_c,
    )


def run(*arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, whatever its exit code."""
    with spawn(*arguments, stdout=PIPE, **settings) as process:
        try:
            out, err = process.communicate(timeout=2 * HANG)
        finally:
            process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def checked(*arguments: str | Path, **settings: str) -> str:
    """Run a program that must end well; returns its output."""
    done = run(*arguments, **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Program:
    """A program that runs beside the test; what it says on stderr is kept in ``said``."""

    def __init__(self, process: asyncio.subprocess.Process):
        self.process = process
        self.pid = process.pid
        self.said = ""
        assert process.stdout is not None
        assert process.stderr is not None
        self.stdout, self._stderr = process.stdout, process.stderr

    async def until(self, words: str) -> str:
        """Wait until it has said these words; returns the line with which they were complete."""
        line = ""
        async with asyncio.timeout(2 * HANG):
            while words not in self.said:
                line = (await self._stderr.readline()).decode()
                assert line, f"it ended without {words!r}: {self.said}"
                self.said += line
        return line

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it is gone: what it said last tells why."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def end(self) -> tuple[int, str, str]:
        """Wait until it is gone; returns its exit code, output and errors."""
        try:
            async with asyncio.timeout(2 * HANG):
                out, err = await self.process.communicate()
        finally:
            if self.process.returncode is None:
                self.process.kill()
                await self.process.wait()
        assert self.process.returncode is not None
        self.said += err.decode()
        return self.process.returncode, out.decode(), self.said


async def start(*arguments: str | Path, **settings: str) -> Program:
    """Start a program that runs beside the test."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *map(str, arguments)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        env=_environment(settings),
        preexec_fn=_heed_ctrl_c,
        limit=2**24,  # a line of the log may have all commands in it
    )
    return Program(process)
