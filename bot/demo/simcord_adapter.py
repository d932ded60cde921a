"""Everything that the demo needs of SimCord beyond its public interface.

SimCord is made for tests: time passes when a test says so, ids are made up, and a person picks
mentions from a list. Here, and only here, private names of SimCord are used; its version is
pinned for that reason.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from simcord import ChannelHandle, Env, Preview
from simcord.backend.cdn import CDN_BASE
from simcord.backend.models import User
from simcord.builders import UserHandle

from bot.ui import limits, text

TICK = 1.0
"""Seconds between two looks at what has changed."""

Action = Callable[[str | None, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Handles what a person does in the page; gets the page's context and the request's body."""

log = logging.getLogger(__name__)


def set_time(env: Env) -> None:
    """Set the simulated time, which begins in the past, to the real one."""
    env.backend.clock._epoch = datetime.now(UTC)


def create_user(env: Env, user_id: int, name: str, shown: str) -> tuple[UserHandle, User]:
    """Create a user of a given id: SimCord would make another one each time."""
    handle = env.create_user(name, global_name=shown)
    user = env.backend.users.pop(handle.id)
    user.id = env.backend.reserve_id(user_id)
    env.backend.users[user.id] = user
    return handle, user


def create_bot(env: Env, name: str) -> User:
    """Name the user of the bot under test."""
    return env.backend.edit_bot_profile(name)


def set_avatar(user: User, png: bytes) -> dict[str, tuple[str, bytes]]:
    """Give a user a portrait; returns it as an asset of the page, by its URL."""
    user.avatar = user.name.lower()
    url = f"{CDN_BASE}/avatars/{user.id}/{user.avatar}.png"
    return {url: (f"{user.avatar}.png", png)}


def post(env: Env, channel: ChannelHandle, author: User, content: str) -> None:
    """Post a message without waking the bot."""
    env.backend.create_message(channel.id, author.id, content)


def understand_mentions(env: Env, preview: Preview) -> None:
    """Have the bot's name after an @ mention it; the page has no list of names to pick one from."""
    bot = env.backend.bot_user
    name = re.compile(rf"(?<![\w<@])@{re.escape(bot.name)}(?!\w)", re.IGNORECASE)
    act = preview._action

    async def action(context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        content = body.get("content")
        if isinstance(content, str):
            mentioning = name.sub(f"<@{bot.id}>", content)
            if text.width(mentioning) <= limits.MESSAGE:  # an id is longer than a name
                body = {**body, "content": mentioning}
        return await act(context_id, body)

    _replace_action(preview, action)


def _replace_action(preview: Preview, action: Action) -> None:
    preview._action = action  # type: ignore[method-assign,assignment]


class Clock:
    """Lets the simulated time pass with the real one, and shows what it brought.

    Buttons and menus expire as they do on Discord. The page is published again
    only when the channel has changed: each publication makes the page refuse what
    a person was just sending.
    """

    def __init__(self, env: Env, preview: Preview, channel: ChannelHandle):
        self._env = env
        self._preview = preview
        self._channel_id = channel.id
        self._lock = asyncio.Lock()
        self._published = self._snapshot()
        self._act = preview._action
        _replace_action(preview, self._action)

    async def run(self) -> None:
        """Advance the clock, for ever."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(TICK)
            async with self._lock:
                now = loop.time()
                try:
                    await self._env.advance_time(now - last)
                    if self._snapshot() != self._published:
                        await self._preview.refresh()
                        self._published = self._snapshot()
                except TimeoutError:
                    log.warning("the simulated bot is busy; its clock waits")
                last = now

    async def _action(self, context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a person does in the page; never while the clock advances."""
        async with self._lock:
            result = await self._act(context_id, body)
            self._published = self._snapshot()
            return result

    def _snapshot(self) -> list[tuple[Any, ...]]:
        """Return what can be seen of the channel, in a form that can be compared."""
        messages = self._env.backend.messages.get(self._channel_id, {}).values()
        return [
            (m.id, m.edited_timestamp, m.content, [(r.emoji, len(r.user_ids)) for r in m.reactions])
            for m in messages
        ]
