"""The application: one library opened, its services wired together, and closed again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from functools import partial

from bot import private_files
from bot.errors import ModelError, SearchError
from bot.models import SHARED
from bot.observing import UNOBSERVED, Observer
from bot.search.engine import Engine
from bot.search.semantic import OFF, open_semantic_index
from bot.services import hourly
from bot.services.accepting import Accepting
from bot.services.answering import Answering
from bot.services.authors import Authors
from bot.services.backfill import Backfills
from bot.services.change_log import ChangeLog
from bot.services.curating import Curating
from bot.services.embedding import Embedding
from bot.services.follow_ups import FollowUps
from bot.services.followed_posts import FollowedPosts
from bot.services.following import Following
from bot.services.guild_library import GuildLibrary
from bot.services.guild_removal import GuildRemoval
from bot.services.guilds import Guilds
from bot.services.import_pipeline import ImportReport, Progress
from bot.services.index_sync import IndexSync
from bot.services.learning import Learning
from bot.services.leases import Leases
from bot.services.library import Library
from bot.services.library_room import Room
from bot.services.postings import Postings
from bot.services.rate_limit import QuestionLimits
from bot.services.reviewing import Reviewing
from bot.services.temporary_messages import TemporaryMessages
from bot.services.unanswered import Unanswered
from bot.services.uploads import Uploads
from bot.services.voting import Voting
from bot.settings import Settings
from bot.store import stats
from bot.store.database import Database
from bot.store.stats import Counts
from bot.worker import in_thread

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LibraryHealth:
    """The state of a library, as ``doctor`` reports it.

    ``version`` is that of the program that keeps the database, ``problems`` are the database's,
    empty when it is sound. ``indexed`` is the number of
    threads in the index; ``indexing`` says that another program is still adding to them,
    ``not_indexed`` why they can't be added to, ``note`` why the index had to be rebuilt just
    now. ``model`` is the embedding model, or ``None`` for the reason ``no_meaning``; of it
    ``embedded`` threads have vectors. ``unreadable`` says that it can't tell the shared threads
    apart, so that their words alone decide.
    """

    migration: str
    version: str
    problems: tuple[str, ...]
    counts: Counts
    indexed: int
    indexing: bool
    not_indexed: str | None
    note: str | None
    model: str | None
    no_meaning: str | None
    embedded: int
    unreadable: bool


class App:
    """Owns the database and the index; opened with ``App.open``, closed with ``close``.

    ``no_meaning`` says why questions are matched by words alone, ``not_indexed`` why changes
    could not be indexed; both are ``None`` where all is well. ``observer`` is told of the work.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        engine: Engine,
        observer: Observer = UNOBSERVED,
    ):
        self.settings, self.observer = settings, observer
        self.database = database
        self.engine = engine
        self.no_meaning: str | None = None
        self.not_indexed: str | None = None
        self.leases = Leases(database)
        self.embedding = Embedding(database, engine)
        self._index_sync = IndexSync(database, engine, self.embedding)
        self._tasks: list[asyncio.Task[None]] = []
        self.guilds = Guilds(database, settings)
        self.answering = Answering(database, engine, self.guilds, self._index_sync.mend, observer)
        self.question_limits = QuestionLimits(settings, observer=observer)
        self.voting = Voting(database, observer)
        self.accepting = Accepting(database)
        room = Room(settings.library_threads)
        self.curating = Curating(database, self._index_sync, room)
        self.change_log = ChangeLog(database)
        self.authors = Authors(database, self._index_sync)
        self.backfills = Backfills(database, self.guilds, self._index_sync, room)
        self.reviewing = Reviewing(database, self.guilds)
        self.following = Following(database)
        self.followed_posts = FollowedPosts(database, self.guilds, self._index_sync, room)
        self.postings = Postings(database)
        self.unanswered = Unanswered(database)
        self.temporary_messages = TemporaryMessages(database)
        self.learning = Learning(database, self.guilds, self.embedding)
        self.follow_ups = FollowUps(self.answering, self.guilds, self.postings, self.learning)
        self.library = Library(database, self._index_sync)
        self.guild_library = GuildLibrary(database, self._index_sync, self.library)
        self.uploads = Uploads(database, self.library, settings)
        self.guild_removal = GuildRemoval(database, self.guilds, self._index_sync, settings)

    @classmethod
    async def open(cls, settings: Settings, observer: Observer = UNOBSERVED) -> App:
        """Open the library: migrate the database, open the index and catch it up.

        Raises ThreadwiseError with a line that says what to do.
        """
        index = settings.data_dir / "index"
        database = await Database.open(settings.database, index, observer)
        try:
            engine = await asyncio.to_thread(Engine, index, database.id)
            app = cls(settings, database, engine, observer)
            await asyncio.to_thread(app._open_meaning)
            await app._catch_up()
            await asyncio.to_thread(private_files.tidy_library, settings.data_dir, database.path)
        except BaseException:
            await database.close()
            raise
        return app

    async def _catch_up(self) -> None:
        """Index the changes since the last commit; if that fails, search what is indexed."""
        try:
            await self._index_sync.catch_up()
        except SearchError as error:
            self.not_indexed = str(error)
            log.warning("what has changed is not found for now: %s", error)

    def _open_meaning(self) -> None:
        """Open semantic retrieval; without a model, questions are matched by words alone."""
        try:
            self.engine.semantic = open_semantic_index(
                self.settings.embedding_model,
                self.settings.data_dir,
                self.database.id,
                self.observer,
            )
        except ModelError as error:
            self.no_meaning = str(error)
            if self.settings.embedding_model.strip().lower() != OFF:
                log.warning("questions are matched by their words alone: %s", error)

    async def load_seeds(self, progress: Progress | None = None) -> ImportReport:
        """Import the threads of ``SEEDS_DIR``; a second time changes nothing."""
        if (folder := self.settings.seeds) is None:
            return ImportReport()
        return await self.library.import_paths([folder], scope=SHARED, progress=progress)

    async def is_indexed(self) -> bool:
        """Return whether the index has all of the library, or another program still adds to it."""
        return await self._index_sync.is_current()

    async def index_lag(self) -> int:
        """Return how many changes are not in the index yet. Raises StoreError."""
        return await self._index_sync.lag()

    def queue_lengths(self) -> dict[str, int]:
        """Return how much waits in each queue: questions, and threads for their vectors."""
        return {"questions": self.answering.waiting, "vectors": self.embedding.waiting}

    async def verify(self) -> list[str]:
        """Compare the index's files with their checksums and rebuild what is damaged.

        Returns what was damaged. Takes seconds for a gigabyte.
        """
        try:
            damaged = await in_thread(self.engine.verify_all)
        except SearchError as error:
            self.not_indexed = str(error)
            return []
        if damaged:
            await self._catch_up()
        return damaged

    async def examine(self) -> LibraryHealth:
        """Read the whole database and index once, and rebuild what is damaged of the index.

        Takes seconds for a gigabyte. Raises StoreError when the database can't be read.
        """
        database, semantic = await stats.examine(self.database), self.engine.semantic
        damaged = await self.verify()
        return LibraryHealth(
            migration=database.migration,
            version=database.version,
            problems=database.problems,
            counts=await self.library.count(),
            indexed=len(self.engine),
            indexing=self.not_indexed is None and not await self.is_indexed(),
            not_indexed=self.not_indexed,
            note=self.engine.note or "; ".join(damaged) or None,
            model=semantic.model if semantic else None,
            no_meaning=self.no_meaning,
            unreadable=await in_thread(self._is_unreadable),
            embedded=semantic.vector_index.threads if semantic else 0,
        )

    def _is_unreadable(self) -> bool:
        try:
            known = self.engine.background(SHARED)
        except SearchError:
            return False
        return known is not None and not known.readable

    def follow(self) -> None:
        """Start the tasks of a running bot, until ``close``.

        They index what other processes import and read again what these changed of settings,
        within seconds; and delete every hour what was kept for long enough: what moderators
        removed, what guilds had that removed the bot, and questions without an answer.
        """
        if not self._tasks:
            self.embedding.share(partial(self.leases.hold, "vectors"))
            self.answering.backgrounds.begin(SHARED)
            purges = (
                self.guild_removal.every_hour,  # of its shards' guilds
                partial(self.leases.alone, "purge", self.guild_library.purge),
                partial(self.leases.alone, "purge", self.unanswered.purge),
            )
            for work, name in (
                (self._index_sync.run(), "follow"),
                (self.guilds.run(), "follow settings"),
                (hourly.run(purges), "purge"),
            ):
                self._tasks.append(asyncio.create_task(work, name=name))

    async def close(self) -> None:
        """Stop the tasks and close the database; safe to call twice."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        await self.answering.close()
        await self._index_sync.stop()
        await self.embedding.save()
        await self.leases.release()
        await self.database.close()
