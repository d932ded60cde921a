"""The soak itself: a seeded plan of events, carried out on the bot, with checks on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar

from simcord import SetupError
from simcord.backend.errors import BackendError

from soaking import checks, events, faults, moderation
from soaking.checks import Figures
from soaking.content import own_file, shared_library
from soaking.events import Missed
from soaking.process import Process, is_refusal
from soaking.servers import make_server, set_up
from soaking.state import Soak
from tests.kit.simcord import fast_settle
from tests.kit.virtual_time import everywhere, without_database_threads

YEAR = 365 * 86_400.0

BURST = 40
"""Events at most that are in the air at once."""

BETWEEN = 0.01
"""Simulated seconds between them; more would have the bot's loops look for work each time."""

FAULT_EVERY = 400
"""Events after which something goes wrong, on average."""

K = TypeVar("K", bound=Callable[..., object])


@dataclass(frozen=True)
class Options:
    """What to run; ``model`` as in ``EMBEDDING_MODEL``, ``memory`` in bytes for the second half.

    All is checked ``checks`` times, evenly spread, and measured at four of these.
    """

    events: int
    servers: int
    restarts: int
    seed: int
    model: str = "off"
    memory: int = 100 * 1024**2
    checks: int = 20


@dataclass
class Report:
    """What a soak came to."""

    options: Options
    done: dict[str, int] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    figures: list[Figures] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    starts: int = 0
    kills: int = 0
    votes: int = 0
    warnings: int = 0
    excused: int = 0
    seconds: float = 0.0
    processor: float = 0.0
    days: float = 0.0


async def run(folder: Path, options: Options, say: Callable[[str], None] = print) -> Report:
    """Run a soak in a folder, and report."""
    fast_settle()
    began, worked = time.perf_counter(), time.process_time()
    report = Report(options)
    with without_database_threads() as connections:
        process = Process(folder, options.model, connections)
        await process.begin()
        with everywhere(process.env):
            soak = Soak(process, [], Random(options.seed), options.seed, say)
            start = process.env.backend.clock.elapsed
            try:
                await _begin(soak, options)
                await _year(soak, options, report, say)
                report.days = (process.env.backend.clock.elapsed - start) / 86_400
            finally:
                report.faults = soak.faults
                await process.end()
    report.done, report.missed = dict(soak.counts), dict(soak.missed)
    report.starts, report.kills, report.votes = (
        process.starts,
        process.kills,
        len(soak.plain.votes()),
    )
    report.warnings, report.excused = process.log.warnings, process.log.expected
    report.seconds, report.processor = time.perf_counter() - began, time.process_time() - worked
    return report


async def _begin(soak: Soak, options: Options) -> None:
    await soak.process.app.library.add(shared_library())
    for number in range(options.servers):
        soak.servers.append(make_server(soak.env, number))
    await soak.env.settle()
    for server in soak.servers:
        await set_up(soak.process.app, soak.env, server)
        server.imported = 10
        file = soak.process.folder / f"own{server.number}.jsonl"
        file.write_bytes(own_file(soak.random, server.number, 0, server.imported, 0))
        await soak.process.app.library.import_paths([file], scope=server.id)
    soak.env.forget_history()


async def _year(soak: Soak, options: Options, report: Report, say: Callable[[str], None]) -> None:
    """Carry the plan out."""
    every = YEAR / options.events
    restart_at = _spread(soak.random, options.events, options.restarts)
    check_at = [options.events * (n + 1) // options.checks for n in range(options.checks)]
    next_fault = soak.random.expovariate(1 / FAULT_EVERY)
    while soak.event < options.events:
        before = soak.event
        # SimCord has a bot that starts be in all servers, also in those that removed it.
        is_out = any(server.is_out for server in soak.servers)
        if restart_at and soak.event >= restart_at[0] and not is_out:
            restart_at.pop(0)
            await _fault(soak, soak.random.choice((faults.restarts, faults.is_killed)))
        elif soak.event >= next_fault:
            next_fault = soak.event + soak.random.expovariate(1 / FAULT_EVERY)
            await _fault(soak, _weighted(soak.random, faults.RANDOM))
        else:
            await _round(soak, soak.random.randint(1, BURST))
        await soak.settle(every * (soak.event - before))
        await _returns(soak)
        _listen(soak)
        while check_at and soak.event >= check_at[0]:
            check_at.pop(0)
            await checks.check(soak)
            _listen(soak)
            soak.tidy()
            if len(check_at) % (options.checks // 4) == 0:
                report.figures.append(checks.measure(soak))
                say(_line(soak, report.figures[-1]))
    checks.check_growth(soak, report.figures, options.memory)


def _spread(random: Random, events: int, count: int) -> list[int]:
    return sorted(random.randrange(events // 20, events - events // 20) for _ in range(count))


def _weighted(random: Random, weights: Mapping[K, float]) -> K:
    return random.choices(list(weights), list(weights.values()))[0]


_ALONE: dict[events.Alone, float] = {**events.ALONE, **moderation.ALONE}
ALONE_SHARE = sum(_ALONE.values()) / sum(events.TOGETHER.values())
"""How many events that wait for the bot there are for one that doesn't."""


async def _round(soak: Soak, count: int) -> None:
    """Begin some events that don't wait for the bot, then have as many others as there are."""
    _burst(soak, count)
    await soak.settle(0)
    for _ in range(count):
        if soak.random.random() < ALONE_SHARE:
            await _alone(soak)


def _burst(soak: Soak, count: int) -> None:
    """Begin events that don't wait for the bot."""
    for _ in range(count):
        soak.event += 1
        event = _weighted(soak.random, events.TOGETHER)
        server = soak.server()
        try:
            event(soak, server)
            soak.counts[event.__name__] += 1
        except Missed:
            soak.missed[event.__name__] += 1
        soak.env.drift(BETWEEN)


async def _alone(soak: Soak) -> None:
    """Do something and wait until the bot has done its part."""
    soak.event += 1
    event = _weighted(soak.random, _ALONE)
    try:
        await event(soak, soak.server())
        soak.counts[event.__name__] += 1
    except (Missed, SetupError, BackendError) as error:
        soak.missed[event.__name__] += 1
        if not isinstance(error, Missed):
            soak.missed[f"{event.__name__}: {type(error).__name__}: {error}"[:110]] += 1


async def _fault(soak: Soak, fault: faults.Fault) -> None:
    soak.event += 1
    await fault(soak, _burst)
    soak.counts[fault.__name__] += 1


async def _returns(soak: Soak) -> None:
    """Have servers invite the bot again whose time has come."""
    for server in soak.servers:
        if server.is_out and soak.env.backend.clock.elapsed >= server.out_until:
            await faults.come_back(soak, server)
            soak.counts["come_back"] += 1


def _listen(soak: Soak) -> None:
    """Note what the bot has logged as an error, or raised."""
    for line in soak.process.log.take():
        soak.fault(line)
    for error in soak.env.forget_history():
        if not is_refusal(error) and not isinstance(error, asyncio.CancelledError):
            soak.fault(f"raised: {error!r}")


def _line(soak: Soak, figures: Figures) -> str:
    return (
        f"{soak.event:,} events: {figures.memory / 1024**2:.0f} MB, {figures.files} files,"
        f" {figures.descriptors} descriptors, {len(soak.faults)} faults"
    )
