"""The commands at Discord: sent where Discord's list of them is not the one that is ours."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import discord
from discord import app_commands
from discord.http import Route

from bot.errors import counted
from bot.retry import FAILURES, described, once, retried
from bot.services.guilds import Guilds

Payload = dict[str, Any]

log = logging.getLogger(__name__)


async def sync_commands(client: discord.Client, tree: Any, guilds: Guilds) -> None:
    """Send the command tree to Discord if it changed, or if Discord's list is another one.

    That list is looked at once at most, where the tree is the one that was sent last: another
    program with the same token may have changed it. What can't be done is logged.
    """
    ours = await payload_of(tree)
    sent, _, versions = (await guilds.tree_hash() or "").partition(" ")
    now = _hash([client.application_id, [normalised(command) for command in ours]])
    if now == sent:
        theirs = await _look(client)
        if theirs is None or is_same(ours, theirs) or versions == (versions_of(theirs) or None):
            return
        log.info("Discord's list of my commands is not the one that I sent last")
    send = partial(client.http.bulk_upsert_global_commands, _id(client), payload=ours)
    try:
        listed: Any = await retried(send, "the commands")
    except FAILURES as error:
        said = described(error)
        log.warning("Discord did not take the commands (%s); next start tries again", said)
        return
    await guilds.set_tree_hash(f"{now} {versions_of(listed)}".strip())
    log.info("sent %s to Discord", counted(len(ours), "commands"))


async def payload_of(tree: app_commands.CommandTree[Any]) -> list[Payload]:
    """Return what is sent of each command, with all translations, as ``tree.sync`` makes it."""
    commands = sorted(tree.get_commands(), key=lambda c: (_type(c), c.name))
    if (translator := tree.translator) is None:
        return [command.to_dict(tree) for command in commands]
    return [await command.get_translated_payload(tree, translator) for command in commands]


def is_same(ours: Sequence[Payload], theirs: Iterable[Payload]) -> bool:
    """Return whether Discord's list has exactly our commands, in whatever order and form.

    Where ours don't say in which contexts or for which installs they are, Discord fills in
    what is set for the application in its portal, and that is left out.
    """
    listed = {_key(each): each for each in theirs if each.get("type") != _ENTRY_POINT}
    if len(ours) != len(listed) or {_key(each) for each in ours} != listed.keys():
        return False
    for command in ours:
        unsaid = [name for name in _LEFT_TO_DISCORD if not command.get(name)]
        other = {k: v for k, v in listed[_key(command)].items() if k not in unsaid}
        if normalised(command) != normalised(other):
            return False
    return True


def normalised(command: Payload) -> Payload:
    """Return what a command, an option or a choice says, without defaults and Discord's ids."""
    kept = {name: command[name] for name in _SAID if not _is_default(command.get(name))}
    kept |= {name: sorted(kept[name]) for name in _SETS if name in kept}
    kept |= {name: [normalised(each) for each in kept[name]] for name in _LISTS if name in kept}
    if "default_member_permissions" in kept:
        kept["default_member_permissions"] = str(kept["default_member_permissions"])
    if "contexts" not in kept and command.get("dm_permission") is False:
        kept["contexts"] = [app_commands.AppCommandContext.GUILD]
    return kept


def versions_of(listed: Iterable[Payload]) -> str:
    """Return a hash of the commands' ids and versions as Discord has them; "" if it has none.

    A version is another one after each change. So where the versions are those of what was
    sent last, Discord only writes it in a way that ``normalised`` doesn't know, and sending it
    again would change nothing.
    """
    pairs = sorted((str(each.get("id")), str(each.get("version") or "")) for each in listed)
    return _hash(pairs) if pairs and all(version for _, version in pairs) else ""


async def _look(client: discord.Client) -> list[Payload] | None:
    """Return Discord's list of our commands with all translations; ``None`` if not to be had.

    discord.py's own request for it leaves the translations out.
    """
    route = Route("GET", "/applications/{application_id}/commands", application_id=_id(client))
    request = partial(client.http.request, route, params={"with_localizations": "true"})
    try:
        found: list[Payload] = await once(request)
    except FAILURES as error:
        log.warning("Discord's list of my commands can't be read: %s", described(error))
        return None
    return found


def _id(client: discord.Client) -> int:
    if client.application_id is None:
        raise RuntimeError("commands are sent after the login")
    return client.application_id


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _type(command: Any) -> int:
    return command.type.value if isinstance(command, app_commands.ContextMenu) else 1


def _key(command: Payload) -> tuple[int, str]:
    return command.get("type") or 1, command["name"]


def _is_default(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


_ENTRY_POINT = 4
"""The type of the command that opens an application's activity; Discord makes it itself."""

_LEFT_TO_DISCORD = ("contexts", "integration_types")

_LISTS = ("options", "choices")
_SETS = ("contexts", "integration_types", "channel_types")
_SAID = (
    *("name", "name_localizations", "description", "description_localizations", "type", "value"),
    *("default_member_permissions", "nsfw", "required", "autocomplete"),
    *("min_value", "max_value", "min_length", "max_length"),
    *_LISTS,
    *_SETS,
)
"""What is compared; all else are ids, versions, and forms of the same that are out of use."""
