"""The house: one library opened, with every use case in its room."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

from bot.errors import ModelError, SearchError
from bot.models import SHARED
from bot.search.engine import Engine
from bot.search.semantic import OFF, open_meaning
from bot.services import data_folder
from bot.services.answering import Answering
from bot.services.embedding import Embedding
from bot.services.guild_library import Curating
from bot.services.guild_removal import GuildRemoval
from bot.services.guilds import Guilds
from bot.services.import_pipeline import Progress
from bot.services.import_report import ImportReport
from bot.services.index_sync import IndexSync
from bot.services.learning import Learning
from bot.services.library import Library
from bot.services.postings import Postings
from bot.services.rate_limit import QuestionLimits
from bot.services.uploads import Uploads
from bot.services.voting import Voting
from bot.settings import Settings
from bot.store.database import Database
from bot.worker import in_thread

log = logging.getLogger(__name__)


class App:
    """Owns the database and the index; opened with ``House.open``, closed with ``close``.

    ``no_meaning`` says why there is no eye for meaning, where there is none, and
    ``not_indexed`` why what has changed could not be indexed.
    """

    def __init__(self, settings: Settings, database: Database, engine: Engine):
        self.settings = settings
        self.database = database
        self.engine = engine
        self.no_meaning: str | None = None
        self.not_indexed: str | None = None
        self.embedding = Embedding(database, engine)
        self._index_sync = IndexSync(database, engine, self.embedding)
        self._running: list[asyncio.Task[None]] = []
        self.guilds = Guilds(database, settings)
        self.answering = Answering(database, engine, self.guilds, self._index_sync.mend)
        self.question_limits = QuestionLimits(settings)
        self.voting = Voting(database)
        self.postings = Postings(database)
        self.learning = Learning(database, self.guilds, self.embedding)
        self.library = Library(database, self._index_sync)
        self.curating = Curating(database, self._index_sync, self.library)
        self.uploads = Uploads(database, self.library, settings)
        self.guild_removal = GuildRemoval(database, self.guilds, self._index_sync, settings)

    @classmethod
    async def open(cls, settings: Settings) -> App:
        """Open the library: migrate the database, open the index and catch it up.

        Raises ThreadwiseError with a line that says what to do.
        """
        database = await Database.open(settings.database, settings.data_dir / "index")
        try:
            engine = await asyncio.to_thread(Engine, settings.data_dir / "index", database.id)
            app = cls(settings, database, engine)
            await asyncio.to_thread(app._look_for_meaning)
            await app._catch_up()
            await asyncio.to_thread(app._tidy)
        except BaseException:
            await database.close()
            raise
        return app

    async def _catch_up(self) -> None:
        """Index what has changed; where that can't be, what is indexed must do."""
        try:
            await self._index_sync.catch_up()
        except SearchError as error:
            self.not_indexed = str(error)
            log.warning("what has changed is not found for now: %s", error)

    def _tidy(self) -> None:
        """Clear what a crash left, and take what there is from everybody but its owner."""
        data_folder.clear_left_over(self.settings, self.database.path)
        data_folder.make_private(self.settings, self.database.path)

    def _look_for_meaning(self) -> None:
        """Open the eye for meaning; where there is none, words alone have to do."""
        try:
            self.engine.meaning = open_meaning(
                self.settings.embedding_model, self.settings.data_dir, self.database.id
            )
        except ModelError as error:
            self.no_meaning = str(error)
            if self.settings.embedding_model.strip().lower() != OFF:
                log.warning("questions are matched by their words alone: %s", error)

    async def load_seeds(self, progress: Progress | None = None) -> ImportReport:
        """Take in the threads of ``SEEDS_DIR``; a second time changes nothing."""
        folder: Path = self.settings.seeds_dir
        if not folder.is_dir():
            return ImportReport()
        return await self.library.import_paths([folder], scope=SHARED, progress=progress)

    async def is_indexed(self) -> bool:
        """Whether all of the library is in the index; if not, another program is at it."""
        return await self._index_sync.is_current()

    async def verify(self) -> list[str]:
        """Look at the checksums of the index's files and mend what is damaged.

        Returns what was. Takes seconds for a gigabyte.
        """
        try:
            damaged = await in_thread(self.engine.verify_all)
        except SearchError as error:
            self.not_indexed = str(error)
            return []
        if damaged:
            await self._catch_up()
        return damaged

    def follow(self) -> None:
        """From now on, notice within seconds what other processes import.

        What moderators removed is deleted for good when its day is over, and what is kept of
        guilds that removed the bot when theirs are.
        """
        if not self._running:
            for work, name in (
                (self._index_sync.run(), "follow"),
                (self.curating.run(), "purge"),
                (self.guild_removal.run(), "purge guilds"),
            ):
                self._running.append(asyncio.create_task(work, name=name))

    async def close(self) -> None:
        """Stop following and give the database back; safe to call twice."""
        for task in self._running:
            task.cancel()
        for task in self._running:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._running.clear()
        self.answering.close()
        await self._index_sync.stop()
        await self.embedding.save()
        await self.database.close()
