"""The loopback Discord itself: the world, and the changes that members make to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tests.kit.loopback import world
from tests.kit.loopback.faults import Faults
from tests.kit.loopback.forums import Forum
from tests.kit.loopback.gateway import MESSAGE_CONTENT, Gateway
from tests.kit.loopback.world import BURST, ME, NORMAL, Guild, Message, Payload, Press, snowflake
from tests.kit.waiting import until

__all__ = ["MESSAGE_CONTENT", "TOKEN", "Guild", "Loopback", "Press"]

TOKEN = "MTA0MjQyNDI0MjQyNDI0MjQyNA.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789ab"


class Loopback:
    """A Discord on this computer that accepts ``token``; ``url`` is where it is served."""

    def __init__(self, token: str = TOKEN, *, grants_message_content: bool = True, shards: int = 1):
        self.token = token
        self.shards = shards
        self.url = ""
        self.guilds: dict[int, Guild] = {}
        self.sent: dict[int, list[Message]] = {}
        self.by_id: dict[int, Message] = {}
        self.forums: dict[int, Forum] = {}
        self.presses: dict[str, Press] = {}
        self.users: dict[int, Payload] = {int(ME["id"]): ME}
        self.files: dict[int, bytes] = {}
        self.commands: list[Any] = []
        self.requests: list[tuple[str, str, str]] = []
        """Method, path and kind of fault ("" for none) of each request, in order."""
        self.faults = Faults()
        self.gateway = Gateway(token, self._opening, grants_message_content=grants_message_content)

    # What tests set up.

    def add_guild(self, name: str, channels: Sequence[str] = ("general",)) -> Guild:
        """A guild with the bot in it; a bot that is connected joins it."""
        guild = Guild(snowflake(), name)
        guild.members[int(ME["id"])] = ME
        for channel in channels:
            guild.channels[channel] = snowflake()
            self.sent[guild.channels[channel]] = []
        self.guilds[guild.id] = guild
        self.gateway.emit("GUILD_CREATE", guild.payload(), guild.id)
        return guild

    def add_member(self, guild: Guild, name: str, *, bot: bool = False) -> int:
        """A user who is in a guild from now on; returns their id."""
        user: Payload = {"id": str(snowflake()), "username": name, "discriminator": "0"}
        user |= {"avatar": None, "global_name": None, "bot": bot}
        guild.members[int(user["id"])] = self.users[int(user["id"])] = user
        return int(user["id"])

    # What people do.

    def say(self, channel: int, user: int, text: str) -> Message:
        """Write a message."""
        return self.add(self._message(channel, self.users[user], content=text))

    def react(
        self, message: Message, user: int, emoji: str, *, burst: bool = False, silent: bool = False
    ) -> None:
        """Add a reaction; nothing happens if it is there already."""
        who = message.reactions.setdefault(emoji, ([], []))[BURST if burst else NORMAL]
        if user in who:
            return
        who.append(user)
        self._reacted("MESSAGE_REACTION_ADD", message, user, emoji, burst, silent)

    def unreact(
        self, message: Message, user: int, emoji: str, *, burst: bool = False, silent: bool = False
    ) -> None:
        """Take a reaction away; nothing happens if there is none."""
        kinds = message.reactions.get(emoji, ([], []))
        if user not in kinds[BURST if burst else NORMAL]:
            return
        kinds[BURST if burst else NORMAL].remove(user)
        if not any(kinds):
            del message.reactions[emoji]
        self._reacted("MESSAGE_REACTION_REMOVE", message, user, emoji, burst, silent)

    def clear(self, message: Message, emoji: str | None = None, *, silent: bool = False) -> None:
        """Take all reactions away, or those of one emoji."""
        where = self._where(message)
        if emoji is None:
            message.reactions.clear()
            name, payload = "MESSAGE_REACTION_REMOVE_ALL", where
        else:
            message.reactions.pop(emoji, None)
            name = "MESSAGE_REACTION_REMOVE_EMOJI"
            payload = where | {"emoji": world.emoji_payload(emoji)}
        if not silent:
            self.gateway.emit(name, payload, message.guild_id)

    def delete(self, *messages: Message, silent: bool = False) -> None:
        """Delete messages of one channel; more than one in bulk."""
        first = messages[0]
        for message in messages:
            self.sent[message.channel_id].remove(message)
            self.by_id.pop(message.id)
        where = self._where(first)
        ids = where.pop("message_id")
        name, payload = "MESSAGE_DELETE", where | {"id": ids}
        if len(messages) > 1:
            name, payload = "MESSAGE_DELETE_BULK", where | {"ids": [str(m.id) for m in messages]}
        if not silent:
            self.gateway.emit(name, payload, first.guild_id)

    def press(
        self, message: Message, user: int, custom_id: str, values: Sequence[str] = ()
    ) -> Press:
        """Press a button, or choose ``values`` in a menu."""
        data: Payload = {"custom_id": custom_id, "component_type": 3 if values else 2}
        if values:
            data["values"] = list(values)
        press = Press(snowflake(), f"token{snowflake()}", message.channel_id, self.users[user])
        press.message = press.original = message
        return self._interact(press, 3, data, {"message": message.payload()})

    def command(self, channel: int, user: int, name: str, **options: Any) -> Press:
        """Use a slash command; a subcommand's options are a dictionary under its name."""
        data: Payload = {"id": str(snowflake()), "name": name, "type": 1}
        data |= {"options": world.options_payload(options)}
        if files := world.uploads(options):
            self.files |= {file.id: file.data for file in files}
            data["resolved"] = {"attachments": {str(f.id): f.payload(self.url) for f in files}}
        press = Press(snowflake(), f"token{snowflake()}", channel, self.users[user])
        return self._interact(press, 2, data, {})

    def emit(self, name: str, payload: Payload, guild_id: int | None = None) -> None:
        """Send any event through the gateway."""
        self.gateway.emit(name, payload, guild_id)

    @asynccontextmanager
    async def disconnected(self, *, resumable: bool = True) -> AsyncIterator[None]:
        """The gateway is down; afterwards the bot resumes, or has to identify anew."""
        before = self.gateway.identified + self.gateway.resumed
        self.gateway.open.clear()
        await self.gateway.drop(resumable=resumable)
        try:
            yield
        finally:
            self.gateway.open.set()
        await self.until(lambda: self.gateway.identified + self.gateway.resumed > before)

    # What tests look at.

    def messages(self, channel: int, *, mine: bool = True) -> list[Message]:
        """The messages in a channel that everybody sees; by default the bot's alone."""
        return [m for m in self.sent[channel] if not mine or m.author is ME]

    async def posted(self, channel: int, count: int = 1) -> Message:
        """Wait until the bot has posted so many messages in a channel; the last of them."""
        await self.until(lambda: len(self.messages(channel)) >= count)
        return self.messages(channel)[count - 1]

    async def until(self, true: Callable[[], object | Awaitable[object]]) -> None:
        """Wait for something to come true."""
        await until(true)

    # What the REST API does.

    def post(self, channel: int, body: Payload) -> Message:
        """The bot posts; the same nonce, if enforced, gives the message that is there."""
        nonce = body.get("nonce") if body.get("enforce_nonce") else None
        for message in self.sent[channel]:
            if nonce is not None and message.nonce == str(nonce):
                return message
        return self.add(self.made(channel, body))

    def made(self, channel: int, body: Payload) -> Message:
        """A message of the bot that nobody has seen yet."""
        reference = body.get("message_reference")
        message = self._message(channel, ME, reference=reference, flags=int(body.get("flags", 0)))
        message.nonce = str(body["nonce"]) if "nonce" in body else None
        message.update(body)
        return message

    def add(self, message: Message) -> Message:
        """Show a message to everybody, or to one person if it is ephemeral."""
        self.by_id[message.id] = message
        if not message.flags & world.EPHEMERAL:
            self.sent[message.channel_id].append(message)
            payload = message.payload() | self._of_guild(message)
            self.gateway.emit("MESSAGE_CREATE", payload, message.guild_id)
        return message

    def changed(self, message: Message) -> None:
        """Tell the gateway that a message was edited."""
        if not message.flags & world.EPHEMERAL:
            payload = message.payload() | self._of_guild(message)
            self.gateway.emit("MESSAGE_UPDATE", payload, message.guild_id)

    def guild_of(self, channel: int) -> Guild | None:
        """The guild that a channel is in."""
        return next((g for g in self.guilds.values() if channel in g.channels.values()), None)

    def _message(self, channel: int, author: Payload, **parts: Any) -> Message:
        guild = self.guild_of(channel)
        guild_id = guild.id if guild else None
        return Message(
            id=snowflake(), channel_id=channel, guild_id=guild_id, author=author, **parts
        )

    def set_emoji(self, guild_id: int, *emoji: str) -> None:
        """Let a guild have these custom emoji, ``name:id``, and no others."""
        listed = [{**world.emoji_payload(e), "available": True, "roles": []} for e in emoji]
        payload = {"guild_id": str(guild_id), "emojis": listed}
        self.gateway.emit("GUILD_EMOJIS_UPDATE", payload, guild_id)

    def _of_guild(self, message: Message) -> Payload:
        if message.guild_id is None:
            return {}
        member = {k: v for k, v in world.member_payload(message.author).items() if k != "user"}
        return {"guild_id": str(message.guild_id), "member": member}

    def _where(self, message: Message) -> Payload:
        where: Payload = {"channel_id": str(message.channel_id), "message_id": str(message.id)}
        return where | ({"guild_id": str(message.guild_id)} if message.guild_id else {})

    def _reacted(
        self, name: str, message: Message, user: int, emoji: str, burst: bool, silent: bool
    ) -> None:
        payload = self._where(message)
        payload |= {"user_id": str(user), "emoji": world.emoji_payload(emoji), "burst": burst}
        payload |= {"type": BURST if burst else NORMAL}
        if name.endswith("ADD") and message.guild_id:
            payload["member"] = world.member_payload(self.users[user])
            payload["message_author_id"] = message.author["id"]
        if not silent:
            self.gateway.emit(name, payload, message.guild_id)

    def _interact(self, press: Press, kind: int, data: Payload, more: Payload) -> Press:
        guild = self.guild_of(press.channel_id)
        assert guild is not None
        self.presses[press.token] = press
        name = next(name for name, i in guild.channels.items() if i == press.channel_id)
        permissions = guild.permissions
        payload: Payload = {
            "id": str(press.id),
            "application_id": world.ME["id"],
            "token": press.token,
            "type": kind,
            "version": 1,
            "data": data,
            "guild_id": str(guild.id),
            "channel_id": str(press.channel_id),
            "channel": world.channel_payload(press.channel_id, guild.id, name),
            "member": world.member_payload(press.user, permissions),
            "app_permissions": str(permissions),
            "attachment_size_limit": 1 << 23,
            "authorizing_integration_owners": {"0": str(guild.id)},
            "context": 0,
            "locale": "en-US",
            "guild_locale": "en-US",
            "entitlements": [],
        }
        self.gateway.emit("INTERACTION_CREATE", payload | more, guild.id)
        return press

    def _opening(self, shard: tuple[int, int], session: str) -> Iterator[tuple[str, Payload]]:
        mine = [g for g in self.guilds.values() if (g.id >> 22) % shard[1] == shard[0]]
        url = self.url.replace("http", "ws") + "/socket"
        for name, payload in world.opened(mine, session, url):
            yield name, payload | ({"shard": list(shard)} if name == "READY" else {})
