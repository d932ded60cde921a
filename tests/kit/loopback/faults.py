"""Faults in front of the loopback Discord: each fails one request in a known way."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of one request; made by the functions below.

    ``done`` says whether Discord does what is asked (the reply alone is lost or spoiled).
    """

    kind: str
    done: bool = False
    code: int = 0
    seconds: float = 0.0
    body: Any = None
    everywhere: bool = False
    gate: asyncio.Event | None = None


def passed() -> Fault:
    """No fault: the request is served."""
    return Fault(kind="passed", done=True)


def rate_limited(seconds: float = 0.05, *, everywhere: bool = False) -> Fault:
    """429 with ``retry_after``; not done."""
    return Fault(kind="rate_limited", seconds=seconds, everywhere=everywhere)


def status(code: int, body: Any = None) -> Fault:
    """An error status, with a JSON body or a page of HTML; not done."""
    return Fault(kind="status", code=code, body=body)


def status_after(code: int) -> Fault:
    """Done, but an error status is the reply."""
    return Fault(kind="status", done=True, code=code)


def reset() -> Fault:
    """The connection breaks; not done."""
    return Fault(kind="reset")


def reset_after() -> Fault:
    """Done, but the connection breaks before the reply."""
    return Fault(kind="reset", done=True)


def malformed() -> Fault:
    """Done, but the reply is cut in the middle of its JSON."""
    return Fault(kind="malformed", done=True)


def empty() -> Fault:
    """Done, but the reply is an empty object."""
    return Fault(kind="empty", done=True)


def slow(seconds: float) -> Fault:
    """Served after a while."""
    return Fault(kind="slow", done=True, seconds=seconds)


def slow_after(seconds: float) -> Fault:
    """Done at once, the reply comes after a while."""
    return Fault(kind="slow_after", done=True, seconds=seconds)


def held(gate: asyncio.Event, *, after: bool = True) -> Fault:
    """The reply (``after``) or the request waits until ``gate`` is set."""
    return Fault(kind="slow_after" if after else "slow", done=True, gate=gate)


@dataclass(slots=True)
class Rule:
    """The faults of requests by path: ``left`` one by one, or always the same one."""

    method: str
    path: re.Pattern[str]
    left: list[Fault] = field(default_factory=list)
    always: Fault | None = None


class Faults:
    """The faults of a loopback Discord: the first rule that matches a request decides."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []

    def fail(self, method: str, path: str, *faults: Fault) -> None:
        """Use up one fault for each request whose path (without query) has the pattern."""
        self._rules.append(Rule(method, re.compile(path), list(faults)))

    def always(self, method: str, path: str, fault: Fault) -> None:
        """Fail every such request until ``clear``; ``method`` may be ``*``."""
        self._rules.append(Rule(method, re.compile(path), always=fault))

    def clear(self) -> None:
        """Serve every request from now on."""
        self._rules.clear()

    @property
    def left(self) -> int:
        """The number of faults that have not happened yet."""
        return sum(len(rule.left) for rule in self._rules)

    def next(self, method: str, path: str) -> Fault | None:
        """The fault of a request that has just come in."""
        for rule in self._rules:
            if rule.method in (method, "*") and rule.path.search(path):
                if rule.left:
                    return rule.left.pop(0)
                if rule.always is not None:
                    return rule.always
        return None


async def apply(fault: Fault, request: web.Request, handle: Handle) -> web.StreamResponse:
    """Serve a request, or fail it, as the fault says."""
    if fault.kind == "slow":
        await _wait(fault)
    response: web.StreamResponse = web.Response()
    if fault.done:
        response = await handle(request)
    if fault.kind == "slow_after":
        await _wait(fault)
    if fault.kind == "reset" and request.transport is not None:
        request.transport.abort()
    if fault.kind == "status":
        return _error(fault)
    if fault.kind == "rate_limited":
        return _rate_limit(fault)
    if fault.kind == "malformed":
        assert isinstance(response, web.Response)
        body = response.body
        assert isinstance(body, bytes)
        return web.Response(body=body[: len(body) // 2] or b"{", content_type="application/json")
    if fault.kind == "empty":
        return web.Response(body=b"{}", content_type="application/json")
    return response


async def _wait(fault: Fault) -> None:
    await (fault.gate.wait() if fault.gate else asyncio.sleep(fault.seconds))


def _error(fault: Fault) -> web.Response:
    if fault.body is None:
        return web.Response(status=fault.code, text="<html>bad</html>", content_type="text/html")
    body = json.dumps(fault.body).encode()
    return web.Response(status=fault.code, body=body, content_type="application/json")


def _rate_limit(fault: Fault) -> web.Response:
    body = {
        "message": "You are being rate limited.",
        "retry_after": fault.seconds,
        "global": fault.everywhere,
    }
    headers = {"Via": "1.1 google", "Retry-After": str(int(fault.seconds) + 1)}
    if not fault.everywhere:
        headers |= {
            "X-RateLimit-Limit": "5",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset-After": str(fault.seconds),
            "X-RateLimit-Bucket": "loopback",
        }
    return web.Response(
        status=429, body=json.dumps(body).encode(), headers=headers, content_type="application/json"
    )
