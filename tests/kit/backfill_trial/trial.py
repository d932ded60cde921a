"""The trial of a backfill: killed at random moments, it is to end as if it never was."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import select

from bot.app import App
from bot.following import BackfillState, Figure, FollowedChannel, PostState
from bot.store import following
from bot.store.curation_tables import followed_posts
from bot.store.tables import IN_FORCE, answers, threads
from tests.kit import programs
from tests.kit.backfill_trial import forum_of
from tests.kit.backfill_trial.forum_of import Expected, Scene
from tests.kit.backfill_trial.requests import Requests
from tests.kit.library import at
from tests.kit.loopback import Loopback, serving
from tests.kit.loopback.world import ME

OWNER = 1

AFTER = 0.03
"""Seconds after a request, at most, at which the bot is killed: it may be writing by then."""

PERIOD = 0.1
"""Seconds between two looks at the bot's memory."""


@dataclass
class Report:
    """What a trial came to. ``faults`` are to be none.

    ``read_again`` counts posts that were read twice: the one under way at each kill, and
    ``active`` ones, which are looked at once more at the end.
    """

    posts: int
    messages: int
    active: int
    kills: int = 0
    requests: int = 0
    seconds: float = 0.0
    simulated: float = 0.0
    solved: int = 0
    proposed: int = 0
    read_again: int = 0
    memory: int = 0
    faults: list[str] = field(default_factory=list)


async def trial(folder: Path, *, posts: int, kills: int, seed: int = 0) -> Report:
    """Fill in a forum of so many posts, with a bot that is killed so many times."""
    loopback, requests = Loopback(), Requests()
    scene, expected = forum_of.make(loopback, posts)
    active = sum(post.archived_at is None for post in scene.forum.posts.values())
    report = Report(posts, sum(map(len, loopback.sent.values())), active)
    await _begin(folder, scene)
    # As many as it takes at least: a look at each post, and who put ✅ on half of them.
    moments = sorted(random.Random(seed).sample(range(1, posts + posts // 2), kills))
    began = time.monotonic()
    async with serving(loopback, requests.middleware()):
        for moment in [*moments, None]:
            await _run(folder, loopback, requests, report, moment, random.Random(moment or 0))
    report.seconds = time.monotonic() - began
    report.requests = len(requests.reading)
    report.simulated = requests.reading[-1] - requests.reading[0]
    report.faults += requests.over_limits()
    read = Counter(path for path in requests.read if path.endswith("/messages"))
    again = (path for path, times in read.items() if times > 1)
    report.read_again = sum(_is_short(path, loopback) for path in again)
    report.faults += _posted(loopback)
    await _compare(folder, scene, expected, report)
    return report


async def _begin(folder: Path, scene: Scene) -> None:
    """Follow the forum, and note that it is to be filled in."""
    app = await App.open(at(folder, "off"))
    channel = FollowedChannel(
        guild_id=scene.guild.id,
        channel_id=scene.forum.id,
        name=scene.forum.name,
        is_forum=True,
        followed_by=OWNER,
        followed_at=datetime.now(UTC),
        solved_tag="Solved",
    )
    await app.following.follow(channel)
    await app.backfills.begin(scene.guild.id, scene.forum.id, OWNER)
    await app.close()


async def _run(
    folder: Path,
    loopback: Loopback,
    requests: Requests,
    report: Report,
    moment: int | None,
    chance: random.Random,
) -> None:
    """Run the bot until it has made so many requests, or has nothing left to do."""
    module = "tests.kit.backfill_trial.program"
    arguments = (folder, loopback.url, f"{requests.skipped:.6f}")
    program = await programs.start("-m", module, *map(str, arguments), EMBEDDING_MODEL="off")
    killed = asyncio.Event()

    async def kill() -> None:
        await asyncio.sleep(chance.uniform(0, AFTER))
        program.signal(signal.SIGKILL)

    async def watch(number: int) -> None:
        if moment is not None and number >= moment and not killed.is_set():
            killed.set()
            tasks.append(asyncio.create_task(kill()))

    requests.before, tasks = watch, list[asyncio.Task[None]]()
    try:
        if line := await program.stdout.readline():
            tasks.append(asyncio.create_task(_weigh(program.pid, int(line.split()[1]), report)))
        _, said = await program.process.communicate()
    finally:
        if program.process.returncode is None:
            program.process.kill()
        for task in tasks:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if program.process.returncode == -signal.SIGKILL:
        report.kills += 1
    elif program.process.returncode:
        report.faults.append(f"the bot failed: {said.decode()[-2000:]}")


async def _weigh(pid: int, start: int, report: Report) -> None:
    """Note how much more memory the bot takes than when it was ready."""
    process = psutil.Process(pid)
    while True:
        try:
            report.memory = max(report.memory, process.memory_info().rss - start)
        except psutil.Error:
            return
        await asyncio.sleep(PERIOD)


def _is_short(path: str, loopback: Loopback) -> bool:
    """Return whether one request has all messages of a post."""
    return len(loopback.sent[int(path.split("/")[2])]) < 100


def _posted(loopback: Loopback) -> list[str]:
    """Return what the bot has posted or put somewhere, in words: nothing, if all is well."""
    written = [path for method, path, _ in loopback.requests if method != "GET"]
    found = [path for path in written if not path.endswith("/commands")]
    found += [f"message {m.id}" for m in loopback.by_id.values() if m.author["id"] == ME["id"]]
    return [f"posted: {each}" for each in found[:5]]


async def _compare(folder: Path, scene: Scene, expected: Expected, report: Report) -> None:
    """Note where the library differs from what it should be."""
    app = await App.open(at(folder, "off"))
    faults, guild_id, forum_id = report.faults, scene.guild.id, scene.forum.id
    async with app.database.read() as connection:
        channel = await following.channel(connection, guild_id, forum_id)
        t, p, a = threads.c, followed_posts.c, answers.c
        mine = select(t.key, a.key).join(answers, a.thread_id == t.id)
        mine = mine.where(t.scope == guild_id, IN_FORCE, a.retired.is_(False))
        rows = (await connection.execute(mine)).all()
        states = (await connection.execute(select(p.post_id, p.state, p.proposed_id))).all()
    await app.close()
    stored: dict[int, list[int]] = {}
    for key, answer_key in rows:
        stored.setdefault(int(key.rpartition("/")[2]), []).append(int(answer_key))
    wanted = {post_id: sorted(ids) for post_id, ids in expected.solved.items()}
    stored = {post_id: sorted(ids) for post_id, ids in stored.items()}
    report.solved, faults[:] = len(stored), [*faults, *_differences("thread", wanted, stored)]
    solved = {row.post_id for row in states if row.state == PostState.SOLVED}
    proposed = {r.post_id: r.proposed_id for r in states if r.state == PostState.PROPOSED}
    report.proposed = len(proposed)
    faults += _differences("solved", dict.fromkeys(wanted), dict.fromkeys(solved))
    faults += _differences("proposed", expected.proposed, proposed)
    counted = {
        Figure.READ: report.posts,
        Figure.SOLVED: len(wanted),
        Figure.PROPOSED: len(expected.proposed),
        Figure.CUT: expected.cut,
    }
    backfill = channel.backfill if channel is not None else None
    if backfill is None or backfill.state is not BackfillState.DONE:
        faults.append(f"it is not done: {backfill}")
    else:
        counts = {Figure(name): count for name, count in backfill.counts.items() if count}
        faults += _differences("figure", {k: v for k, v in counted.items() if v}, counts)


def _differences(what: str, wanted: Mapping[Any, object], there: Mapping[Any, object]) -> list[str]:
    """Return how two mappings differ, in words."""
    keys = [k for k in sorted(wanted.keys() | there.keys()) if _of(wanted, k) != _of(there, k)]
    return [f"{what} {k}: {_of(there, k)}, not {_of(wanted, k)}" for k in keys[:5]]


def _of(values: Mapping[Any, object], key: Any) -> object:
    return values.get(key, "none") if key in values else "none"
