"""The commands of an application as Discord lists them: in its own form, with ids and versions."""

from __future__ import annotations

from typing import Any

from tests.kit.loopback.world import Payload, snowflake


def taken(sent: list[Payload], former: list[Payload]) -> list[Payload]:
    """Return the commands that an application has after sending these.

    Commands of the same name and type keep their ids, and their versions too if they are the
    same.
    """
    known = {(each["type"], each["name"]): each for each in former}
    return [_taken(each, known.get((each["type"], each["name"]))) for each in sent]


def _taken(sent: Payload, former: Payload | None) -> Payload:
    if former is not None and sent == {k: v for k, v in former.items() if k not in _OWN}:
        return former
    return sent | {"id": former["id"] if former else str(snowflake()), "version": str(snowflake())}


_OWN = ("id", "version")


def listed(commands: list[Payload], *, with_localizations: bool) -> list[Payload]:
    """Return the commands in the form of Discord's replies: not as they were sent, nor ordered so.

    Numbers that may be large are texts, what is false or empty may be missing, translations
    come only when asked for.
    """
    return [_listed(each, with_localizations) for each in reversed(commands)]


def _listed(command: Payload, with_localizations: bool) -> Payload:
    permissions = command["default_member_permissions"]
    contexts, installs = command["contexts"], command["integration_types"]
    return _texts(command, with_localizations) | {
        "id": command["id"],
        "application_id": "1042424242424242424",
        "version": command["version"],
        "default_member_permissions": None if permissions is None else str(permissions),
        "type": command["type"],
        "dm_permission": command["dm_permission"],
        "contexts": contexts and list(reversed(contexts)),
        "integration_types": installs or [0, 1],
        "nsfw": command["nsfw"],
        **_options(command, with_localizations),
    }


def _option(option: Payload, with_localizations: bool) -> Payload:
    kept = {k: v for k, v in option.items() if k in ("type", "channel_types") or "_" in k}
    kept = {k: v for k, v in kept.items() if not k.endswith("localizations")}
    kept |= {k: True for k in ("required", "autocomplete") if option.get(k)}
    if "channel_types" in kept:
        kept["channel_types"] = list(reversed(kept["channel_types"]))
    if choices := option.get("choices"):
        kept["choices"] = [{"value": c["value"]} | _name(c, with_localizations) for c in choices]
    return kept | _texts(option, with_localizations) | _options(option, with_localizations)


def _options(of: Payload, with_localizations: bool) -> Payload:
    options = of.get("options")
    return {"options": [_option(o, with_localizations) for o in options]} if options else {}


def _texts(of: Payload, with_localizations: bool) -> Payload:
    made: Payload = _name(of, with_localizations) | {"description": of.get("description", "")}
    if with_localizations:
        made["description_localizations"] = of.get("description_localizations") or None
    return made


def _name(of: Payload, with_localizations: bool) -> dict[str, Any]:
    made: Payload = {"name": of["name"]}
    if with_localizations:
        made["name_localizations"] = of.get("name_localizations") or None
    return made
