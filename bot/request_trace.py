"""The times of requests to Discord, each try of one by itself, as aiohttp tells them."""

from __future__ import annotations

import time
from types import SimpleNamespace

import aiohttp

from bot.observing import Observer


def request_trace(observer: Observer) -> aiohttp.TraceConfig:
    """Return what has an observer told of every request of a session."""

    async def start(_: object, of: SimpleNamespace, __: aiohttp.TraceRequestStartParams) -> None:
        of.begun = time.perf_counter()

    async def end(_: object, of: SimpleNamespace, params: aiohttp.TraceRequestEndParams) -> None:
        status = params.response.status
        if status < 200:  # the gateway's connection, which is no request for long
            return
        group = "429" if status == 429 else f"{status // 100}xx"
        observer.requested(params.method, group, time.perf_counter() - of.begun)

    async def fail(
        _: object, of: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams
    ) -> None:
        observer.requested(params.method, "none", time.perf_counter() - of.begun)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(start)
    trace.on_request_end.append(end)
    trace.on_request_exception.append(fail)
    return trace
