"""A world whose bot is observed, with its metrics served on this computer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.app import App
from bot.metrics import Metrics
from bot.metrics_server import MetricsServer, serving
from bot.monitor import Monitor
from bot.settings import Settings
from tests.kit.scraping import Scraper
from tests.kit.world import World


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each request look anew."""
    for module in ("bot.monitor", "bot.metrics_server"):
        monkeypatch.setattr(f"{module}.FRESH_SECONDS", 0.0)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def app(settings: Settings, metrics: Metrics) -> AsyncIterator[App]:
    """The opened application, in place of the one that nobody observes."""
    opened = await App.open(settings, metrics)
    yield opened
    await opened.close()


@pytest.fixture
async def monitor() -> Monitor:
    return Monitor()


@pytest.fixture
async def scraper(metrics: Metrics, monitor: Monitor) -> AsyncIterator[Scraper]:
    """What is served while nothing is watched yet."""
    async with serving(MetricsServer(metrics, monitor), "127.0.0.1", 0) as url:
        yield Scraper(url)


@pytest.fixture
async def watched(world: World, monitor: Monitor, scraper: Scraper) -> AsyncIterator[Scraper]:
    """The same while the world's bot is watched."""
    with monitor.watching(world.app):
        monitor.bot = world.bot
        yield scraper
