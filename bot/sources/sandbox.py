"""A file that somebody sent, read in a process of its own: whatever is in it, we go on.

The process has little time, memory and priority, so that a file made to be slow or huge
holds up nobody's question. It unpacks the file, has the usual reader read it, holds every
thread to limits, and writes what is left as JSON Lines, with a report beside it.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from bot import aside
from bot.errors import InputError
from bot.models import Answer, Thread
from bot.sources import Options, SourceReport, read, write_thread
from bot.sources.files import GZIP_MAGIC, Broken, reason

ROOT = Path(__file__).resolve().parents[2]
"""The folder that ``bot`` is in: the process must find it, wherever it is started."""

ARCHIVES = (b"PK\x03\x04", b"7z\xbc\xaf", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd", b"Rar!")
"""How archives begin. What would come out of them has no limit that we could watch."""

SECONDS = 120
"""For reading the file; most take one or two."""

MEMORY = 1_500_000_000
"""Bytes that reading may take, where the system can limit it."""

COMPLAINTS = 1_000
"""Mistakes in a file after which it isn't read on."""

# What one thread may hold. A phrasing costs a vector, a related thread a look.
TEXT, LINE, ANSWERS, PHRASINGS, OTHERS = 200_000, 2_000, 1_000, 50, 100

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken in: bytes when unpacked, and threads."""

    unpacked: int
    threads: int


@dataclass(frozen=True, slots=True)
class Sent:
    """What was found in a file that somebody sent: a file of threads with these ``keys``.

    ``former_keys`` are those of threads that had others in older versions, by ``keys``.

    ``rejected`` says what was not accepted, ``warned`` what got in otherwise than it stood
    there; of many only the first are named, and the ``more_`` numbers count the others.
    ``unknown_keys`` and ``passed_over`` are what was left out and how often, ``hints``
    what else is worth knowing. ``words`` is
    what came of counting them.
    """

    file: Path
    keys: list[str]
    former_keys: dict[str, str]
    phrasings: int
    words: str
    rejected: list[InputError]
    warned: list[InputError]
    more_rejected: int
    more_warned: int
    unknown_keys: dict[str, int]
    passed_over: dict[str, int]
    hints: list[str]


class Reading:
    """One file being read. ``result`` waits, in any thread; ``stop`` ends it at once."""

    def __init__(self, file: Path, folder: Path, limits: Limits, count: Sequence[str] = ()):
        """Begin; ``folder``, which isn't the file's own, is for what comes of it.

        ``count`` names a class as ``module:name``, and what it is made with there: it is
        given each thread that is taken, and its result is the ``words`` of what was sent.
        """
        self._out, self._report = folder / "threads.jsonl", folder / "report.json"
        arguments = [str(file), str(self._out), str(self._report)]
        arguments += [str(value) for value in asdict(limits).values()] + [*count]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, *arguments],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._process = aside.follow(process)

    def result(self) -> Sent:
        """What came of it. Raises InputError when the file as a whole was not accepted."""
        try:
            code = self._process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            raise InputError(f"reading it takes longer than {SECONDS} seconds") from None
        finally:
            self.stop()
        try:
            found = json.loads(self._report.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise InputError(
                f"reading it takes more time or memory than there is for it (code {code})"
            ) from None
        if found["refused"]:
            raise InputError(found["refused"])
        del found["refused"]
        for kind in ("rejected", "warned"):
            found[kind] = [InputError(why, line=line) for why, line in found[kind]]
        return Sent(self._out, **found)

    def stop(self) -> None:
        """End the process, if it is still there."""
        with contextlib.suppress(OSError):
            self._process.kill()
        self._process.wait()


class _Refused(Exception):
    """The file as a whole is not accepted; the text says why."""


class _Patient(SourceReport):
    """A report whose patience ends: a file may hold a mistake in each of a million lines."""

    def reject(self, reason: str, path: Path, line: int | None = None) -> None:
        super().reject(reason, path, line)
        if self.refused >= COMPLAINTS:
            first = self.rejected[0]
            where = f" (line {first.line})" if first.line else ""
            raise _Refused(f"it has over {COMPLAINTS} mistakes; the first{where}: {first.reason}")


def main(arguments: list[str]) -> None:
    """What the process does: read the file, write what it holds and what was wrong."""
    file, out, report_file = map(Path, arguments[:3])
    limits = Limits(*map(int, arguments[3:5]))
    _be_modest(limits)
    report, refused, keys = _Patient(), None, list[str]()
    count, phrasings, former_keys = _count_of(arguments[5:]), 0, dict[str, str]()
    try:
        with out.open("w", encoding="utf-8", newline="\n") as stream:
            for thread in _threads(_unpacked(file, limits.unpacked), report):
                keys.append(thread.key)
                if thread.former_key is not None:
                    former_keys[thread.key] = thread.former_key
                if len(keys) > limits.threads:
                    raise _Refused(f"there are more than {limits.threads} threads in it")
                stream.write(f"{write_thread(thread)}\n")
                phrasings += len(thread.phrasings)
                count.add(thread)
    except _Refused as error:
        refused = str(error)
    except MemoryError:
        refused = "reading it takes more memory than there is for it"
    except Broken as error:
        refused = reason(error)
    found = {
        "refused": refused,
        "keys": keys,
        "former_keys": former_keys,
        "phrasings": phrasings,
        "words": count.result(),
        "rejected": [(error.reason, error.line) for error in report.rejected],
        "warned": [(error.reason, error.line) for error in report.warned],
        "more_rejected": report.more_rejected.total(),
        "more_warned": report.more_warned.total(),
        "unknown_keys": report.unknown_keys,
        "passed_over": report.passed_over,
        "hints": report.hints,
    }
    report_file.write_text(json.dumps(found), encoding="utf-8")


class Count(Protocol):
    """Who counts something of the threads that are taken."""

    def add(self, thread: Thread) -> None:
        """Count a thread."""
        ...

    def result(self) -> str:
        """What came of it."""
        ...


class _NoCount:
    def add(self, thread: Thread) -> None:
        """Count nothing."""

    def result(self) -> str:
        return ""


def _count_of(arguments: Sequence[str]) -> Count:
    if not arguments:
        return _NoCount()
    what, *more = arguments
    module, _, name = what.partition(":")
    return cast("Count", getattr(import_module(module), name)(*more))


def _be_modest(limits: Limits) -> None:
    """Take little of the machine, where the system lets a process say so."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(10)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        most = 4 * limits.unpacked + _PIECE
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def _unpacked(file: Path, limit: int) -> Path:
    """The file itself or, if it is packed, what is in it. Raises _Refused past the limit."""
    with file.open("rb") as stream:
        head = stream.read(8)
    if head.startswith(ARCHIVES):
        raise _Refused("it is an archive; send the file in it, alone or packed with gzip")
    if not head.startswith(GZIP_MAGIC):
        if file.stat().st_size > limit:
            raise _Refused(f"it holds more than {limit // 1024**2} MB")
        return file
    name = file.name.removesuffix(".gz")
    plain = file.with_name(name if name != file.name else f"{name}.jsonl")
    size = 0
    with gzip.open(file) as packed, plain.open("xb") as out:
        while piece := packed.read(_PIECE):
            if not size and piece.startswith((GZIP_MAGIC, *ARCHIVES)):
                raise _Refused("it is packed twice; send the file in it, packed once")
            size += len(piece)
            if size > limit:
                raise _Refused(f"it holds more than {limit // 1024**2} MB when it is unpacked")
            out.write(piece)
    return plain


def _threads(file: Path, report: SourceReport) -> Iterator[Thread]:
    """The file's threads that are within bounds; the others are named in the report."""
    for thread in read(file, report, Options(upload=True)):
        if (why := _too_much(thread)) is not None:
            report.reject(f"{thread.key[:40]!r}: {why}", file)
        else:
            # Votes are given here, by members; nobody brings some along.
            if sums := sum(len(answer.tallies) for answer in thread.answers):
                report.pass_over("sums of votes, which only members give", sums)
            yield replace(thread, answers=tuple(replace(a, tallies=()) for a in thread.answers))


def _too_much(thread: Thread) -> str | None:
    """Of what a thread has more than is taken in from just anybody."""
    for name, many, most in (
        ("answers", thread.answers, ANSWERS),
        ("phrasings", thread.phrasings, PHRASINGS),
        ("tags", thread.tags, OTHERS),
        ("related threads", thread.related, OTHERS),
    ):
        if len(many) > most:
            return f"it has {len(many)} {name}, at most {most} are taken"
    if any(len(text) > TEXT for text in (thread.body, *(a.body for a in thread.answers))):
        return f"one of its texts is longer than {TEXT} characters"
    lines = [thread.key, thread.title, thread.url, thread.author, thread.license, thread.source]
    lines += [*thread.phrasings, *thread.tags, *thread.related]
    for answer in thread.answers:
        lines += _lines(answer)
    if any(len(line) > LINE for line in lines if line):
        return f"its title, a name or an address is longer than {LINE} characters"
    return None


def _lines(answer: Answer) -> list[str | None]:
    return [answer.key, answer.author, answer.url, answer.license]


if __name__ == "__main__":
    main(sys.argv[1:])
