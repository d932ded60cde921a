"""In which language something is said: a server's in public, each member's own in private.

A listener or command runs in a task of its own, whose language is set at its beginning. What
it then says in another's hearing is put in a block ``with speaking(…)``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from functools import lru_cache
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Place

from bot.errors import StoreError
from bot.guild_settings import AS_DISCORD
from bot.i18n import ENGLISH, gettext, language_of, load, speak, speaking
from bot.services.guilds import Guilds

USERS = 1_000
"""Users whose language is remembered, for direct messages: those who pressed something last."""

log = logging.getLogger(__name__)


class Languages:
    """Tells the languages of servers and of members."""

    def __init__(self, guilds: Guilds):
        self._guilds = guilds
        self._users: OrderedDict[int, str] = OrderedDict()

    def speak_to(self, interaction: discord.Interaction[Any]) -> None:
        """Have the current task speak the language of whoever presses or commands something."""
        language = language_of(str(interaction.locale))
        self._users[interaction.user.id] = language
        self._users.move_to_end(interaction.user.id)
        while len(self._users) > USERS:
            self._users.popitem(last=False)
        speak(language)

    def forget(self, user_id: int) -> None:
        """Forget which language a user's Discord is in."""
        self._users.pop(user_id, None)

    async def speak_under(self, message: discord.Message) -> None:
        """Have the current task speak as a reply to a message does: as the server, or the user.

        Discord tells a user's language with commands and presses, not with messages.
        """
        if message.guild is None:
            speak(self._users.get(message.author.id, ENGLISH))
        else:
            speak(await self.of_guild(message.guild))

    async def of_guild(self, guild: discord.Guild | None) -> str:
        """Return what is spoken in public on a server; English where there is none.

        That is what its moderators chose, or the locale that it has in Discord.
        """
        if guild is None:
            return ENGLISH
        try:
            chosen = (await self._guilds.settings(guild.id)).server_language
        except StoreError as error:
            log.warning("guild %d: its language can't be read: %s", guild.id, error)
            chosen = AS_DISCORD
        return language_of(str(guild.preferred_locale) if chosen == AS_DISCORD else chosen)

    async def of_reply(self, interaction: discord.Interaction[Any], *, private: bool) -> str:
        """Return the language of a reply: the member's if they alone see it, else the server's."""
        if private or interaction.guild_id is None:
            return language_of(str(interaction.locale))
        guild = interaction.client.get_guild(interaction.guild_id)
        if guild is None:  # installed by the user only
            return language_of(str(interaction.guild_locale or interaction.locale))
        return await self.of_guild(guild)

    async def of_pressed(self, interaction: discord.Interaction[Any]) -> str:
        """Return the language of what takes the place of the message that was pressed under."""
        message = interaction.message
        private = message is not None and message.flags.ephemeral
        return await self.of_reply(interaction, private=private)


class Translator(app_commands.Translator):
    """Gives Discord the descriptions of commands and options, and choices, in other languages.

    The names of commands and options stay as they are: threads and pages name them that people
    of all languages read. The name of a menu is its only text, so that has translations too.
    """

    async def load(self) -> None:
        """Read the catalogues; discord.py calls this at the start."""
        await asyncio.to_thread(load)

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """Return a text in a language, or ``None`` if the text is all the same there."""
        menu = isinstance(context.data, app_commands.ContextMenu)
        if context.location in _NAMES and not menu:
            return None
        said = _translated(string.message, locale.value)
        return None if said == string.message else said


@lru_cache(16_384)  # of some 130 texts in 31 locales, at each start and each new session
def _translated(message: str, locale: str) -> str:
    with speaking(language_of(locale)):
        return gettext(message)


_NAMES = frozenset({Place.command_name, Place.group_name, Place.parameter_name})
