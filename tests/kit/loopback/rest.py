"""The REST API of the loopback Discord, as far as the bot uses it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.kit.loopback import commands, forums, world
from tests.kit.loopback.discord import Loopback
from tests.kit.loopback.faults import apply
from tests.kit.loopback.world import ME, Message, Payload, Press

Middleware = Any
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """Answer a request that is not served, as Discord does."""

    def __init__(self, status: int, code: int, message: str):
        super().__init__(message)
        self.status, self.body = status, {"code": code, "message": message}


def application(loopback: Loopback, watch: Middleware | None = None) -> web.Application:
    """An application that serves a loopback Discord, its faults in front; ``watch`` sees all."""
    rest = Rest(loopback)

    @web.middleware
    async def in_front(request: web.Request, handler: Handler) -> web.StreamResponse:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refused as refused:
                return replied(refused.body, refused.status)

        if request.path.startswith("/socket"):
            return await handler(request)
        await request.read()
        fault = loopback.faults.next(request.method, request.path)
        kind = fault.kind if fault else ""
        loopback.requests.append((request.method, request.path, kind))
        return await (handle(request) if fault is None else apply(fault, request, handle))

    middlewares = [in_front] if watch is None else [watch, in_front]
    app = web.Application(middlewares=middlewares, client_max_size=1 << 26)
    app.add_routes(rest.routes())
    return app


def replied(value: Any, status: int = 200) -> web.Response:
    """A JSON reply; discord.py looks for exactly this content type, without a charset."""
    body = json.dumps(value).encode()
    return web.Response(body=body, status=status, content_type="application/json")


class Rest:
    """Serves the requests of one bot."""

    def __init__(self, loopback: Loopback):
        self.loopback = loopback

    def routes(self) -> list[web.RouteDef]:
        """Everything that is served."""
        message = "/channels/{channel}/messages/{message}"
        reactions = message + "/reactions/{emoji}"
        webhook = "/webhooks/{application}/{token}"
        return [
            web.get("/users/@me", self.me),
            web.get("/oauth2/applications/@me", self.about),
            web.get("/gateway/bot", self.gateway),
            web.put("/applications/{id}/commands", self.sync),
            web.get("/applications/{id}/commands", self.synced),
            web.get("/socket", self.loopback.gateway.connect),
            web.get("/socket/", self.loopback.gateway.connect),
            web.get("/files/{file}", self.file),
            web.post("/users/@me/channels", self.direct),
            *forums.routes(self.loopback, replied),
            web.get("/channels/{channel}", self.channel),
            web.get("/channels/{channel}/messages", self.history),
            web.post("/channels/{channel}/messages", self.post),
            web.get(message, self.get),
            web.patch(message, self.edit),
            web.delete(message, self.delete),
            web.delete(message + "/reactions", self.clear),
            web.get(reactions, self.reactions),
            web.put(reactions + "/@me", self.react),
            web.delete(reactions + "/{user}", self.unreact),
            web.post("/interactions/{id}/{token}/callback", self.callback),
            web.post(webhook, self.followup),
            web.get(webhook + "/messages/{message}", self.get_response),
            web.patch(webhook + "/messages/{message}", self.edit_response),
            web.delete(webhook + "/messages/{message}", self.delete_response),
        ]

    async def me(self, request: web.Request) -> web.Response:
        return self._authorized(request) or replied(ME)

    async def about(self, request: web.Request) -> web.Response:
        return self._authorized(request) or replied(world.APPLICATION)

    async def gateway(self, request: web.Request) -> web.Response:
        limits = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1}
        url = self.loopback.url.replace("http", "ws") + "/socket"
        shards = self.loopback.shards
        return replied({"url": url, "shards": shards, "session_start_limit": limits})

    async def sync(self, request: web.Request) -> web.Response:
        self.loopback.commands = commands.taken(await request.json(), self.loopback.commands)
        return replied(commands.listed(self.loopback.commands, with_localizations=False))

    async def synced(self, request: web.Request) -> web.Response:
        full = request.query.get("with_localizations") == "true"
        return replied(commands.listed(self.loopback.commands, with_localizations=full))

    async def file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.loopback.files[int(request.match_info["file"])])

    async def direct(self, request: web.Request) -> web.Response:
        user = self.loopback.users[int((await request.json())["recipient_id"])]
        channel = int(user["id"]) + 1
        self.loopback.sent.setdefault(channel, [])
        return replied({"id": str(channel), "type": 1, "recipients": [user]})

    async def channel(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        guild = self.loopback.guild_of(channel)
        if guild is None:
            return replied({"id": str(channel), "type": 1, "recipients": []})
        return replied(world.channel_payload(channel, guild.id, "channel"))

    async def history(self, request: web.Request) -> web.Response:
        found = self.loopback.sent[self._channel(request)]
        before = int(request.query.get("before", 1 << 63))
        after = int(request.query.get("after", 0))
        inside = [m for m in found if after < m.id < before]
        limit = int(request.query.get("limit", 50))
        some = inside[:limit] if "after" in request.query else inside[-limit:]
        return replied([m.payload() for m in some[::-1]])

    async def post(self, request: web.Request) -> web.Response:
        channel = self._channel(request)
        return replied(self.loopback.post(channel, await _body(request)).payload())

    async def get(self, request: web.Request) -> web.Response:
        return replied(self._message(request).payload())

    async def edit(self, request: web.Request) -> web.Response:
        message = self._message(request)
        message.update(await _body(request))
        self.loopback.changed(message)
        return replied(message.payload())

    async def delete(self, request: web.Request) -> web.Response:
        self.loopback.delete(self._message(request))
        return web.Response(status=204)

    async def clear(self, request: web.Request) -> web.Response:
        self.loopback.clear(self._message(request))
        return web.Response(status=204)

    async def reactions(self, request: web.Request) -> web.Response:
        message, query = self._message(request), request.query
        kinds = message.reactions.get(request.match_info["emoji"], ([], []))
        after, limit = int(query.get("after", 0)), int(query.get("limit", 25))
        who = sorted(user for user in kinds[int(query.get("type", 0))] if user > after)
        return replied([self.loopback.users[user] for user in who[: min(limit, 100)]])

    async def react(self, request: web.Request) -> web.Response:
        message = self._message(request)
        self.loopback.react(message, int(ME["id"]), request.match_info["emoji"])
        return web.Response(status=204)

    async def unreact(self, request: web.Request) -> web.Response:
        user = request.match_info["user"].replace("@me", str(ME["id"]))
        message = self._message(request)
        self.loopback.unreact(message, int(user), request.match_info["emoji"])
        return web.Response(status=204)

    async def callback(self, request: web.Request) -> web.Response:
        press = self._press(request)
        if press.callbacks:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        body = await _body(request)
        press.callbacks.append(body)
        kind, data = body["type"], body.get("data") or {}
        if kind in (4, 5):
            flags = int(data.get("flags", 0)) | (world.LOADING if kind == 5 else 0)
            press.original = self._respond(press, data | {"flags": flags})
        elif kind == 7 and press.message is not None:
            press.message.update(data)
            self.loopback.changed(press.message)
        if "with_response" not in request.query:
            return web.Response(status=204)
        return replied(_callback_reply(press, body))

    async def followup(self, request: web.Request) -> web.Response:
        press = self._press(request)
        original = press.original
        if original is not None and original.flags & world.LOADING:
            return self._edited(original, await _body(request))
        message = self._respond(press, await _body(request))
        press.followups.append(message)
        return replied(message.payload())

    async def get_response(self, request: web.Request) -> web.Response:
        return replied(self._response(request).payload())

    async def edit_response(self, request: web.Request) -> web.Response:
        return self._edited(self._response(request), await _body(request))

    async def delete_response(self, request: web.Request) -> web.Response:
        message = self._response(request)
        if message.flags & world.EPHEMERAL:
            self.loopback.by_id.pop(message.id)
        else:
            self.loopback.delete(message)
        return web.Response(status=204)

    def _edited(self, message: Message, body: Payload) -> web.Response:
        message.update(body)
        message.flags &= ~world.LOADING
        self.loopback.changed(message)
        return replied(message.payload())

    def _respond(self, press: Press, body: Payload) -> Message:
        message = self.loopback.made(press.channel_id, body)
        message.metadata = {"id": str(press.id), "type": 2, "user": press.user}
        message.metadata |= {"authorizing_integration_owners": {}}
        return self.loopback.add(message)

    def _authorized(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bot {self.loopback.token}":
            return None
        return replied({"message": "401: Unauthorized", "code": 0}, status=401)

    def _channel(self, request: web.Request) -> int:
        channel = int(request.match_info["channel"])
        if channel not in self.loopback.sent:
            raise Refused(404, 10003, "Unknown Channel")
        return channel

    def _message(self, request: web.Request) -> Message:
        self._channel(request)
        return self._known(int(request.match_info["message"]))

    def _press(self, request: web.Request) -> Press:
        press = self.loopback.presses.get(request.match_info["token"])
        if press is None:
            raise Refused(404, 10062, "Unknown interaction")
        return press

    def _response(self, request: web.Request) -> Message:
        press, which = self._press(request), request.match_info["message"]
        if which != "@original":
            return self._known(int(which))
        if press.original is None or press.original.id not in self.loopback.by_id:
            raise Refused(404, 10008, "Unknown Message")
        return press.original

    def _known(self, message_id: int) -> Message:
        message = self.loopback.by_id.get(message_id)
        if message is None:
            raise Refused(404, 10008, "Unknown Message")
        return message


def _callback_reply(press: Press, body: Payload) -> Payload:
    interaction: Payload = {"id": str(press.id), "type": 3 if press.message else 2}
    reply: Payload = {"interaction": interaction}
    if body["type"] in (4, 5, 7) and press.original is not None:
        interaction["response_message_id"] = str(press.original.id)
        interaction["response_message_loading"] = body["type"] == 5
        interaction["response_message_ephemeral"] = bool(press.original.flags & world.EPHEMERAL)
        reply["resource"] = {"type": body["type"], "message": press.original.payload()}
    return reply


async def _body(request: web.Request) -> Payload:
    """Return the body of a request without the files that come with it."""
    if request.content_type == "application/json":
        body: Payload = await request.json()
        return body
    part = re.search(rb'name="payload_json".*?\r\n\r\n(.*?)\r\n--', await request.read(), re.S)
    found: Payload = json.loads(part[1]) if part else {}
    return found
