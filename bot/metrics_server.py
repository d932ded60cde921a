"""The small web server of ``METRICS_PORT``: figures for Prometheus, and whether all is well.

Nobody who can reach it can hurt the bot: it takes few connections, each for one request and a
few seconds, looks at the bot once a second at most, and tells nothing of servers or members.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bot.log_throttle import LogThrottle
from bot.metrics import CONTENT_TYPE, Levels, Metrics
from bot.monitor import FRESH_SECONDS, Monitor, Observation

CONNECTIONS = 32
"""Connections at the same time; more are closed at once."""

CONNECTION_SECONDS = 10.0
"""Seconds after which a connection is closed, whatever it is at."""

RETRY_SECONDS = 60.0
"""Seconds after which a port is tried again that could not be had."""

LAG_PAUSE = 0.5
"""Seconds between two measurements of how late the event loop is."""

CLOSE_SECONDS = 0.5
"""Seconds that replies may take which are being sent when the bot stops."""

PLAIN = "text/plain; charset=utf-8"

log = logging.getLogger(__name__)


class MetricsServer:
    """Serves the figures of ``metrics`` and what ``monitor`` sees."""

    def __init__(self, metrics: Metrics, monitor: Monitor):
        self._metrics, self._monitor = metrics, monitor
        self._text, self._written_at = b"", -math.inf
        self._error_log = LogThrottle(RETRY_SECONDS)
        self._pages = {"/metrics": self._figures, "/healthz": self._health, "/readyz": self._ready}

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Reply to a request and end its connection."""
        page = self._pages.get(request.path)
        if page is None:
            said = "there are /metrics, /healthz and /readyz"
            response = web.Response(status=404, text=f"{said}\n")
        elif request.method not in ("GET", "HEAD"):
            response = web.Response(status=405, text="only GET\n", headers={"Allow": "GET, HEAD"})
        else:
            try:
                response = await page()
            except Exception:  # it would come with each request
                if self._error_log.admit() is not None:
                    log.exception("%s could not be served", request.path)
                response = web.Response(status=500, text="see the bot's log\n")
        response.headers["Server"] = "Threadwise"
        response.headers["Cache-Control"] = "no-store"
        response.force_close()
        return response

    async def _figures(self) -> web.Response:
        seen = await self._monitor.look()
        if time.monotonic() - self._written_at >= FRESH_SECONDS:
            self._text, self._written_at = self._metrics.text(self._levels(seen)), time.monotonic()
        return web.Response(body=self._text, headers={"Content-Type": CONTENT_TYPE})

    async def _health(self) -> web.Response:
        return _verdict((await self._monitor.look()).ill)

    async def _ready(self) -> web.Response:
        return _verdict((await self._monitor.look()).unready)

    def _levels(self, seen: Observation) -> Levels:
        app, bot = self._monitor.app, self._monitor.bot
        shards = {} if bot is None else bot.shards
        queues = {} if app is None else app.queue_lengths()
        return Levels(
            is_ready=not seen.unready,
            servers=None if bot is None else len(bot.guilds),
            threads=None if app is None else len(app.engine),
            index_lag=seen.index_lag,
            queues=queues | ({} if bot is None else bot.queue_lengths()),
            connected={i: not shard.is_closed() for i, shard in shards.items()},
            latencies={i: shard.latency for i, shard in shards.items()},
        )


def _verdict(wrong: tuple[str, ...]) -> web.Response:
    text = "".join(f"{each}\n" for each in wrong) or "ok\n"
    return web.Response(status=503 if wrong else 200, body=text, headers={"Content-Type": PLAIN})


class _LimitedServer(web.Server):
    """A web server that takes few connections, none of them for long."""

    def __init__(self, server: MetricsServer):
        # Of requests that can't be read, a line each would fill the log.
        quiet = logging.getLogger(f"{__name__}.requests")
        quiet.disabled = True
        super().__init__(server.respond, access_log=None, logger=quiet, lingering_time=0.0)
        self._timers: dict[web.RequestHandler, asyncio.TimerHandle] = {}

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Take a connection for a while, unless there are too many."""
        super().connection_made(handler, transport)
        if len(self.connections) > CONNECTIONS:
            transport.abort()
        else:
            loop = asyncio.get_running_loop()
            self._timers[handler] = loop.call_later(CONNECTION_SECONDS, transport.abort)

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Forget a connection that has ended."""
        super().connection_lost(handler, exc)
        if (timer := self._timers.pop(handler, None)) is not None:
            timer.cancel()


@asynccontextmanager
async def serving(server: MetricsServer, host: str, port: int) -> AsyncIterator[str]:
    """Serve until the block ends; gives the address. Raises OSError where that can't be had."""
    connections = _LimitedServer(server)
    listening = await asyncio.get_running_loop().create_server(connections, host, port)
    try:
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        await connections.shutdown(CLOSE_SECONDS)


async def serve(metrics: Metrics, monitor: Monitor, host: str, port: int) -> None:
    """Serve until cancelled, and measure the event loop.

    A port that can't be had is an error in the log, once, and is tried again: the bot's members
    come before its figures.
    """
    server, told = MetricsServer(metrics, monitor), False
    while True:
        try:
            async with serving(server, host, port) as address:
                log.info("metrics are at %s/metrics", address)
                await _measure_loop(metrics)
        except OSError as error:
            if not told:
                told = True
                log.error(
                    "METRICS_PORT: no metrics, since %s:%d can't be had (%s); the bot runs on "
                    "and tries again every minute: end the other program, or change METRICS_PORT "
                    "or METRICS_HOST",
                    host, port, _reason(error),
                )  # fmt: skip
        await asyncio.sleep(RETRY_SECONDS)


def _reason(error: OSError) -> str:
    """Return the system's own words, without the address that asyncio puts before them."""
    return str(error.strerror or error).rpartition(": ")[2]


async def _measure_loop(metrics: Metrics) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_PAUSE
        await asyncio.sleep(LAG_PAUSE)
        metrics.loop_lagged(max(0.0, loop.time() - due))
