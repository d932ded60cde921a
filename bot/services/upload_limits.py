"""Limits of a server's own threads: their number, text, words and phrasings."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from itertools import islice

from bot.errors import ThreadwiseError
from bot.i18n import gettext as _
from bot.i18n import ngettext, number
from bot.search.documents import MAX_TEXT
from bot.services.upload_check import Sent, WordCount, texts_of
from bot.settings import Settings
from bot.store import stats
from bot.store.database import Database
from bot.store.facts import fact, set_fact
from bot.store.stats import ScopeSize
from bot.worker import in_thread

MEGABYTE = 1024**2

TEXT = 4_000
"""Characters of text that a guild may have for each of its threads, on average; it bounds the
disk that a guild fills."""

KEYS = 500
"""Keys in one query: databases limit the number of its parameters."""

PAGE = 100
"""Threads read at a time to count their words."""


class Refused(ThreadwiseError):
    """Nothing was imported; the text says why, to the person who sent the file."""

    exit_code = 1


class UploadLimits:
    """Checks whether a file fits beside what its guild has."""

    def __init__(self, database: Database, settings: Settings):
        self._database = database
        self._threads = settings.library_threads
        self._words = settings.library_words
        self._phrasings = settings.library_phrasings

    async def check(self, guild_id: int, sent: Sent) -> str:
        """Raise Refused when a guild would have more than it may.

        Returns the words that it will have, for ``remember``.
        """
        async with self._database.read() as connection:
            there = await stats.size_of(connection, guild_id)
            stream, again = iter(sent.keys), ScopeSize(0, 0, 0)
            while batch := list(islice(stream, KEYS)):
                again += await stats.size_of(connection, guild_id, batch)
                for source, ids in _former(sent, batch).items():
                    again += await stats.size_of(connection, guild_id, ids, source)
        self._check_threads(there.threads, len(sent.keys) - again.threads)
        # What the file replaces makes room for it.
        self._check_text(there.text - again.text + sent.file.stat().st_size)
        self._check_phrasings(there.phrasings - again.phrasings + sent.phrasings, sent.phrasings)
        return await self._check_words(guild_id, there, sent)

    async def remember(self, guild_id: int, words: str) -> None:
        """Keep the words that ``check`` returned, so that they need not be counted again."""
        now = await self._database.reading(stats.size_of, guild_id)
        value = json.dumps([now.threads, now.text, now.phrasings, words])
        await self._database.writing(set_fact, _fact(guild_id), value)

    def _check_threads(self, there: int, new: int) -> None:
        if there + new > self._threads:
            raise Refused(
                ngettext(
                    "That file has {count} thread that is new here. With the {there} that there "
                    "are it would be more than the {most} that a server may have of its own. "
                    "Those removed within a day count.",
                    "That file has {count} threads that are new here. With the {there} that there "
                    "are it would be more than the {most} that a server may have of its own. "
                    "Those removed within a day count.",
                    new,
                ).format(count=number(new), there=there, most=self._threads)
            )

    def _check_text(self, size: int) -> None:
        if size > self._threads * TEXT:
            raise Refused(
                _(
                    "With that file, this server's own threads would have more than the {most} MB "
                    "of text that they may. Take some out with `/library remove` first; they "
                    "count for a day."
                ).format(most=self._threads * TEXT // MEGABYTE)
            )

    def _check_phrasings(self, after: int, brought: int) -> None:
        if brought and after > self._phrasings:
            raise Refused(
                ngettext(
                    "With that file, this server's own threads would have {count} phrasing, more "
                    "than the {most} that they may. Send fewer, or ask whoever hosts me.",
                    "With that file, this server's own threads would have {count} phrasings, more "
                    "than the {most} that they may. Send fewer, or ask whoever hosts me.",
                    after,
                ).format(count=number(after), most=number(self._phrasings))
            )

    async def _check_words(self, guild_id: int, there: ScopeSize, sent: Sent) -> str:
        brought = WordCount(self._database.id, sent.words)
        known = await self._counted(guild_id, there)
        after = known.with_(brought)
        if after.words > self._words and after.kept != known.kept:
            # The words of what the file replaces, or of what was removed for good, may be gone.
            replaced = frozenset(sent.keys).union(sent.former_keys.values())
            after = (await self._count(guild_id, replaced)).with_(brought)
            if after.words > self._words:
                raise Refused(
                    _(
                        "With that file, this server's own threads would have about {count} "
                        "different words, more than the {most} that they may. Send fewer threads, "
                        "or ask whoever hosts me."
                    ).format(count=number(after.words), most=number(self._words))
                )
        return after.kept

    async def _counted(self, guild_id: int, there: ScopeSize) -> WordCount:
        """Return the words of a guild's own threads: those kept, if nothing has changed since."""
        if not there.threads:
            return WordCount(self._database.id)
        value = await self._database.reading(fact, _fact(guild_id))
        if value is not None:
            *amount, words = json.loads(value)
            if ScopeSize(*amount) == there:
                return WordCount(self._database.id, words)
        return await self._count(guild_id)

    async def _count(self, guild_id: int, without: Collection[str] = ()) -> WordCount:
        """Count the words of a guild's own threads, retired ones as well."""
        counted, last = WordCount(self._database.id), 0
        while True:
            page = await self._database.reading(stats.texts, guild_id, last, PAGE, MAX_TEXT)
            if not page:
                return counted
            for thread in page:
                if thread.key not in without:
                    await in_thread(counted.add, [*texts_of(thread)])
            last = page[-1].id


def _former(sent: Sent, keys: Iterable[str]) -> dict[str, list[str]]:
    """Return the former keys that the library may have threads under, by their source."""
    by_source: dict[str, list[str]] = {}
    for key in keys:
        if (former := sent.former_keys.get(key)) is not None:
            by_source.setdefault(key.removesuffix(f"#{former}"), []).append(former)
    return by_source


def _fact(guild_id: int) -> str:
    return f"words:{guild_id}"
