"""A file that somebody sent, read in a worker with limits: whatever is in it, the bot goes on.

The worker has little time, memory and priority, so that a file made to be slow or huge
holds up nobody's question. It unpacks the file, has the usual reader read it, holds every
thread to limits, and writes what is left as JSON Lines.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from math import log
from pathlib import Path
from typing import NamedTuple, cast

from bot.curation import AuthorChoice, MadeOf
from bot.errors import InputError, InputPlace
from bot.i18n import N_, current, speaking
from bot.i18n import gettext as _
from bot.models import Thread
from bot.search.documents import MAX_TEXT
from bot.search.text import words
from bot.sources import Options, SourceReport, read, write_thread
from bot.sources.files import GZIP_MAGIC, Broken, reason
from bot.sources.report import Findings
from bot.worker import Limits, Worker, WorkerDied, in_thread

_BITS = 12
_REGISTERS = 1 << _BITS
_SCALE = 0.7213 / (1 + 1.079 / _REGISTERS)  # alpha_m of HyperLogLog, for m >= 128
_RANKED = 64 - _BITS

_REMEMBERED = 50_000
"""Words kept as already counted: most come again and again, and a hash takes a while."""


class WordCount:
    """Estimates how many different words texts have, as the index tokenizes them, in 4 kB.

    This is HyperLogLog (Flajolet et al. 2007) with 2**12 registers: the standard error is 1.6 %,
    and two counts can be joined. Hashes depend on a key that members don't know, or somebody
    could make up words that don't count.
    """

    def __init__(self, key: str, kept: str = ""):
        """Begin with nothing, or with what ``kept`` gave; ``key`` is the one it had then."""
        self._key = key.encode()[:64]
        self._registers = bytearray(base64.b64decode(kept)) or bytearray(_REGISTERS)
        self._counted: set[str] = set()

    @property
    def kept(self) -> str:
        """Return the registers as text, from which counting can go on."""
        return base64.b64encode(self._registers).decode()

    @property
    def words(self) -> int:
        """Return the estimate; small counts are corrected by linear counting."""
        unused = self._registers.count(0)
        estimate = _SCALE * _REGISTERS**2 / sum(2.0**-rank for rank in self._registers)
        if estimate <= 2.5 * _REGISTERS and unused:
            estimate = _REGISTERS * log(_REGISTERS / unused)
        return round(estimate)

    def add(self, texts: Iterable[str]) -> None:
        """Count the words of some texts."""
        for text in texts:
            new = set(words(text)) - self._counted
            for word in new:
                self._count(word)
            if len(self._counted) < _REMEMBERED:
                self._counted |= new

    def with_(self, other: WordCount) -> WordCount:
        """Return the count of the words that are here or in ``other``."""
        joined = WordCount(self._key.decode())
        pairs = zip(self._registers, other._registers, strict=True)
        joined._registers[:] = bytes(max(pair) for pair in pairs)
        return joined

    def _count(self, word: str) -> None:
        digest = hashlib.blake2b(word.encode(), digest_size=8, key=self._key).digest()
        number = int.from_bytes(digest)
        rank = _RANKED - (number >> _BITS).bit_length() + 1
        register = number & (_REGISTERS - 1)
        if rank > self._registers[register]:
            self._registers[register] = rank


def texts_of(thread: Thread) -> Iterator[str]:
    """Yield the texts of a thread that are indexed."""
    yield from (thread.title, *thread.phrasings, *thread.tags, thread.body[:MAX_TEXT])
    yield from (answer.body[:MAX_TEXT] for answer in thread.answers)


ARCHIVES = (b"PK\x03\x04", b"7z\xbc\xaf", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd", b"Rar!")
"""How archives begin. What would come out of them has no limit that we could watch."""

READING_SECONDS = 120
"""For reading the file; most take one or two."""

MEMORY = 1_500_000_000
"""Bytes that reading may take, where the system can limit it."""

COMPLAINTS = 1_000
"""Mistakes in a file after which it isn't read on."""

# What one thread may hold. A phrasing costs a vector, a related thread a look.
BODY, LINE, ANSWERS, PHRASINGS, OTHERS = 200_000, 2_000, 1_000, 50, 100

_PIECE = 1024 * 1024


class Sent(NamedTuple):
    """The content of a file that somebody sent: ``file`` has its threads, with these ``keys``.

    ``former_keys`` are those that threads had in older versions, by ``keys``, ``made_of`` the
    messages that they are. ``words`` is ``WordCount.kept`` of the threads, ``report`` what was not
    accepted and what was left out; no path is named there.
    """

    file: Path
    keys: list[str]
    former_keys: dict[str, str]
    phrasings: int
    words: str
    report: Findings
    made_of: dict[str, MadeOf]


class Task(NamedTuple):
    """A file to be checked, of which what is left is written to ``out``.

    At most ``unpacked`` bytes when unpacked, and so many ``threads``, are accepted. ``key`` is that
    of ``WordCount``, ``choices`` are those of ``Options``.
    """

    file: Path
    out: Path
    unpacked: int
    threads: int
    key: str
    choices: Mapping[int, AuthorChoice]


async def check(task: Task) -> Sent:
    """Do a task in a worker. Raises InputError when the file as a whole is refused."""
    started: list[Worker] = []  # also one whose start was not waited for
    limits = Limits(READING_SECONDS, MEMORY, 4 * task.unpacked + _PIECE)
    start = (f"{__name__}:checking", task, current())
    try:
        await in_thread(lambda: started.append(Worker(*start, limits=limits)))
        async with asyncio.timeout(READING_SECONDS):
            return cast("Sent", await asyncio.to_thread(started[0].ask))
    except TimeoutError:
        said = _("reading it takes longer than {seconds} seconds")
        raise InputError(said.format(seconds=READING_SECONDS)) from None
    except WorkerDied as death:
        said = _("reading it takes more time or memory than there is for it ({why})")
        raise InputError(said.format(why=death)) from None
    finally:
        for worker in started:
            await in_thread(worker.kill)  # or it would go on when we are told to leave
            worker.close()


@contextmanager
def checking(task: Task, language: str) -> Iterator[Callable[[], Sent]]:
    """Give the function that does the work of ``check`` in the worker, in its language."""

    def checked() -> Sent:
        try:
            return _check(task)
        except MemoryError:
            raise InputError(_("reading it takes more memory than there is for it")) from None
        except Broken as error:
            raise InputError(reason(error)) from None

    with speaking(language):
        yield checked


class _BoundedReport(SourceReport):
    """A report that has the file refused after so many mistakes: each of its lines may have one."""

    def reject(self, reason: str, path: Path, where: InputPlace | None = None) -> None:
        super().reject(reason, path, where)
        if self.refused >= COMPLAINTS:
            first = self.rejected[0]
            if first.line:
                why = _("it has over {count} mistakes; the first (line {line}): {reason}")
            else:
                why = _("it has over {count} mistakes; the first: {reason}")
            raise _Refused(why.format(count=COMPLAINTS, line=first.line, reason=first.reason))


class _Refused(Exception):
    """The file as a whole is not accepted: readers take an InputError for a part's."""


def _check(task: Task) -> Sent:
    file = _unpacked(task.file, task.unpacked)
    report, count, keys, phrasings = _BoundedReport(), WordCount(task.key), list[str](), 0
    former_keys, made_of = dict[str, str](), dict[str, MadeOf]()
    try:
        with task.out.open("w", encoding="utf-8", newline="\n") as stream:
            for thread in _threads(file, report, task.choices):
                keys.append(thread.key)
                if thread.former_key is not None:
                    former_keys[thread.key] = thread.former_key
                if thread.made_of is not None:
                    made_of[thread.key] = thread.made_of
                if len(keys) > task.threads:
                    said = _("there are more than {most} threads in it")
                    raise _Refused(said.format(most=task.threads))
                stream.write(f"{write_thread(thread)}\n")
                phrasings += len(thread.phrasings)
                count.add(texts_of(thread))
    except _Refused as refused:
        raise InputError(str(refused)) from None
    findings = Findings()
    findings.take_over(report)
    for problems in (findings.rejected, findings.warned):
        problems[:] = [InputError(problem.reason, place=problem.line) for problem in problems]
    return Sent(task.out, keys, former_keys, phrasings, count.kept, findings, made_of)


def _unpacked(file: Path, limit: int) -> Path:
    """Return the file itself or, if it is packed, what is in it. Raises InputError."""
    with file.open("rb") as stream:
        head = stream.read(8)
    if head.startswith(ARCHIVES):
        raise InputError(_("it is an archive; send the file in it, alone or packed with gzip"))
    if not head.startswith(GZIP_MAGIC):
        if file.stat().st_size > limit:
            raise InputError(_("it holds more than {most} MB").format(most=limit // 1024**2))
        return file
    name = file.name.removesuffix(".gz")
    plain = file.with_name(name if name != file.name else f"{name}.jsonl")
    size = 0
    with gzip.open(file) as packed, plain.open("xb") as out:
        while piece := packed.read(_PIECE):
            if not size and piece.startswith((GZIP_MAGIC, *ARCHIVES)):
                raise InputError(_("it is packed twice; send the file in it, packed once"))
            size += len(piece)
            if size > limit:
                said = _("it holds more than {most} MB when it is unpacked")
                raise InputError(said.format(most=limit // 1024**2))
            out.write(piece)
    return plain


def _threads(
    file: Path, report: SourceReport, choices: Mapping[int, AuthorChoice]
) -> Iterator[Thread]:
    """Give the file's threads that are within bounds; the others are named in the report."""
    for thread in read(file, report, Options(upload=True, choices=choices)):
        if (why := _too_much(thread)) is not None:
            report.reject(f"{thread.key[:40]!r}: {why}", file)
        else:
            # Votes are given here, by members; nobody brings some along.
            if sums := sum(len(answer.tallies) for answer in thread.answers):
                report.pass_over("sums of votes, which only members give", sums)
            yield replace(thread, answers=tuple(replace(a, tallies=()) for a in thread.answers))


def _too_much(thread: Thread) -> str | None:
    """Say of what a thread has more than is taken in from just anybody, if it has."""
    for too_many, many, most in (
        (N_("it has {count} answers, at most {most} are taken"), thread.answers, ANSWERS),
        (N_("it has {count} phrasings, at most {most} are taken"), thread.phrasings, PHRASINGS),
        (N_("it has {count} tags, at most {most} are taken"), thread.tags, OTHERS),
        (N_("it has {count} related threads, at most {most} are taken"), thread.related, OTHERS),
    ):
        if len(many) > most:
            return _(too_many).format(count=len(many), most=most)
    if any(len(text) > BODY for text in (thread.body, *(a.body for a in thread.answers))):
        return _("one of its texts is longer than {most} characters").format(most=BODY)
    lines = [thread.key, thread.title, thread.url, thread.author, thread.license, thread.source]
    lines += [*thread.phrasings, *thread.tags, *thread.related]
    for answer in thread.answers:
        lines += [answer.key, answer.author, answer.url, answer.license]
    if any(len(line) > LINE for line in lines if line):
        said = _("its title, a name or an address is longer than {most} characters")
        return said.format(most=LINE)
    return None
