"""Uploads: files that members send, imported into their guild's own scope within limits."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import InputError, SearchError, StoreError, ThreadwiseError
from bot.i18n import gettext as _
from bot.i18n import ngettext
from bot.private_files import temporary_folder
from bot.services import upload_check
from bot.services.import_pipeline import ImportReport
from bot.services.library import Library
from bot.services.upload_check import Sent
from bot.services.upload_limits import MEGABYTE, UploadLimits
from bot.services.upload_limits import Refused as Refused
from bot.settings import Settings
from bot.sources import SourceReport, read
from bot.store import origins
from bot.store.database import Database
from bot.store.facts import fact, set_fact
from bot.worker import in_thread

UNPACKED = 8
"""Limit of an unpacked file's size, as a multiple of that of a file as it is sent."""

IMPORTS_AT_ONCE, LARGE_UPLOAD = 3, 1024 * 1024
"""Imports that go on beside each other, and bytes from which on a file leaves one of these places
to small ones. Each takes up to some 150 MB, half of it in the process that reads the file."""

IMPORTS_WAITING = 12
"""Imports that have their turn or wait for it; whoever comes then is asked to come again."""

IMPORT_SECONDS = 20 * 60
"""Limit of an import's duration, so that others have their turn."""

log = logging.getLogger(__name__)

UploadProgress = Callable[[int, int], None]
"""Takes how many threads are done, and of how many."""


class Stopped(ThreadwiseError):
    """An import ended too early; what was finished is in the library."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as its sender named it, how large it is said to be, and how to get it."""

    name: str
    size: int
    fetch: Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class LastImport:
    """The last upload of a guild: its time, its file, and the number of threads."""

    at: datetime
    name: str
    threads: int


class Uploads:
    """Imports what members send: one file of a guild at a time, and within limits."""

    def __init__(self, database: Database, library: Library, settings: Settings):
        self._database, self._library = database, library
        self._most_bytes = settings.library_file_mb * MEGABYTE
        self._most_threads = settings.library_threads
        self._limits = UploadLimits(database, settings)
        self._places = asyncio.Semaphore(IMPORTS_AT_ONCE)
        self._large = asyncio.Semaphore(max(1, IMPORTS_AT_ONCE - 1))
        self._guilds: set[int] = set()

    @property
    def busy(self) -> bool:
        """Return whether one more file would have to wait for its turn."""
        return self._places.locked()

    async def take_in(
        self, guild_id: int, upload: Upload, progress: UploadProgress | None = None
    ) -> ImportReport:
        """Take a file's threads into a guild's own scope.

        Raises Refused when nothing was taken in, and Stopped when only the first were.
        """
        self._check_size(upload.size)
        done = 0

        def advance(now: int, total: int) -> None:
            nonlocal done
            done = now
            if progress is not None:
                progress(now, total)

        async with self._place(guild_id, large=upload.size >= LARGE_UPLOAD):
            try:
                async with asyncio.timeout(IMPORT_SECONDS):
                    report = await self._import(guild_id, upload, advance)
            except (TimeoutError, StoreError, SearchError, OSError) as error:
                log.error("guild %d: an import stopped at %d", guild_id, done, exc_info=error)
                raise _stopped(error, done) from error
        with suppress(StoreError):  # what was brought is in, whether that is noted or not
            await self._remember(guild_id, upload.name, report.total)
        return report

    async def last(self, guild_id: int) -> LastImport | None:
        """Return a guild's last import, if there was one."""
        said = await self._database.reading(fact, _fact(guild_id))
        if said is None:
            return None
        at, name, count = json.loads(said)
        return LastImport(datetime.fromisoformat(at), name, count)

    @asynccontextmanager
    async def _place(self, guild_id: int, *, large: bool) -> AsyncIterator[None]:
        """Wait for a guild's turn and hold it. Raises Refused if too many wait."""
        if guild_id in self._guilds:
            raise Refused(_("An import is running for this server already. Wait for its end."))
        if len(self._guilds) >= IMPORTS_WAITING:
            raise Refused(
                _("Many servers are importing just now. Please try again in some minutes.")
            )
        self._guilds.add(guild_id)
        try:
            async with self._large if large else nullcontext(), self._places:
                yield
        finally:
            self._guilds.discard(guild_id)

    async def _import(
        self, guild_id: int, upload: Upload, progress: UploadProgress
    ) -> ImportReport:
        data = await upload.fetch()
        self._check_size(len(data))
        with temporary_folder("upload") as folder:
            sent = await self._read(data, upload.name, folder)
            words = await self._limits.check(guild_id, sent)
            done = 0

            def advance(more: int) -> None:
                nonlocal done
                done += more
                progress(done, len(sent.keys))

            progress(0, len(sent.keys))
            former, made_of = sent.former_keys.get, sent.made_of.get
            threads = (
                replace(thread, former_key=former(thread.key), made_of=made_of(thread.key))
                for thread in read(sent.file, SourceReport())
            )
            report = await self._library.add(threads, scope=guild_id, progress=advance)
        with suppress(StoreError):  # they are counted anew then
            await self._limits.remember(guild_id, words)
        report.take_over(sent.report)
        return report

    async def _read(self, data: bytes, name: str, folder: Path) -> Sent:
        """Check what is in the file. Raises Refused when it is not accepted."""
        file = folder / "sent" / safe_name(name)
        try:
            await in_thread(file.parent.mkdir)
            await in_thread(file.write_bytes, data)
            task = upload_check.Task(
                file,
                out=folder / "threads.jsonl",
                unpacked=self._most_bytes * UNPACKED,
                threads=self._most_threads,
                key=self._database.id,
                choices=await self._database.reading(origins.all_choices),
            )
            sent = await upload_check.check(task)
        except InputError as error:
            said = _("I can't take that file: {reason}.").format(reason=error.reason)
            raise Refused(said) from None
        if not (sent.keys or sent.report.rejected or sent.report.passed_over):
            raise Refused(_("I can't take that file: there are no threads in it."))
        return sent

    def _check_size(self, size: int) -> None:
        if not self._most_bytes:
            raise Refused(_("Whoever hosts me takes no files; ask them to import it."))
        if size > self._most_bytes:
            raise Refused(
                _(
                    "That file has {size} MB; I take up to {most} MB. Pack it with gzip, send it "
                    "in parts, or ask whoever hosts me to import it."
                ).format(size=f"{size / MEGABYTE:.1f}", most=self._most_bytes // MEGABYTE)
            )

    async def _remember(self, guild_id: int, name: str, count: int) -> None:
        said = json.dumps([datetime.now(UTC).isoformat(), name[:100], count])
        await self._database.writing(set_fact, _fact(guild_id), said)


def safe_name(name: str) -> str:
    """Return the sender's name for a file, with nothing in it that a path could use.

    It is kept as far as that, because a text page's name is its thread's key.
    """
    last = re.split(r"[/\\]", name)[-1]
    kept = re.sub(r"[^\w.-]+", "_", last).lstrip("._-") or "file"
    suffix = "".join(Path(kept).suffixes[-2:])[-16:]
    return (kept.removesuffix(suffix)[:40] or "file") + suffix


def _stopped(error: Exception, done: int) -> Stopped:
    if isinstance(error, TimeoutError):
        why = _("The import stopped, because it took too long.")
    else:
        why = _("The import stopped, because I have trouble with my disk.")
    kept = ngettext("The first thread is in", "The first {count} threads are in", done)
    kept = kept.format(count=done) if done else _("Nothing is in")
    more = _(
        "{kept}; send the file again to go on. If it keeps happening, tell whoever hosts me."
    ).format(kept=kept)
    return Stopped(f"{why} {more}")


def _fact(guild_id: int) -> str:
    return f"import:{guild_id}"
