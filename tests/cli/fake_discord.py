"""Discord's login, gateway and little else, over real sockets on this computer."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

MESSAGE_CONTENT = 1 << 15
"""The bit of the privileged intent."""

ME = {"id": "42", "username": "threadwise", "discriminator": "0", "avatar": None, "bot": True}
APPLICATION = {
    "id": "42",
    "name": "threadwise",
    "icon": None,
    "description": "",
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "",
    "team": None,
    "owner": ME,
    "flags": 0,
}


class FakeDiscord:
    """Accepts ``token``; closes the gateway on privileged intents if told to."""

    def __init__(self, token: str, *, grants_message_content: bool = True):
        self.token = token
        self.grants_message_content = grants_message_content
        self.url = ""
        self.intents: list[int] = []
        self.commands: list[Any] = []
        self.ready = asyncio.Event()

    async def connected(self, process: Process) -> None:
        """Wait until the program is ready, or is no more."""
        waits = [asyncio.ensure_future(self.ready.wait()), asyncio.ensure_future(process.wait())]
        await asyncio.wait(waits, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if self.ready.is_set():
            await asyncio.sleep(0.2)  # READY is on its way to the program

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/users/@me", self._json(ME)),
            web.get("/oauth2/applications/@me", self._json(APPLICATION)),
            web.get("/gateway/bot", self._gateway),
            web.put("/applications/{id}/commands", self._sync),
            web.get("/socket", self._socket),
            web.get("/socket/", self._socket),
        ]

    def _json(self, value: Any) -> Any:
        async def answer(request: web.Request) -> web.Response:
            if request.headers.get("Authorization") != f"Bot {self.token}":
                return _json_response({"message": "401: Unauthorized", "code": 0}, status=401)
            return _json_response(value)

        return answer

    async def _gateway(self, request: web.Request) -> web.Response:
        limits = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1}
        url = self.url.replace("http", "ws") + "/socket"
        return _json_response({"url": url, "shards": 1, "session_start_limit": limits})

    async def _sync(self, request: web.Request) -> web.Response:
        self.commands = await request.json()
        return _json_response([])

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 45_000}})
        async for message in socket:
            if message.type is not WSMsgType.TEXT and message.type is not WSMsgType.BINARY:
                break
            said = json.loads(message.data)
            if said["op"] == 1:
                await socket.send_json({"op": 11})
            if said["op"] == 2:
                self.intents.append(said["d"]["intents"])
                if self.intents[-1] & MESSAGE_CONTENT and not self.grants_message_content:
                    await socket.close(code=4014, message=b"Disallowed intent(s).")
                    break
                await socket.send_json({"op": 0, "t": "READY", "s": 1, "d": self._ready_payload()})
                self.ready.set()
        return socket

    def _ready_payload(self) -> dict[str, Any]:
        return {
            "v": 10,
            "user": ME,
            "guilds": [],
            "session_id": "s",
            "resume_gateway_url": self.url.replace("http", "ws"),
            "application": {"id": "42", "flags": 0},
            "shard": [0, 1],
        }


def _json_response(value: Any, status: int = 200) -> web.Response:
    # discord.py looks for exactly this content type, without a charset.
    body = json.dumps(value).encode()
    return web.Response(body=body, status=status, content_type="application/json")


@asynccontextmanager
async def serving(discord: FakeDiscord) -> AsyncIterator[FakeDiscord]:
    """Serve on a free port of this computer; ``discord.url`` says where."""
    application = web.Application()
    application.add_routes(discord.routes())
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    discord.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield discord
    finally:
        await runner.cleanup()
