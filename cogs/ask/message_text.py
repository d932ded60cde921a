"""The text of a message: its words without the mention of the bot, forwards, and text files."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import discord

from bot.client import ThreadBot
from bot.models import Mode
from bot.retry import FAILURES, described, retried
from bot.ui import limits

FILE_BYTES = 64 * 1024
"""How large a text file may be that is read."""

FILE_SECONDS = 2.0
"""How long Discord may take to give one: a command must be answered within three seconds."""

TEXT_FILES = (".txt", ".log")
"""The endings of files that are read. Discord itself makes a ``message.txt`` of long texts."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """The content of a message that may be a question.

    ``begins_post`` says that it is the first of a forum post, ``in_post`` that it stands in
    one. The others are as in ``Question``.
    """

    mode: Mode
    text: str
    addressed: bool
    own_words: bool
    details: str = ""
    begins_post: bool = False
    in_post: bool = False


class MessageText:
    """Reads messages as the bot understands them."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot

    def mentions_me(self, message: discord.Message) -> bool:
        """Return whether a message mentions the bot, or the role that Discord made for it."""
        me, role = self.bot.user, message.guild.self_role if message.guild else None
        if me is not None and me.id in message.raw_mentions:
            return True
        return role is not None and role.id in message.raw_role_mentions

    def without_mention(self, said: str, guild: discord.Guild | None) -> str:
        """Return a text without the mentions of the bot and of its role."""
        me, role = self.bot.user, guild.self_role if guild else None
        names = ([rf"@!?{me.id}"] if me else []) + ([rf"@&{role.id}"] if role else [])
        return re.sub(rf"<(?:{'|'.join(names)})>", " ", said).strip() if names else said.strip()

    def words(self, message: discord.Message) -> str:
        """Return what a message says, or the message that it forwards."""
        said = [message.content, *(each.content for each in message.message_snapshots)]
        return self.without_mention("\n".join(filter(None, said)), message.guild)

    async def with_file(self, message: discord.Message) -> str:
        """Return what a message says, and after it the text file that it brings, if any."""
        said = self.words(message)
        attached = [*message.attachments]
        for snapshot in message.message_snapshots:
            attached += snapshot.attachments
        room = limits.STRING_OPTION - len(said)
        return f"{said}\n{(await _first_text(attached))[:room]}".strip() if room > 0 else said

    async def referenced(self, message: discord.Message) -> discord.Message | None:
        """Return the message that another replies to; ``None`` if it is gone, or is no reply."""
        reference = message.reference
        if reference is None or reference.type is not discord.MessageReferenceType.reply:
            return None
        original = reference.resolved
        if original is None and reference.message_id is not None:
            fetch = partial(message.channel.fetch_message, reference.message_id)
            try:
                original = await retried(fetch, "a message")
            except FAILURES:
                return None
        return original if isinstance(original, discord.Message) else None


async def _first_text(attached: Sequence[discord.Attachment]) -> str:
    """Return the text of the first file that is one; empty if there is none to be had."""
    for file in attached:
        if file.filename.casefold().endswith(TEXT_FILES) and file.size <= FILE_BYTES:
            try:
                async with asyncio.timeout(FILE_SECONDS):
                    data = await file.read()
            except (*FAILURES, TimeoutError) as error:
                log.info("attachment %d is not read: %s", file.id, described(error))
                return ""
            return _decoded(data[:FILE_BYTES])
    return ""


def _decoded(data: bytes) -> str:
    """Return the text of a file; empty if it is none."""
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = data.decode("utf-16" if utf16 else "utf-8-sig", errors="replace")
    return "" if "\0" in text else text
