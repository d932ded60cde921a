"""The simulated time, which passes with the real one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from simcord import ChannelHandle, Env, Preview

TICK = 1.0
"""Seconds between two looks at what has changed."""

log = logging.getLogger(__name__)


class Clock:
    """Lets the simulated time pass, and shows what it brought.

    Buttons and menus run out as they do on Discord. The page is published again
    only when the channel has changed: each publication makes the page refuse what
    a person was just sending.
    """

    def __init__(self, env: Env, preview: Preview, channel: ChannelHandle):
        self._env = env
        self._preview = preview
        self._channel_id = channel.id
        self._turn = asyncio.Lock()
        self._shown = self._look()
        self._act = preview._action
        preview._action = self._action  # type: ignore[method-assign]

    async def run(self) -> None:
        """Advance the clock, for ever."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(TICK)
            async with self._turn:
                now = loop.time()
                try:
                    await self._env.advance_time(now - last)
                    if self._look() != self._shown:
                        await self._preview.refresh()
                        self._shown = self._look()
                except TimeoutError:
                    log.warning("the simulated bot is busy; its clock waits")
                last = now

    async def _action(self, context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        """What a person does in the page; never at the same time as the clock's own."""
        async with self._turn:
            result = await self._act(context_id, body)
            self._shown = self._look()
            return result

    def _look(self) -> list[tuple[Any, ...]]:
        """What can be seen of the channel, so that two looks can be compared."""
        messages = self._env.backend.messages.get(self._channel_id, {}).values()
        return [
            (m.id, m.edited_timestamp, m.content, [(r.emoji, len(r.user_ids)) for r in m.reactions])
            for m in messages
        ]
