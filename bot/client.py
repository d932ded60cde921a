"""The Discord client: it loads the cogs, runs their tasks, reports errors, and closes in order."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.app import App
from bot.command_sync import sync_commands
from bot.errors import SearchError, StoreError, ThreadwiseError, counted
from bot.i18n import gettext as _
from bot.languages import Languages, Translator
from bot.replies import Throttle, tell
from bot.retry import FAILURES, described, new_nonce, retried
from bot.ui import (
    answer_buttons,
    backfill_cards,
    confirmations,
    curation_items,
    following_cards,
    items,
    limits,
    moderator_cards,
    quiet_card,
    review_cards,
    setup_page,
)

COGS = (
    "cogs.ask.cog",
    "cogs.thread",
    "cogs.help",
    "cogs.voting.cog",
    "cogs.settings",
    "cogs.setup",
    "cogs.phrasings",
    "cogs.library.cog",
    "cogs.curating.cog",
    "cogs.following.cog",
    "cogs.membership",
)

PRESSABLE = (
    items,
    answer_buttons,
    backfill_cards,
    confirmations,
    curation_items,
    following_cards,
    moderator_cards,
    quiet_card,
    review_cards,
    setup_page,
)
"""The modules with buttons and menus that live on over restarts."""

LEAVE_SECONDS = 2.0
"""How long what is being handled may take to end when the bot is closed."""

POSTED = 100
"""How many of our latest messages are known by their nonce."""

HANDLERS = ("discord.py: ", "CommandTree-invoker", "discord-ui-")
"""How the tasks are called in which discord.py runs listeners, commands and presses."""

log = logging.getLogger(__name__)

P = TypeVar("P", bound=items.Pressable)
Handler = Callable[[Any, discord.Interaction[Any]], Awaitable[None]]


class ThreadBot(commands.AutoShardedBot):
    """Threadwise on Discord, on an opened ``App``; whoever opened that closes it.

    ``message_content`` asks Discord for the privileged intent. Without it the bot
    reads only messages that mention it or reply to it, and direct ones.
    """

    def __init__(
        self,
        app: App,
        *,
        message_content: bool = True,
        shard_count: int | None = None,
    ):
        intents = discord.Intents.default()
        intents.typing = False
        intents.message_content = message_content
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            tree_cls=Tree,
            shard_count=shard_count,
            max_messages=None,  # everything here works on raw events
        )
        self.app = app
        self.throttle = Throttle(app.question_limits)
        self.languages = Languages(app.guilds)
        self.redraw_cards: Callable[[Sequence[int]], None] = _redraw_none
        """Has the cards that messages show drawn anew; the voting cog sets it."""
        self._presses: dict[type[items.Pressable], Handler] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._missing: set[tuple[int, str]] = set()
        self._posted: OrderedDict[str, discord.Message] = OrderedDict()

    async def setup_hook(self) -> None:
        """Load the cogs, revive old buttons, and tell Discord of changed commands."""
        await self.tree.set_translator(Translator())
        for name in COGS:
            await self.load_extension(name)
        for module in PRESSABLE:
            self.add_dynamic_items(*module.ALL)
        await sync_commands(self, self.tree, self.app.guilds)

    async def on_ready(self) -> None:
        """Log the name of the bot; READY may come more than once."""
        log.info("connected as %s to %s", self.user, counted(len(self.guilds), "servers"))
        if not self.intents.message_content:
            log.warning(
                "without the message content intent I answer mentions, replies, direct "
                "messages and commands only"
            )

    async def on_message(self, message: discord.Message, /) -> None:
        """Note the bot's own messages by their nonces; others are handled by the cogs."""
        if message.author == self.user and message.nonce is not None:
            self._posted[str(message.nonce)] = message
            while len(self._posted) > POSTED:
                self._posted.popitem(last=False)

    async def post(
        self, channel: discord.abc.Messageable, what: str, nonce: int | None = None, **parts: Any
    ) -> discord.Message:
        """Send a message that comes once, though Discord's reply may be lost.

        ``what`` names it in the log. Of posts with one ``nonce`` that follow each other within
        some minutes Discord posts the first, and returns it for the others. Raises one of
        ``bot.retry.FAILURES``.
        """
        nonce = new_nonce() if nonce is None else nonce
        try:
            return await retried(partial(channel.send, nonce=nonce, **parts), what)
        except FAILURES as error:
            if (posted := self._posted.get(str(nonce))) is None:
                raise
            log.info("message %d was posted (%s)", posted.id, described(error))
            return posted

    async def close(self) -> None:
        """Finish the bot's own work, then leave Discord; nothing of it runs afterwards."""
        await self._end_handlers(LEAVE_SECONDS)
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await super().close()
        await self._end_handlers(0.0)  # of what came until then

    async def _end_handlers(self, grace: float) -> None:
        """Let commands and listeners that run end; cancel those that take longer than ``grace``.

        They would go on without Discord and without a database, and complain of both.
        """
        mine = asyncio.current_task()
        working = [
            task
            for task in asyncio.all_tasks()
            if task is not mine and task.get_name().startswith(HANDLERS)
        ]
        if working:
            _, late = await asyncio.wait(working, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do work in the background; a failure is logged, closing cancels it."""
        task = asyncio.create_task(work, name=name)
        self._background.add(task)
        task.add_done_callback(self._done)

    def on_press(self, kind: type[P], handler: Callable[[P, Any], Awaitable[None]]) -> None:
        """Have ``handler`` called with each press of a button or menu of this kind."""
        self._presses[kind] = handler

    async def pressed(self, item: items.Pressable, interaction: discord.Interaction[Any]) -> None:
        """Handle a press; report and log what goes wrong."""
        self.languages.speak_to(interaction)
        try:
            if await self.throttle.admits_press(item, interaction):
                await self._presses[type(item)](item, interaction)
        except Exception as error:
            await report_error(interaction, error, type(item).__name__)

    def warn_missing_permission(self, channel_id: int, permission: str) -> None:
        """Log, once for each channel, that the bot may not do something there."""
        if (channel_id, permission) not in self._missing:
            self._missing.add((channel_id, permission))
            log.warning("channel %d: the permission %s is missing", channel_id, permission)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the task %s failed", task.get_name(), exc_info=error)


def _redraw_none(message_ids: Sequence[int]) -> None:
    """Draw nothing: what is used until the voting cog is loaded."""


Interaction = discord.Interaction[ThreadBot]


class Tree(app_commands.CommandTree[ThreadBot]):
    """The command tree: it applies the limits, and reports errors."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Admit a command within the limits."""
        interaction.client.languages.speak_to(interaction)
        try:
            return await interaction.client.throttle.admits_command(interaction)
        except FAILURES as error:
            log.warning("a refusal could not be told: %s", error)
            return False

    async def on_error(
        self, interaction: Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """Tell the person privately what they can do about it; log the rest."""
        name = interaction.command.qualified_name if interaction.command else "?"
        await report_error(interaction, error, name)


async def report_error(interaction: discord.Interaction[Any], error: Exception, where: str) -> None:
    """Answer an interaction that failed, with words a person understands."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    if isinstance(error, discord.NotFound) and error.code in limits.TOO_LATE:
        log.warning("%s: Discord had given up waiting for the reply", where)
        return
    if isinstance(error, _FROM_DISCORD):
        log.warning("%s: %s", where, described(error))
    said = _for_people(error)
    if said is None:
        incident = secrets.token_hex(3)
        log.error("incident %s in %s", incident, where, exc_info=error)
        said = _(
            "Sorry, something went wrong on my side. Please try again in a moment; if it keeps "
            "happening, tell whoever hosts me about incident `{incident}`."
        ).format(incident=incident)
    try:
        await tell(interaction, said)
    except FAILURES as failed:
        log.warning("%s: the error could not be told: %s", where, described(failed))


def _for_people(error: Exception) -> str | None:
    """Return what the person is told of an error; ``None`` if it is for the host."""
    if isinstance(error, ThreadwiseError) and not isinstance(error, StoreError | SearchError):
        return _(str(error))  # in case it was made in another task
    if isinstance(error, app_commands.MissingPermissions):
        return _("You need the *Manage Server* permission for this.")
    if isinstance(error, app_commands.NoPrivateMessage):
        return _("This works only in a server.")
    if isinstance(error, app_commands.CommandNotFound | app_commands.CommandSignatureMismatch):
        return _("This command has changed. Please reload Discord (Ctrl+R) and try again.")
    if isinstance(error, discord.Forbidden):
        return _("I'm not allowed to do that here. A moderator can give me the permission.")
    if isinstance(error, _FROM_DISCORD):
        return _("Discord did not take my reply just now. Please try again in a moment.")
    return None


_FROM_DISCORD = (discord.HTTPException, aiohttp.ClientError, ConnectionError, TimeoutError)
"""What requests to Discord raise; other errors of the system are for the host."""
