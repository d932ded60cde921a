"""Mentions that are typed: the page has no list of names to pick one from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from simcord import Env, Preview

from bot.ui import limits, text


def understand_mentions(env: Env, preview: Preview) -> None:
    """Have the bot's name after an @ mention it, as if it had been picked from a list."""
    bot = env.backend.bot_user
    name = re.compile(rf"(?<![\w<@])@{re.escape(bot.name)}(?!\w)", re.IGNORECASE)
    act = preview._action

    async def action(context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        content = body.get("content")
        if isinstance(content, str):
            spelt = name.sub(f"<@{bot.id}>", content)
            if text.width(spelt) <= limits.MESSAGE:  # an id is longer than a name
                body = {**body, "content": spelt}
        return await act(context_id, body)

    preview._action = action  # type: ignore[method-assign]
