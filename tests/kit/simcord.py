"""Additions to SimCord; beside ``virtual_time`` the only module that uses its private names."""

from __future__ import annotations

import copy
import functools
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import simcord
from simcord.backend import serializers
from simcord.backend.models import AllowedMentions, MessageSticker, Overwrite, Poll, PollAnswer
from simcord.builders import ChannelHandle, GuildHandle
from simcord.enums import OverwriteType
from simcord.preview._markdown import markdown_tokens


def fast_settle(seconds: float = 0.0005, patience: float = 30.0) -> None:
    """Look often whether the bot has settled: a quiet message takes 2 ms instead of 51.

    Patience is for machines that have other work to do as well. Once in a process is enough.
    """
    if hasattr(simcord.Env._settle_internal, "__wrapped__"):
        return
    defaults: Any = simcord.Env._settle_internal.__kwdefaults__
    defaults["idle"] = seconds
    begun: Any = simcord.Env.__init__
    begun.__kwdefaults__["settle_timeout"] = patience
    settle = simcord.Env._settle_internal

    @functools.wraps(settle)
    async def settle_patiently(env: simcord.Env, **options: Any) -> None:
        if (timeout := options.get("timeout")) is not None:  # five seconds at a start
            options["timeout"] = max(timeout, patience)
        await settle(env, **options)

    env_type: Any = simcord.Env
    env_type._settle_internal = settle_patiently


def join_now(env: simcord.Env, guild: GuildHandle, name: str) -> simcord.MemberActor:
    """Let a new member join a guild at this moment; the others joined when SimCord's time began."""
    member = guild.add_member(env.create_user(name))
    env.backend.guilds[guild.id].members[member.id].joined_at = datetime.now(UTC).isoformat()
    return member


@contextmanager
def muted(env: simcord.Env) -> Iterator[None]:
    """Change the world while the process is down: no event reaches the bot."""
    backend = env.backend
    saved, backend.subscribers[:] = list(backend.subscribers), []
    try:
        yield
    finally:
        backend.subscribers[:] = saved


@asynccontextmanager
async def offline(env: simcord.Env, shard_id: int = 0) -> AsyncIterator[None]:
    """Drop the gateway, then come back with a new session (READY, not RESUMED)."""
    bot: Any = env.bot
    shard = bot.shards[shard_id]
    await shard.disconnect()
    try:
        yield
    finally:
        with env._bot_scope():
            await shard.reconnect()
        await env.settle()


def new_guild(
    env: simcord.Env, name: str, channels: Sequence[str], joined_at: datetime | None = None
) -> GuildHandle:
    """Make a guild that has invited the bot, which nobody has told it yet."""
    with muted(env):
        guild = env.create_guild(name)
        for channel in channels:
            guild.create_text_channel(channel)
    if joined_at is not None:
        me = env.backend.guilds[guild.id].members[env.backend.bot_user.id]
        me.joined_at = joined_at.isoformat()
    return guild


async def join_guild(
    env: simcord.Env,
    name: str = "new",
    channels: Sequence[str] = ("general",),
    prepare: Callable[[GuildHandle], None] = lambda guild: None,
    joined_at: datetime | None = None,
) -> GuildHandle:
    """Invite the bot into another guild while it runs; at the beginning of SimCord's time."""
    guild = new_guild(env, name, channels, joined_at)
    prepare(guild)
    payload = dict(serializers.guild_create_payload(env.backend, env.backend.guilds[guild.id]))
    payload.pop("unavailable")
    env.backend.emit("GUILD_CREATE", payload)
    await env.settle()
    return guild


async def leave_guild(env: simcord.Env, guild_id: int, *, outage: bool = False) -> None:
    """Remove the bot from a guild; with ``outage``, Discord only can't serve it for a while."""
    payload = {"id": str(guild_id)} | ({"unavailable": True} if outage else {})
    env.backend.emit("GUILD_DELETE", payload)
    await env.settle()


async def new_session(
    env: simcord.Env, listed: Sequence[int], outages: Sequence[int] = (), shard_id: int = 0
) -> None:
    """Drop the gateway; READY then lists these guilds, as Discord's own does.

    Those in ``outages`` stay unavailable; of the others a GUILD_CREATE follows.
    """
    bot: Any = env.bot
    backend, shard = env.backend, bot.shards[shard_id]
    await shard.disconnect()
    await env.settle()
    with env._bot_scope():
        shard._parent.ws.open = True
        parsers = bot._connection.parsers
        ready = {
            "v": 10,
            "user": dict(serializers.user_payload(backend.bot_user)),
            "guilds": [{"id": str(i), "unavailable": True} for i in (*listed, *outages)],
            "session_id": "another",
            "resume_gateway_url": "wss://simcord.invalid",
            "shard": [shard_id, bot.shard_count],
            "application": {"id": str(backend.application_id), "flags": 0},
        }
        parsers["READY"](ready)
        for i in listed:
            payload = serializers.guild_create_payload(backend, backend.guilds[i])
            parsers["GUILD_CREATE"](copy.deepcopy(dict(payload)))
    await env.settle()


async def user_thread(
    env: simcord.Env, actor: Any, channel: ChannelHandle, name: str, message: Any = None
) -> ChannelHandle:
    """Open a Discord thread as a member."""
    message_id = message.id if message else None
    thread = env.backend.create_thread(channel.id, name, actor.id, message_id=message_id)
    await env.settle()
    return ChannelHandle(env, channel.guild, thread)


async def forum_post(
    env: simcord.Env,
    actor: Any,
    forum: ChannelHandle,
    title: str,
    said: str = "",
    *,
    announced: bool = True,
    **parts: Any,
) -> ChannelHandle:
    """Open a post in a forum as a member: the first message has the id of the post itself.

    Without ``announced`` the message comes before the bot knows of the post.
    """
    backend = env.backend
    thread = backend.create_thread(forum.id, title, actor.id, broadcast=False)
    if announced:
        backend.announce_thread_create(thread)
    message = backend.prepare_message(thread.id, actor.id, said, **parts)
    message.id = thread.id
    backend.commit_message(message)
    await env.settle()
    return ChannelHandle(env, forum.guild, thread)


async def news_thread(
    env: simcord.Env, actor: Any, channel: ChannelHandle, name: str
) -> ChannelHandle:
    """Open a Discord thread in an announcement channel; SimCord has no type for them."""
    thread = env.backend.create_thread(channel.id, name, actor.id, broadcast=False)
    payload = dict(serializers.channel_payload(env.backend, thread)) | {"newly_created": True}
    env.backend.emit("THREAD_CREATE", payload | {"type": discord.ChannelType.news_thread.value})
    await env.settle()
    return ChannelHandle(env, channel.guild, thread)


async def delete_channel(env: simcord.Env, channel: ChannelHandle) -> None:
    """Delete a channel with all that is in it."""
    env.backend.delete_channel(channel.id)
    await env.settle()


async def overwrite(
    env: simcord.Env, channel: ChannelHandle, role: Any, change: discord.PermissionOverwrite
) -> None:
    """Change the permissions of a role in a channel."""
    allow, deny = change.pair()
    env.backend.set_overwrite(
        channel.id, Overwrite(role.id, OverwriteType.ROLE, allow.value, deny.value)
    )
    await env.settle()


def set_overwrite(
    env: simcord.Env, channel: ChannelHandle, role_id: int, change: discord.PermissionOverwrite
) -> None:
    """Change the permissions of a role in a channel before the bot knows of it."""
    allow, deny = change.pair()
    with muted(env):
        env.backend.set_overwrite(
            channel.id, Overwrite(role_id, OverwriteType.ROLE, allow.value, deny.value)
        )


async def clear_reactions(env: simcord.Env, message: Any, emoji: str | None = None) -> None:
    """Remove all reactions of a message, or those of one emoji, as a moderator does."""
    channel_id = message.channel.id
    if emoji is None:
        env.backend.clear_reactions(channel_id, message.id)
    else:
        env.backend.clear_reaction(channel_id, message.id, emoji)
    await env.settle()


def shown(markdown: str) -> str:
    """Return the text that the demo's page shows of a card outside of code, a line for each run."""

    def texts(tokens: Sequence[Any]) -> Iterator[str]:
        for token in tokens:
            if token["type"] == "text":
                yield token["content"]
            yield from texts(token.get("children") or ())

    return "\n".join(texts(markdown_tokens(markdown, "embed_description")))


def set_locale(env: simcord.Env, actor: simcord.MemberActor, locale: str) -> None:
    """Have a member's Discord be in a language; SimCord's is always in English."""
    backend: Any = env.backend
    emit = backend.emit

    def emitted(event: str, payload: Any) -> None:
        if event == "INTERACTION_CREATE":
            user = payload.get("user") or payload["member"]["user"]
            if user["id"] == str(actor.id):
                payload = {**payload, "locale": locale}
        emit(event, payload)

    backend.emit = emitted


def set_server_locale(env: simcord.Env, guild_id: int, locale: str) -> None:
    """Have a server be in a language."""
    env.backend.guilds[guild_id].preferred_locale = locale
    cached: Any = env.bot.get_guild(guild_id)
    cached.preferred_locale = discord.Locale(locale)


def allowed_mentions(env: simcord.Env) -> Any:
    """Return whom the last message that was posted may notify."""
    posts = [r for r in env.http_requests if r.method == "POST" and r.path.endswith("/messages")]
    body: Any = posts[-1].json
    return body["allowed_mentions"]


async def managed_role(env: simcord.Env, guild: GuildHandle) -> str:
    """Mark the bot's own role as Discord does, and return the text that mentions it."""
    role = next(each for each in env.backend.guilds[guild.id].roles.values() if each.managed)
    payload = dict(serializers.role_payload(role))
    payload["tags"] = {"bot_id": str(env.backend.bot_user.id)}
    env.backend.emit("GUILD_ROLE_UPDATE", {"guild_id": str(guild.id), "role": payload})
    await env.settle()
    return f"<@&{role.id}>"


async def reply_without_ping(env: simcord.Env, actor: Any, message: Any, said: str) -> None:
    """Reply to a message with the ping switched off: its author is not among the mentions."""
    backend, channel_id = env.backend, message.channel.id
    reference = {"message_id": str(message.id), "channel_id": str(channel_id)}
    quiet = AllowedMentions(replied_user=False)
    backend.create_message(channel_id, actor.id, said, reference=reference, allowed_mentions=quiet)
    await env.settle()


def say_meanwhile(env: simcord.Env, actor: Any, channel: ChannelHandle, said: str) -> None:
    """Write a message as a member while the bot is at work on another."""
    env.backend.commit_message(env.backend.prepare_message(channel.id, actor.id, said))


async def edit_later(env: simcord.Env, message: Any, said: str, after: timedelta | None) -> None:
    """Edit a message some time after it was written; with ``None`` as when links get previews."""
    backend = env.backend
    stored = backend.get_message(message.channel.id, message.id)
    stored.content = said
    payload = dict(serializers.message_payload(backend, stored))
    written = datetime.fromisoformat(stored.timestamp)
    payload["guild_id"] = str(message.guild.id)
    payload["edited_timestamp"] = None if after is None else (written + after).isoformat()
    backend.emit("MESSAGE_UPDATE", payload)
    await env.settle()


def sticker(guild: GuildHandle, name: str) -> MessageSticker:
    """Return a sticker of a guild as it is sent in a message."""
    made = guild.create_sticker(name)
    return MessageSticker(made.id, made.name, made.format_type, guild.id)


def poll(question: str, *options: str) -> Poll:
    """Return a poll that is open."""
    answers = [PollAnswer(number, option) for number, option in enumerate(options, 1)]
    return Poll(question, answers, expiry="2099-01-01T00:00:00+00:00")
