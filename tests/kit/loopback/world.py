"""The contents of the loopback Discord: users, guilds, messages, reactions, interactions."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Payload = dict[str, Any]

NORMAL, BURST = 0, 1
"""The types of a reaction; a burst one is a super reaction."""

EPHEMERAL = 1 << 6
LOADING = 1 << 7
EVERYTHING = (1 << 53) - 1
"""All permissions."""

ME: Payload = {
    "id": "420000000000000042",
    "username": "threadwise",
    "discriminator": "0",
    "bot": True,
}
ME |= {"avatar": None, "global_name": None}
APPLICATION: Payload = {
    "id": ME["id"],
    "name": "threadwise",
    "icon": None,
    "description": "",
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "",
    "team": None,
    "owner": ME,
    "flags": 0,
}

_EPOCH = 1_420_070_400_000
_numbers = itertools.count()


def snowflake() -> int:
    """A new id, later than all before it."""
    return (int(time.time() * 1000) - _EPOCH + next(_numbers)) << 22


@dataclass(slots=True)
class Guild:
    """A guild; ``channels`` by name. ``permissions`` are those of everybody, the bot too."""

    id: int
    name: str
    channels: dict[str, int] = field(default_factory=dict)
    members: dict[int, Payload] = field(default_factory=dict)
    permissions: int = EVERYTHING
    forums: list[Payload] = field(default_factory=list)

    def payload(self) -> Payload:
        """As GUILD_CREATE has it."""
        role: Payload = {
            "id": str(self.id),
            "name": "@everyone",
            "permissions": str(self.permissions),
        }
        role |= {"position": 0, "color": 0, "hoist": False, "managed": False, "mentionable": False}
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": "1",
            "unavailable": False,
            "large": False,
            "member_count": len(self.members),
            "roles": [role],
            "members": [member_payload(user) for user in self.members.values()],
            "channels": [
                *(channel_payload(i, self.id, name) for name, i in self.channels.items()),
                *self.forums,
            ],
            **{name: [] for name in ("threads", "emojis", "stickers", "features", "presences")},
            **{name: [] for name in ("voice_states", "stage_instances", "guild_scheduled_events")},
            "verification_level": 0,
            "default_message_notifications": 0,
            "premium_tier": 0,
            "nsfw_level": 0,
            "mfa_level": 0,
            "preferred_locale": "en-US",
        }


@dataclass(slots=True, kw_only=True)
class Message:
    """A message; ``reactions`` has, by emoji, who gave a normal one and who a burst one."""

    id: int
    channel_id: int
    guild_id: int | None
    author: Payload
    content: str = ""
    embeds: list[Payload] = field(default_factory=list)
    components: list[Payload] = field(default_factory=list)
    flags: int = 0
    nonce: str | None = None
    reference: Payload | None = None
    metadata: Payload | None = None
    reactions: dict[str, tuple[list[int], list[int]]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All words of the message, those of its embeds included."""
        shown = [self.content]
        shown += [f"{e.get('title', '')} {e.get('description', '')}" for e in self.embeds]
        return "\n".join(shown)

    @property
    def footer(self) -> str:
        """The footer of the first embed; empty if there is none."""
        return str(self.embeds[0].get("footer", {}).get("text", "")) if self.embeds else ""

    def reacted(self, user_id: int = int(ME["id"])) -> list[str]:
        """The emoji with which a user, by default the bot, has reacted."""
        return [e for e, kinds in self.reactions.items() if any(user_id in who for who in kinds)]

    def payload(self) -> Payload:
        """As REST and the gateway have it."""
        found: Payload = {
            "id": str(self.id),
            "channel_id": str(self.channel_id),
            "author": self.author,
            "content": self.content,
            "embeds": self.embeds,
            "components": self.components,
            "flags": self.flags,
            "type": 19 if self.reference else 0,
            "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "attachments": [],
            "mentions": [],
            "mention_roles": [],
            "mention_everyone": False,
            "tts": False,
            "pinned": False,
            "reactions": [self._reaction(emoji) for emoji in self.reactions],
        }
        if self.reference:
            found["message_reference"] = self.reference
        if self.metadata:
            found["interaction_metadata"] = self.metadata
        if self.nonce is not None:
            found["nonce"] = self.nonce
        return found

    def update(self, changes: Payload) -> None:
        """Take over what an edit says."""
        for name in ("content", "embeds", "components"):
            if name in changes:
                setattr(self, name, changes[name] or ("" if name == "content" else []))

    def _reaction(self, emoji: str) -> Payload:
        normal, burst = self.reactions[emoji]
        return {
            "emoji": emoji_payload(emoji),
            "count": len(normal) + len(burst),
            "count_details": {"normal": len(normal), "burst": len(burst)},
            "me": int(ME["id"]) in normal,
            "me_burst": int(ME["id"]) in burst,
            "burst_colors": [],
        }


@dataclass(slots=True)
class Press:
    """An interaction: what the bot replied to it, in the order of its replies."""

    id: int
    token: str
    channel_id: int
    user: Payload
    message: Message | None = None
    callbacks: list[Payload] = field(default_factory=list)
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)

    @property
    def told(self) -> list[str]:
        """The texts that the person sees because of it."""
        seen = [self.original] if self.original and self.original is not self.message else []
        return [m.text.strip() for m in [*seen, *self.followups] if not m.flags & LOADING]


def emoji_payload(emoji: str) -> Payload:
    """An emoji of Unicode, or ``name:id`` of a server's own."""
    name, _, number = emoji.partition(":")
    return {"id": number or None, "name": name}


def member_payload(user: Payload, permissions: int | None = None) -> Payload:
    """A member who has no roles."""
    found: Payload = {"user": user, "roles": [], "joined_at": "2026-01-01T00:00:00+00:00"}
    found |= {"deaf": False, "mute": False, "flags": 0}
    return found if permissions is None else found | {"permissions": str(permissions)}


def channel_payload(channel_id: int, guild_id: int, name: str) -> Payload:
    """A text channel."""
    found: Payload = {"id": str(channel_id), "guild_id": str(guild_id), "name": name, "type": 0}
    return found | {"position": 0, "permission_overwrites": [], "nsfw": False, "topic": None}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is attached to a command."""

    name: str
    data: bytes
    id: int = field(default_factory=snowflake)

    def payload(self, url: str) -> Payload:
        """As commands have it, with the address of its bytes."""
        found: Payload = {"id": str(self.id), "filename": self.name, "size": len(self.data)}
        return found | {"url": f"{url}/files/{self.id}", "proxy_url": f"{url}/files/{self.id}"}


def uploads(options: dict[str, Any]) -> list[Upload]:
    """The files among options, those of subcommands included."""
    found = [value for value in options.values() if isinstance(value, Upload)]
    inner = [value for value in options.values() if isinstance(value, dict)]
    return found + [each for value in inner for each in uploads(value)]


def options_payload(options: dict[str, Any]) -> list[Payload]:
    """Options of a command: of text, numbers, files, or a subcommand's as a dictionary."""
    found = []
    for name, value in options.items():
        if isinstance(value, dict):
            found.append({"name": name, "type": 1, "options": options_payload(value)})
        elif isinstance(value, Upload):
            found.append({"name": name, "type": 11, "value": str(value.id)})
        else:
            kind = {bool: 5, int: 4}.get(type(value), 3)
            found.append({"name": name, "type": kind, "value": value})
    return found


def opened(guilds: list[Guild], session: str, url: str) -> Iterator[tuple[str, Payload]]:
    """READY and what follows it."""
    yield (
        "READY",
        {
            "v": 10,
            "user": ME,
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session,
            "resume_gateway_url": url,
            "application": {"id": ME["id"], "flags": 0},
        },
    )
    for guild in guilds:
        yield "GUILD_CREATE", guild.payload()
