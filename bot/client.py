"""The Discord client: it loads the cogs, runs their tasks, reports errors, and closes in order."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence, Sized
from functools import partial
from typing import Any, TypeVar

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import App
from bot.command_sync import sync_commands
from bot.error_replies import report_error
from bot.errors import counted
from bot.incidents import log_incident
from bot.languages import Languages, Translator
from bot.observing import UNOBSERVED
from bot.replies import Throttle
from bot.request_trace import request_trace
from bot.retry import FAILURES, described, new_nonce, retried
from bot.ui import (
    answer_buttons,
    backfill_cards,
    confirmations,
    curation_items,
    following_cards,
    helpers_page,
    items,
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
    "cogs.source_messages",
)

PRESSABLE = (
    items,
    answer_buttons,
    backfill_cards,
    confirmations,
    curation_items,
    helpers_page,
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
    reads only messages that mention it or reply to it, and direct ones. Of ``shard_count``
    shards it has those of ``shard_ids``, by default all of as many as Discord recommends.
    """

    def __init__(
        self,
        app: App,
        *,
        message_content: bool = True,
        shard_count: int | None = None,
        shard_ids: Sequence[int] | None = None,
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
            # None is the default, though the types have none.
            shard_ids=[*shard_ids] if shard_ids else None,  # type: ignore[arg-type]
            max_messages=None,  # everything here works on raw events
        )
        if app.observer is not UNOBSERVED:
            self.http.http_trace = request_trace(app.observer)
        self.app = app
        self.throttle = Throttle(app.question_limits)
        self.languages = Languages(app.guilds)
        self.redraw_cards: Callable[[Sequence[int]], None] = _redraw_none
        """Has the cards that messages show drawn anew; the voting cog sets it."""
        self.look_at_post: Callable[[int, int], None] = _look_at_none
        """Has a post of a followed channel looked at, by guild and id; the following cog sets it.
        """
        self.queues: dict[str, Sized] = {}
        """What waits in the cogs, by a name for it."""
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
        if 0 in (self.shard_ids or (0,)):  # of several processes, one sends them
            await sync_commands(self, self.tree, self.app.guilds)

    async def on_ready(self) -> None:
        """Log the name of the bot; READY may come more than once."""
        log.info("connected as %s to %s", self.user, counted(len(self.guilds), "servers"))
        if not self.intents.message_content:
            log.warning(
                "without the message content intent I answer mentions, replies, direct "
                "messages and commands only"
            )

    async def on_shard_ready(self, shard_id: int) -> None:
        """Tell of a new session."""
        self.app.observer.shard_event(shard_id, "ready")

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Tell of a session that goes on."""
        self.app.observer.shard_event(shard_id, "resumed")

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Tell of a connection that has ended."""
        self.app.observer.shard_event(shard_id, "disconnected")

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """Log an unforeseen error of a listener with its incident."""
        if (error := sys.exception()) is not None:
            log_incident(log, error, event_method)

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

    def queue_lengths(self) -> dict[str, int]:
        """Return how much waits in the cogs, by the name of each queue."""
        return {name: len(queue) for name, queue in self.queues.items()}

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


def _look_at_none(guild_id: int, post_id: int) -> None:
    """Look at nothing: what is used until the following cog is loaded."""


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
