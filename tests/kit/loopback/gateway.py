"""The gateway of the loopback Discord: sessions that identify, resume and are replayed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

MESSAGE_CONTENT = 1 << 15
"""The bit of the privileged intent."""

Payload = dict[str, Any]


@dataclass(slots=True)
class Session:
    """One shard's session: everything sent in it, and the connection it has just now."""

    id: str
    shard: tuple[int, int]
    sent: list[Payload] = field(default_factory=list)
    queue: asyncio.Queue[Payload] | None = None

    def send(self, name: str, payload: Any) -> None:
        """Number an event, keep it for RESUME, and send it if there is a connection."""
        event = {"op": 0, "t": name, "s": len(self.sent) + 1, "d": payload}
        self.sent.append(event)
        if self.queue is not None:
            self.queue.put_nowait(event)


class Gateway:
    """Accepts ``token``; closes on privileged intents unless they are granted.

    ``opening(shard)`` yields the events that READY and its guilds are made of.
    """

    def __init__(
        self,
        token: str,
        opening: Callable[[tuple[int, int], str], Iterator[tuple[str, Payload]]],
        *,
        grants_message_content: bool = True,
    ):
        self.token = token
        self.grants_message_content = grants_message_content
        self.intents: list[int] = []
        self.identified = self.resumed = 0
        self.open = asyncio.Event()
        self.open.set()
        self._opening = opening
        self._sessions: dict[str, Session] = {}
        self._sockets: set[web.WebSocketResponse] = set()

    def emit(self, name: str, payload: Payload, shard_of: int | None = None) -> None:
        """Send an event to the shard of a guild; of no guild, to the first shard."""
        for session in self._sessions.values():
            shard, count = session.shard
            if shard == ((shard_of or 0) >> 22) % count:
                session.send(name, payload)

    async def drop(self, *, resumable: bool) -> None:
        """Close all connections; sessions that aren't resumable are forgotten."""
        if not resumable:
            self._sessions.clear()
        for session in self._sessions.values():
            session.queue = None
        for socket in list(self._sockets):
            await socket.close(code=4000)

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection until it ends."""
        await self.open.wait()
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.add(socket)
        sender: asyncio.Task[None] | None = None
        session: Session | None = None
        try:
            await socket.send_json({"op": 10, "d": {"heartbeat_interval": 45_000}})
            async for message in socket:
                if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    break
                said = json.loads(message.data)
                if said["op"] == 1:
                    await socket.send_json({"op": 11})
                elif said["op"] in (2, 6):
                    begin = self._identify if said["op"] == 2 else self._resume
                    session = await begin(socket, said["d"])
                    if session is not None and session.queue is not None:
                        sender = asyncio.create_task(_send(socket, session.queue))
        finally:
            self._sockets.discard(socket)
            if session is not None and sender is not None:
                sender.cancel()
        return socket

    async def _identify(self, socket: web.WebSocketResponse, said: Payload) -> Session | None:
        self.intents.append(said["intents"])
        if said["intents"] & MESSAGE_CONTENT and not self.grants_message_content:
            await socket.close(code=4014, message=b"Disallowed intent(s).")
            return None
        self.identified += 1
        shard = tuple(said.get("shard") or (0, 1))
        session = Session(f"session-{self.identified}", (int(shard[0]), int(shard[1])))
        session.queue = asyncio.Queue()
        for other in [s for s in self._sessions.values() if s.shard == session.shard]:
            del self._sessions[other.id]  # one of them would be sent everything twice
        self._sessions[session.id] = session
        for name, payload in self._opening(session.shard, session.id):
            session.send(name, payload)
        return session

    async def _resume(self, socket: web.WebSocketResponse, said: Payload) -> Session | None:
        session = self._sessions.get(said["session_id"])
        if session is None:
            await socket.send_json({"op": 9, "d": False})
            return None
        self.resumed += 1
        session.queue = asyncio.Queue()
        for event in session.sent[said["seq"] :]:
            session.queue.put_nowait(event)
        session.send("RESUMED", {})
        return session


async def _send(socket: web.WebSocketResponse, queue: asyncio.Queue[Payload]) -> None:
    with suppress(ConnectionError):
        while True:
            await socket.send_json(await queue.get())
