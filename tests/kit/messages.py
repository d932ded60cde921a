"""Reading the bot's messages in SimCord: the last one, its buttons, its menus."""

from __future__ import annotations

from typing import Any

from simcord import ChannelHandle


def last(channel: ChannelHandle) -> Any:
    message = channel.last_message
    assert message is not None
    return message


def size(channel: ChannelHandle) -> int:
    return len(channel.history())


def items(message: Any) -> list[dict[str, Any]]:
    """The buttons and menus of a message, as Discord has them."""
    rows = [c if isinstance(c, dict) else c.to_dict() for c in message.components]
    return [item for row in rows for item in row["components"]]


def labels(message: Any) -> list[str | None]:
    return [item.get("label") for item in items(message)]


def vote_id(message: Any, way: str) -> str:
    """The custom id of the page's button to vote ``up`` or ``down``."""
    ids = [str(item["custom_id"]) for item in items(message)]
    return next(custom_id for custom_id in ids if custom_id.startswith(f"tw:{way}:"))


def is_disabled(message: Any, label: str) -> bool:
    item = next(i for i in items(message) if i.get("label") == label)
    return bool(item.get("disabled", False))


def offered(message: Any) -> dict[str, str]:
    """Return the options of a message's menu: label -> value."""
    menu = next(i for i in items(message) if i.get("options"))
    return {option["label"]: option["value"] for option in menu["options"]}


def shown(result: Any) -> Any:
    """Return the first response to an interaction."""
    assert result.response is not None
    return result.response


def told(result: Any) -> Any:
    """Return the last message to an interaction's member."""
    return result.followups[-1] if result.followups else result.response


async def confirm(member: Any, channel: Any, command: str, label: str) -> Any:
    """Give a command, confirm it, and return the private message that is left."""
    asked = await member.slash(channel, command)
    await member.click(shown(asked), label=label)
    return shown(asked)
