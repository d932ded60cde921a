"""/healthz, /readyz, and a server that strangers can't hurt."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiohttp
import pytest

from bot import metrics_server
from bot import monitor as monitoring
from bot.errors import StoreBusy
from bot.metrics import Metrics
from bot.metrics_server import CONNECTIONS, MetricsServer, serve, serving
from bot.monitor import Monitor
from tests.kit.scraping import Scraper, free_port
from tests.kit.simcord import offline
from tests.kit.waiting import until
from tests.kit.world import World


async def test_before_the_library_is_open_it_is_well_and_not_ready(scraper: Scraper):
    assert await scraper.get("/healthz") == (200, "ok\n")
    assert await scraper.get("/readyz") == (503, "it is starting\n")
    assert (await scraper.figures())["threadwise_ready"] == 0


async def test_it_is_ready_once_it_is_connected(world: World, monitor: Monitor, scraper: Scraper):
    with monitor.watching(world.app):
        assert await scraper.get("/readyz") == (503, "it is not connected to Discord yet\n")
        monitor.bot = world.bot
        assert await scraper.get("/healthz") == (200, "ok\n")
        assert await scraper.get("/readyz") == (200, "ok\n")
        assert (await scraper.figures())["threadwise_ready"] == 1


async def test_without_discord_it_is_well_and_not_ready(world: World, watched: Scraper):
    async with offline(world.env):
        assert await watched.get("/healthz") == (200, "ok\n")
        assert await watched.get("/readyz") == (503, "shard 0 is not connected to Discord\n")
    assert await watched.get("/readyz") == (200, "ok\n")


async def test_without_its_database_it_is_neither(
    world: World, watched: Scraper, monkeypatch: pytest.MonkeyPatch
):
    async def fail() -> int:
        raise StoreBusy("the file is locked")

    monkeypatch.setattr(world.app, "index_lag", fail)
    said = "the database can't be read: the file is locked\n"
    assert await watched.get("/healthz") == (503, said)
    assert await watched.get("/readyz") == (503, said)
    assert "threadwise_questions_total" in (await watched.get("/metrics"))[1]


async def test_a_database_that_never_answers_is_found_out(
    world: World, watched: Scraper, monkeypatch: pytest.MonkeyPatch
):
    async def hang() -> int:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(world.app, "index_lag", hang)
    monkeypatch.setattr(monitoring, "LOOK_SECONDS", 0.01)
    assert await watched.get("/healthz") == (503, "the database can't be read: no answer\n")


async def test_an_index_that_stays_behind_is_not_ready(
    world: World, watched: Scraper, monkeypatch: pytest.MonkeyPatch
):
    async def behind() -> int:
        return 3

    assert (await watched.get("/readyz"))[0] == 200
    monkeypatch.setattr(world.app, "index_lag", behind)
    assert (await watched.get("/readyz"))[0] == 200  # it may be at it
    monkeypatch.setattr(monitoring, "LAG_SECONDS", 0.0)
    assert await watched.get("/readyz") == (503, "the index is 3 changes behind\n")
    assert (await watched.get("/healthz"))[0] == 200


async def test_an_index_that_was_never_in_step_is_not_ready(
    world: World, watched: Scraper, monkeypatch: pytest.MonkeyPatch
):
    async def behind() -> int:
        return 1

    monkeypatch.setattr(world.app, "index_lag", behind)
    assert await watched.get("/readyz") == (503, "the index is 1 change behind\n")


async def test_a_request_while_it_stops_is_answered(
    world: World, monitor: Monitor, scraper: Scraper
):
    with monitor.watching(world.app):
        monitor.bot = world.bot
        assert (await scraper.get("/readyz"))[0] == 200
    assert await scraper.get("/readyz") == (503, "it is stopping\n")
    assert await scraper.get("/healthz") == (200, "ok\n")
    assert "threadwise_questions_total" in (await scraper.get("/metrics"))[1]


async def test_a_request_that_hangs_does_not_keep_it_from_stopping(
    metrics: Metrics, monitor: Monitor, monkeypatch: pytest.MonkeyPatch
):
    asked = asyncio.Event()

    async def hang() -> Any:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(monitor, "look", hang)
    monkeypatch.setattr(metrics_server, "CLOSE_SECONDS", 0.01)
    async with serving(MetricsServer(metrics, monitor), "127.0.0.1", 0) as url:
        request = asyncio.create_task(Scraper(url).get("/metrics"))
        await asked.wait()
    with pytest.raises(aiohttp.ClientError):
        await request


async def test_what_is_seen_is_told_again_for_a_while(
    world: World, watched: Scraper, monkeypatch: pytest.MonkeyPatch
):
    looks = 0

    async def count() -> int:
        nonlocal looks
        looks += 1
        return 0

    monkeypatch.setattr(monitoring, "FRESH_SECONDS", 3600.0)
    monkeypatch.setattr(world.app, "index_lag", count)
    await asyncio.gather(*(watched.get(page) for page in ("/metrics", "/healthz", "/readyz") * 5))
    assert looks == 1


@pytest.mark.parametrize(
    "path", ["/", "/metrics/", "/../etc/passwd", "/metrics%00", "/favicon.ico"]
)
async def test_other_pages_are_not_there(scraper: Scraper, path: str):
    status, text = await scraper.get(path)
    assert (status, text) == (404, "there are /metrics, /healthz and /readyz\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_nothing_can_be_sent(scraper: Scraper, method: str):
    assert await scraper.get("/metrics", method) == (405, "only GET\n")


async def raw(url: str, sent: bytes) -> bytes:
    """Send bytes, and return what comes until the connection is closed."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(sent)
        await writer.drain()
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a hello of TLS\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x00" * 1000 + b"\r\n\r\n",
    ],
    ids=["tls", "version", "long path", "long header", "long body", "connect", "zeros"],
)
async def test_hostile_requests_end_and_are_not_logged(
    scraper: Scraper, sent: bytes, caplog: pytest.LogCaptureFixture
):
    async with asyncio.timeout(30):
        reply = await raw(scraper.url, sent)
    assert b" 200 " not in reply.partition(b"\r\n")[0]
    assert (await scraper.get("/healthz"))[0] == 200
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_connection_that_says_nothing_is_closed(
    scraper: Scraper, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(metrics_server, "CONNECTION_SECONDS", 0.05)
    async with asyncio.timeout(30):
        assert await raw(scraper.url, b"GET /metrics HTTP/1.1\r\nHost:") == b""


async def test_more_connections_than_that_are_closed(scraper: Scraper):
    host, port = scraper.url.removeprefix("http://").split(":")
    open_ones = [await asyncio.open_connection(host, int(port)) for _ in range(CONNECTIONS)]
    try:
        assert await raw(scraper.url, b"") == b""  # at once, and not after ten seconds
    finally:
        for _, writer in open_ones:
            writer.close()
    await until(lambda: _answers(scraper))


async def _answers(scraper: Scraper) -> bool:
    try:
        return (await scraper.get("/healthz"))[0] == 200
    except OSError:
        return False


async def test_each_reply_ends_its_connection(scraper: Scraper):
    reply = await raw(scraper.url, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    assert reply.count(b"HTTP/1.1 200 OK") == 1
    assert b"Connection: close" in reply
    assert b"Server: Threadwise" in reply


async def test_a_fault_of_ours_is_logged_once(
    scraper: Scraper,
    monitor: Monitor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    async def fail() -> Any:
        raise RuntimeError("boom")

    monkeypatch.setattr(monitor, "look", fail)
    for _ in range(3):
        assert await scraper.get("/metrics") == (500, "see the bot's log\n")
    assert caplog.text.count("/metrics could not be served") == 1


async def test_a_port_that_is_taken_is_one_line_and_tried_again(
    metrics: Metrics,
    monitor: Monitor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(metrics_server, "RETRY_SECONDS", 0.01)
    tries = 0
    create_server = asyncio.get_running_loop().create_server

    async def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal tries
        tries += 1
        return await create_server(*args, **kwargs)

    monkeypatch.setattr(asyncio.get_running_loop(), "create_server", counted)
    other = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    serves = asyncio.create_task(serve(metrics, monitor, "127.0.0.1", port))
    try:
        await until(lambda: tries > 3)
        lines = [record.getMessage() for record in caplog.records]
        (line,) = [line for line in lines if "METRICS_PORT" in line]
        where = f"127.0.0.1:{port} can't be had (address already in use)"
        assert line.startswith(f"METRICS_PORT: no metrics, since {where}; the bot runs on")
        other.close()
        await other.wait_closed()
        await until(lambda: f"metrics are at http://127.0.0.1:{port}/metrics" in caplog.text)
        assert (await Scraper(f"http://127.0.0.1:{port}").get("/healthz"))[0] == 200
    finally:
        serves.cancel()
        await asyncio.wait([serves])


async def test_a_host_that_is_not_here_is_one_line(
    metrics: Metrics, monitor: Monitor, caplog: pytest.LogCaptureFixture
):
    serves = asyncio.create_task(serve(metrics, monitor, "no such host.invalid", free_port()))
    try:
        await until(lambda: "METRICS_HOST" in caplog.text)
    finally:
        serves.cancel()
        await asyncio.wait([serves])
    assert len(caplog.records) == 1
    assert "Traceback" not in caplog.text


async def test_the_event_loop_is_measured(
    metrics: Metrics, monitor: Monitor, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(metrics_server, "LAG_PAUSE", 0.001)
    port = free_port()
    scraper = Scraper(f"http://127.0.0.1:{port}")
    serves = asyncio.create_task(serve(metrics, monitor, "127.0.0.1", port))
    try:
        await until(lambda: _answers(scraper))
        await until(lambda: _measured(scraper))
    finally:
        serves.cancel()
        await asyncio.wait([serves])


async def _measured(scraper: Scraper) -> bool:
    return await scraper.figure("loop_lag_seconds_count") > 2
