"""What must hold: votes, the index, isolation, and that nothing grows without bound."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import psutil

from bot.models import SHARED
from bot.services.learning import MAX_PER_THREAD
from bot.services.unanswered import KEPT_DAYS
from bot.store.change_feed import KEPT
from soaking import content
from soaking.plain import Ballot
from soaking.state import Soak

FOLLOWED = 10.0
"""Simulated seconds in which the index follows a change: it looks for them every two."""

DAY = 86_400 * 1_000_000
"""A day in microseconds, as times are stored."""


@dataclass
class Figures:
    """What was measured at a moment; ``objects`` are those of our own classes by module."""

    event: int
    memory: int
    files: int
    descriptors: int
    threads: int
    tasks: int
    objects: Counter[str] = field(default_factory=Counter)
    rows: dict[str, int] = field(default_factory=dict)
    bytes_on_disk: int = 0


def measure(soak: Soak) -> Figures:
    """Measure the process, after whatever is garbage is gone."""
    gc.collect()
    process = psutil.Process()
    objects = Counter[str](
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in map(type, gc.get_objects())
        if str(kind.__module__).startswith(("bot.", "cogs.", "discord.", "asyncio", "_asyncio"))
    )
    names = [row[0] for row in soak.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    own = [name for name in names if not name.startswith(("sqlite_", "alembic"))]
    data = [path for path in soak.process.data.rglob("*") if path.is_file()]
    return Figures(
        event=soak.event,
        memory=process.memory_info().rss,
        files=len(data),
        descriptors=process.num_fds(),
        threads=threading.active_count(),
        tasks=len(asyncio.all_tasks()),
        objects=objects,
        rows={name: soak.rows(f"SELECT count(*) FROM {name}")[0][0] for name in sorted(own)},
        bytes_on_disk=sum(path.stat().st_size for path in data),
    )


async def check(soak: Soak) -> None:
    """Check all that must hold at any time, once what has just been changed is followed."""
    for _ in range(2):  # what an hourly loop does in the first is seen in the second
        await soak.settle(FOLLOWED)
    check_votes(soak)
    await check_tallies(soak)
    await check_index(soak)
    await check_isolation(soak)
    check_tables(soak)


def check_votes(soak: Soak) -> None:
    """Compare every vote with the plain count, in every server."""
    there = {row[0] for row in soak.rows("SELECT COALESCE(overrides, id) FROM answers")}
    soak.plain.forget_answers(there)
    query = (
        "SELECT COALESCE(a.overrides, a.id), v.guild_id, user_id, value"
        " FROM votes v JOIN answers a ON a.id = v.answer_id"
    )
    stored = dict[Ballot, int]()
    for *place, value in soak.rows(query):
        ballot = Ballot(*place)
        if ballot in stored:
            soak.fault(f"two votes of one member: {ballot}")
        stored[ballot] = value
    counted = soak.plain.votes()
    out = {server.id for server in soak.servers if server.is_out}  # maybe forgotten by now
    wrong = [
        ballot
        for ballot in stored.keys() | counted.keys()
        if ballot.guild_id not in out and stored.get(ballot) != counted.get(ballot)
    ]
    for ballot in sorted(wrong)[:5]:
        said = f"{ballot}: {stored.get(ballot)} instead of {counted.get(ballot)}"
        soak.fault(f"a vote is wrong: {said}, given {soak.plain.all_given(ballot)}")
    if len(wrong) > 5:
        soak.fault(f"{len(wrong)} votes are wrong, of {len(counted)}")


async def check_tallies(soak: Soak) -> None:
    """Compare the tallies that servers see with a plain sum, for some threads."""
    sums = Counter[tuple[int, int]]()
    for ballot, value in soak.plain.votes().items():
        sums[ballot.root, ballot.guild_id] += value
    roots = dict(soak.rows("SELECT id, COALESCE(overrides, id) FROM answers"))
    carried = soak.rows("SELECT count(*) FROM carried_votes")[0][0]
    for server in (server for server in soak.servers if not server.is_out):
        for card in list(server.cards.values())[-15:]:
            thread = await soak.process.app.answering.serve(card.thread_id, guild_id=server.id)
            for answer in thread.answers if thread is not None and not carried else ():
                want = answer.score + sums[roots[answer.id], server.id]
                if answer.tally != want:
                    soak.fault(
                        f"answer {answer.id} has tally {answer.tally} in server"
                        f" {server.number}, not {want}"
                    )


async def check_index(soak: Soak) -> None:
    """Compare the index with the database, as ``doctor`` does."""
    health = await soak.process.app.examine()
    for problem in (*health.problems, health.not_indexed, health.note):
        if problem:
            soak.fault(f"the library is not well: {problem}")
    if health.indexing:
        soak.fault("not all is indexed")
    wanted = soak.rows("SELECT count(*) FROM threads WHERE retired_at IS NULL")[0][0]
    if health.indexed != wanted:
        soak.fault(f"{health.indexed} threads are in the index, {wanted} in the database")


async def check_isolation(soak: Soak) -> None:
    """Ask in each server, and from none, for what another server alone has."""
    answering = soak.process.app.answering
    for server in soak.servers:
        other = soak.servers[(server.number + 1) % len(soak.servers)]
        word = content.secret(other.number, 0)
        question = f"Where is the {word} of the tool shed?"
        for guild_id in (server.id, SHARED):
            for match in (await answering.ask(question, guild_id=guild_id)).matches:
                if word in match.title:
                    soak.fault(f"server {server.number} is shown a thread of {other.number}")
    query = (
        "SELECT count(*) FROM postings p JOIN threads t ON t.id = p.thread_id"
        " WHERE t.scope NOT IN (0, p.guild_id)"
    )
    if shown := soak.rows(query)[0][0]:
        soak.fault(f"{shown} cards show another server's thread")


def check_tables(soak: Soak) -> None:
    """Compare the tables' rows with what they may be, by the settings and by what there is."""
    now = int(soak.env.backend.clock.now().timestamp() * 1e6)
    guilds = len(soak.servers)
    threads = soak.rows("SELECT count(*) FROM threads")[0][0]
    bounds = {
        "SELECT count(*) FROM reactions": soak.plain.reactions(),
        "SELECT count(*) FROM postings p WHERE NOT EXISTS"
        " (SELECT 1 FROM answers a WHERE a.id = p.answer_id)": 0,
        f"SELECT count(*) FROM unanswered WHERE asked_at < {now - (KEPT_DAYS + 7) * DAY}": 0,
        f"SELECT count(*) FROM temporary_messages WHERE delete_at < {now - DAY}": 0,
        f"SELECT count(*) FROM postings WHERE due_at < {now - DAY}": 0,
        f"SELECT count(*) FROM threads WHERE removed AND retired_at < {now - 3 * DAY}": 0,
        # They go with the next deletion.
        "SELECT count(*) FROM changes WHERE deleted_at <"
        f" (SELECT max(deleted_at) FROM changes) - {KEPT // timedelta(microseconds=1)}": 0,
        "SELECT count(*) FROM (SELECT 1 FROM learned_phrasings GROUP BY guild_id, thread_id"
        f" HAVING count(DISTINCT wording) > {MAX_PER_THREAD})": 0,
        "SELECT count(*) FROM guild_settings": guilds,
        "SELECT count(*) FROM guild_memberships": guilds,
        "SELECT count(*) FROM followed_channels": guilds,
        "SELECT count(*) FROM facts": 20 + 20 * guilds,
        # Of each thread, a change of its text and one of its vectors.
        "SELECT count(*) FROM changes WHERE deleted_at IS NULL": 2 * threads,
    }
    for query, most in bounds.items():
        found = soak.rows(query)[0][0]
        if found > most:
            soak.fault(f"{found} instead of at most {most}: {query}")


def check_growth(soak: Soak, seen: list[Figures], memory: int) -> None:
    """Compare figures of the end with those of the middle: what is bounded has its size by then."""
    middle, end = seen[len(seen) // 2 - 1], seen[-1]
    if end.memory > middle.memory + memory:
        grown = (end.memory - middle.memory) / 1024**2
        soak.fault(f"memory grew by {grown:.0f} MB in the second half")
    for name in ("files", "descriptors", "threads", "tasks"):
        before, after = getattr(middle, name), getattr(end, name)
        if after > before * 1.5 + 20:
            soak.fault(f"{name}: {before} in the middle, {after} at the end")
