"""Processes that share a library on a server, and do what they are told, one thing at a time.

They are forked from a process that has imported the program: that takes seconds, and to fork it
takes hundredths of one. Each has an ``App`` of its own with a data folder of its own.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Collection
from dataclasses import dataclass
from functools import singledispatch
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import event, select

from bot.app import App
from bot.guild_settings import GuildSettings
from bot.models import Mode, Posting, Vote
from bot.services.guilds import Guilds
from bot.services.voting import VoteChange
from bot.settings import Settings
from bot.store.tables import votes
from tests.kit.vote_model import Ballot, Card, Changed, Forgotten, ModeSet, Reconciled, Shown
from tests.kit.waiting import HANG

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])


class Died(Exception):
    """A process has ended before it answered."""


class Peer:
    """One of these processes, as the test sees it."""

    def __init__(self, url: str, folder: Path):
        self._ours, theirs = _processes.Pipe()
        settings = Settings(
            data_dir=folder,
            database_url=url,
            embedding_model="off",
            seeds_dir=folder / "no seeds",
            _env_file=None,
        )
        self._process = _processes.Process(target=_run, args=(theirs, settings), daemon=True)
        self._process.start()
        theirs.close()

    def tell(self, operation: object, dies_at: int | None = None) -> None:
        """Have it do something; with ``dies_at``, it kills itself at that step in the database."""
        self._ours.send((operation, dies_at))

    def answer(self) -> Any:
        """Return what came of what it was told. Raises Died."""
        try:
            assert self._ours.poll(HANG), "it doesn't answer"
            outcome = self._ours.recv()
        except (EOFError, ConnectionError):
            raise Died from None
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def kill(self) -> None:
        """End it with SIGKILL, whatever it does."""
        self._process.kill()
        self._process.join()
        self._ours.close()


GuildSeen = tuple[GuildSettings, dict[int, Mode]]
"""A guild's settings, and the modes of its channels."""


@dataclass(frozen=True)
class Inspect:
    """What a process is told so that it answers with a ``Snapshot``."""

    thread_id: int
    guild_ids: tuple[int, ...]
    message_ids: tuple[int, ...]


@dataclass(frozen=True)
class Snapshot:
    """What a process sees of a thread's answers in guilds, and of the guilds' settings.

    ``tallies`` are by answer and guild, ``cards`` by message. Settings are by guild: as they are
    ``kept`` in the database, and as they are ``in_force`` in the process.
    """

    votes: dict[Ballot, Vote]
    tallies: dict[tuple[int, int], int]
    cards: dict[int, Card]
    kept: dict[int, GuildSeen]
    in_force: dict[int, GuildSeen]


def _run(connection: Connection, settings: Settings) -> None:
    asyncio.run(_serve(connection, settings))


async def _serve(connection: Connection, settings: Settings) -> None:
    app, loop = await App.open(settings), asyncio.get_running_loop()
    app.follow()
    while True:
        try:
            operation, dies_at = await loop.run_in_executor(None, connection.recv)
        except EOFError:  # the test has ended
            break
        if dies_at is not None:
            _die_at(app, dies_at)
        try:
            outcome = await _do(operation, app)
        except Exception as error:
            outcome = error
        connection.send(outcome)
    await app.close()


def _die_at(app: App, step: int) -> None:
    """Have this process killed at a step from now, whichever of its tasks comes to it.

    A step is to begin a statement, to begin a commit, or to give a connection back after it.
    """
    steps = count(1)

    def next_step(*_: object) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    for engine in (app.database.backend.writer, app.database.backend.readers):
        for moment in ("before_cursor_execute", "commit", "checkin"):
            event.listen(engine.sync_engine, moment, next_step)


@singledispatch
async def _do(operation: Any, app: App) -> object:
    """Do what the test says; return what came of it."""
    raise NotImplementedError(operation)


@_do.register
async def _(operation: VoteChange, app: App) -> object:
    return (await app.voting.apply([operation]))[0]


@_do.register
async def _(operation: Reconciled, app: App) -> object:
    return await app.voting.reconcile(message_id=operation.message_id, reactions=operation.shown)


@_do.register
async def _(operation: Forgotten, app: App) -> object:
    return await app.voting.forget_user(operation.user_id)


@_do.register
async def _(operation: Shown, app: App) -> object:
    await app.postings.record(
        Posting(
            message_id=operation.message_id,
            channel_id=1,
            guild_id=operation.guild_id,
            thread_id=1,
            answer_id=operation.answer_id,
            asker_id=9,
        )
    )
    return None


@_do.register
async def _(operation: Changed, app: App) -> object:
    await app.guilds.update(operation.guild_id, **{operation.name: operation.value})
    return None


@_do.register
async def _(operation: ModeSet, app: App) -> object:
    await app.guilds.set_mode(operation.guild_id, operation.channel_id, operation.mode)
    return None


@_do.register
async def _(operation: Inspect, app: App) -> object:
    tallies = dict[tuple[int, int], int]()
    for guild_id in operation.guild_ids:
        thread = await app.answering.serve(operation.thread_id, guild_id=guild_id)
        assert thread is not None
        tallies |= {(answer.id, guild_id): answer.tally for answer in thread.answers}
    here = votes.c.guild_id.in_(operation.guild_ids)
    async with app.database.read() as connection:
        rows = (await connection.execute(select(votes).where(here))).all()
    postings = (await app.postings.of(operation.message_ids)).values()
    nothing_cached = Guilds(app.database, app.settings)
    return Snapshot(
        votes={Ballot(r.answer_id, r.guild_id, r.user_id): Vote(r.value) for r in rows},
        tallies=tallies,
        cards={p.message_id: Card(p.answer_id, p.guild_id) for p in postings},
        kept=await _settings(nothing_cached, operation.guild_ids),
        in_force=await _settings(app.guilds, operation.guild_ids),
    )


async def _settings(guilds: Guilds, guild_ids: Collection[int]) -> dict[int, GuildSeen]:
    return {i: (await guilds.settings(i), await guilds.modes(i)) for i in guild_ids}
