"""Fixtures of all tests: a library that outlives the bot, bots on it, and two worlds.

``world`` is SimCord's Discord in memory, ``net`` a loopback Discord over real sockets.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import coverage
import pytest
import simcord

from bot import retry
from bot.app import App
from bot.client import ThreadBot
from bot.log_throttle import LogThrottle
from bot.settings import Settings
from tests.kit import postgres
from tests.kit.library import forget_environment
from tests.kit.net import Net, open_net
from tests.kit.new_tables import migrate_once
from tests.kit.once import compile_statements_once, execute_cogs_once
from tests.kit.simcord import fast_settle
from tests.kit.wheels import MakeWheel, wheels_in
from tests.kit.world import THREADS, MakeBot, World, open_world

pytest_plugins = ["tests.kit.slow"]

fast_settle()
migrate_once()
execute_cogs_once()
compile_statements_once()


DATABASES = ("sqlite", "postgres")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the database on which those tests run that know both, and are not run on both anyway."""
    parser.addoption("--database", choices=DATABASES, default=DATABASES[0])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that is marked so on both databases, unless it is about SQLite alone."""
    marked = metafunc.definition.get_closest_marker
    if "kind" in metafunc.fixturenames and marked("both_databases"):
        metafunc.parametrize("kind", DATABASES[:1] if marked("sqlite_only") else DATABASES)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """Which database the test's library is in."""
    if request.node.get_closest_marker("sqlite_only"):
        return DATABASES[0]
    return str(request.config.getoption("--database"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Run a test that is marked ``untraced`` while coverage pauses.

    In a worker there are two to pause: pytest-cov's, and below it the one with which
    every new process begins. Of the latter pytest-cov's own ``no_cover`` knows nothing.
    """
    paused = list[coverage.Coverage]()
    if item.get_closest_marker("untraced"):
        while running := coverage.Coverage.current():
            running.stop()
            paused.append(running)
    try:
        return (yield)
    finally:
        for one in reversed(paused):
            one.start()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the PostgreSQL server that the processes of this run shared, if there was one."""
    if not hasattr(session.config, "workerinput"):
        postgres.stop_shared(session.config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def postgres_server(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> postgres.Server:
    """The PostgreSQL server of this run; the test is skipped where none can be started."""
    base = tmp_path_factory.getbasetemp()
    return postgres.shared(base.parent if hasattr(request.config, "workerinput") else base)


@pytest.fixture
async def postgres_url(postgres_server: postgres.Server) -> AsyncIterator[str]:
    """A database of the test's own on that server, with our tables, which are empty."""
    name = await postgres_server.take()
    yield postgres_server.url(name)
    postgres_server.give_back(name)


@pytest.fixture(scope="session")
def filled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with THREADS in it, to be copied by each test."""
    folder = tmp_path_factory.mktemp("library")

    async def fill() -> None:
        app = await App.open(Settings(data_dir=folder, embedding_model="off", _env_file=None))
        await app.library.add(THREADS)
        await app.close()

    asyncio.run(fill())
    return folder


@pytest.fixture
def settings(tmp_path: Path, filled_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings as they are by default, in a folder of the test's own."""
    forget_environment(monkeypatch)
    shutil.copytree(filled_folder, tmp_path / "data")
    return Settings(data_dir=tmp_path / "data", _env_file=None)


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    """The opened application; like the database, it outlives every bot of the test."""
    opened = await App.open(settings)
    yield opened
    await opened.close()


@pytest.fixture
def make_bot(app: App, request: pytest.FixtureRequest) -> MakeBot:
    """Build another bot on the same application, as a restart does."""
    marker = request.node.get_closest_marker("simcord")
    options = marker.kwargs if marker else {}
    return lambda: ThreadBot(
        app,
        shard_count=options.get("shard_count", 1),
        message_content="approved_intents" not in options,
    )


@pytest.fixture
def simcord_bot(make_bot: MakeBot) -> ThreadBot:
    """The bot of the test, for SimCord's own fixture."""
    return make_bot()


@pytest.fixture(scope="session")
def one_thread_a_model() -> Iterator[None]:
    """Models take one thread each, since tests run beside one another."""
    pytest.importorskip("bot.search.semantic.embedder")
    from tests.kit.models import one_thread

    with one_thread():
        yield


@pytest.fixture(scope="session")
def usual_model(one_thread_a_model: None) -> Iterator[None]:
    """Load the usual model once, not once for each data folder, and run each text once."""
    from tests.kit.models import remembered

    with remembered():
        yield


@pytest.fixture
def make_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeWheel:
    """Make a wheel that pip finds, in a folder instead of a registry."""
    return wheels_in(tmp_path / "packages", monkeypatch)


@pytest.fixture
async def world(simcord_env: simcord.Env, app: App, make_bot: MakeBot) -> World:
    """A server with two channels, two members and a moderator, in SimCord's Discord."""
    return open_world(simcord_env, app, make_bot)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are tried again at once; each test hears of its own outage."""
    monkeypatch.setattr(retry, "PAUSES", (0.001,) * len(retry.PAUSES))
    monkeypatch.setattr(retry, "QUICK", (0.001,) * len(retry.QUICK))
    monkeypatch.setattr(retry, "outage_log", LogThrottle(retry.OUTAGE_LOG_SECONDS))


@pytest.fixture
async def net(app: App, hurried: None) -> AsyncIterator[Net]:
    """A server with two channels and two members, over real sockets."""
    async with open_net(app) as opened:
        yield opened
