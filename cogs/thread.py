"""/thread and the private pager: a question and its answers, page by page."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from functools import partial

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import Interaction, ThreadBot
from bot.i18n import N_, speaking
from bot.i18n import gettext as _
from bot.models import Match, StoredThread
from bot.replies import acknowledge, edit_response
from bot.services.queues import Busy
from bot.ui import card_content, cards, items, limits, text
from bot.ui.cards import Card
from bot.ui.emoji import for_buttons
from cogs.channel_context import (
    Choices,
    accepts_here,
    acknowledge_page,
    choice,
    interaction_context,
    scope_of,
)
from cogs.source_messages import looked_through

THREAD_GONE = N_("That thread is not in the library any more.")

log = logging.getLogger(__name__)

_BY_ID = re.compile(r"#(\d{1,18})")


class ThreadCog(commands.Cog, name="Thread"):
    """Shows whole threads to the person who wants to read them."""

    def __init__(self, bot: ThreadBot):
        self.bot = bot
        self.answering = bot.app.answering

    async def cog_load(self) -> None:
        """Register the buttons that open the pager or turn its pages."""
        self.bot.on_press(items.ReadRest, self.read_rest)
        self.bot.on_press(items.OtherAnswers, self.other_answers)
        self.bot.on_press(items.TurnPage, self.turn)

    @app_commands.command(name="thread", description=N_("Read a question and all of its answers"))
    @app_commands.describe(
        query=N_("Words of the question, or its key"), share=N_("Show it to everybody here")
    )
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.allowed_installs(guilds=True, users=True)
    async def thread(
        self,
        interaction: Interaction,
        query: app_commands.Range[str, 1, limits.STRING_OPTION],
        share: bool = False,
    ) -> None:
        """Show a thread from its question on, or from its best answer if it is a title alone."""
        if self.answering.is_busy:
            raise Busy
        await acknowledge(interaction, ephemeral=not share, thinking=True)
        with speaking(await self.bot.languages.of_reply(interaction, private=not share)):
            await self._show(interaction, query, private=not share)

    @thread.autocomplete("query")
    async def titles(self, interaction: Interaction, current: str) -> Choices:
        """Complete titles that fit what is being typed; none if they can't be had."""
        try:
            matches = await self.answering.complete(
                current, guild_id=scope_of(interaction), limit=limits.CHOICES
            )
        except Busy:
            return []
        except Exception as error:
            log.warning("autocomplete failed: %s", error)
            log.debug("it failed here:", exc_info=True)
            return []
        return choices(matches)

    async def read_rest(self, item: items.ReadRest, interaction: Interaction) -> None:
        """Open the pager at the answer that a card had to cut."""
        await acknowledge(interaction, ephemeral=True, thinking=True)
        await open_page(interaction, item.place.thread_id, lambda thread: item.place)

    async def other_answers(self, item: items.OtherAnswers, interaction: Interaction) -> None:
        """Open the pager at the first answer that the card does not show."""
        await acknowledge(interaction, ephemeral=True, thinking=True)
        shown = item.place.answer_id

        def next_answer(thread: StoredThread) -> items.Place:
            present = thread.answer(shown)
            other = next((a.id for a in thread.answers if a is not present), None)
            return items.Place(thread.id, other or shown)

        await open_page(interaction, item.place.thread_id, next_answer)

    async def turn(self, item: items.TurnPage, interaction: Interaction) -> None:
        """Turn the page: in place if it is private, else in a private copy."""
        await acknowledge_page(interaction)
        await open_page(interaction, item.place.thread_id, lambda thread: item.place)

    async def _show(self, interaction: Interaction, query: str, *, private: bool) -> None:
        scope = scope_of(interaction)
        thread = await self._find(query, scope)
        if thread is None:
            closest = await self.answering.complete(query, guild_id=scope, limit=5)
            await edit_response(interaction, **_not_found(closest).send_kwargs())
            return
        await show_page(interaction, thread, _beginning(thread), private=private)

    async def _find(self, query: str, scope: int) -> StoredThread | None:
        by_id = _BY_ID.fullmatch(query.strip())
        if by_id and (thread := await self.answering.serve(int(by_id[1]), guild_id=scope)):
            return thread
        return await self.answering.find(query, guild_id=scope)


async def open_page(
    interaction: Interaction, thread_id: int, place: Callable[[StoredThread], items.Place]
) -> None:
    """Show a place of a thread, if it is there, in the response that was deferred."""
    answering = interaction.client.app.answering
    thread = await answering.serve(thread_id, guild_id=scope_of(interaction))
    if thread is None:
        await edit_response(interaction, **Card(content=_(THREAD_GONE)).edit_kwargs())
    else:
        await show_page(interaction, thread, place(thread))


async def show_page(
    interaction: Interaction,
    thread: StoredThread,
    place: items.Place,
    *,
    note: str = "",
    private: bool = True,
) -> None:
    """Show a place of a thread in the response that was deferred.

    On a private page the vote buttons show what its reader has voted.
    """
    scope = scope_of(interaction)
    shown = partial(card_content.answer_at, place=place)
    there = await looked_through(interaction.client, thread, scope, shown)
    if there is None:
        await edit_response(interaction, **Card(content=_(THREAD_GONE)).edit_kwargs())
        return
    emoji = for_buttons(await interaction.client.app.guilds.settings(scope))
    page = await _page(interaction, there, place, note=note, private=private)
    try:
        await edit_response(interaction, **page(emoji=emoji).edit_kwargs())
    except discord.HTTPException as error:
        if emoji is None or error.status != 400:
            raise
        # One emoji that Discord doesn't know (any more) has the whole page refused.
        log.warning("guild %d: no buttons with %s and %s: %s", scope, *emoji, error)
        await edit_response(interaction, **page().edit_kwargs())


async def _page(
    interaction: Interaction,
    thread: StoredThread,
    place: items.Place,
    *,
    note: str,
    private: bool,
) -> Callable[..., Card]:
    """Return what makes the card of a place of a thread, with the emoji that it is given."""
    context, app = interaction_context(interaction), interaction.client.app
    related = []
    if place.answer_id == items.QUESTION and thread.related:
        related = await app.answering.related(thread, guild_id=context.scope, limit=limits.RELATED)
    await card_content.prepare_pages(thread, place, embeds=context.embeds)
    voted, answer = None, card_content.answer_at(thread, place)
    if private and answer is not None:
        voted = await app.voting.given(answer.id, context.scope, interaction.user.id)
    return partial(
        cards.page_card,
        thread,
        place,
        embeds=context.embeds,
        note=note,
        voted=voted,
        accepts=private and await accepts_here(interaction, thread.id),
        related=related,
    )


def _beginning(thread: StoredThread) -> items.Place:
    """Return the question's page, or the best answer's where the question is its title alone."""
    begins_with_answer = text.is_blank(thread.body) and thread.answers
    first = thread.answers[0].id if begins_with_answer else items.QUESTION
    return items.Place(thread.id, first, with_question=True)


def choices(matches: list[Match]) -> Choices:
    """Return autocomplete choices within Discord's limits; a long key gives way to the id."""
    made = []
    for match in matches[: limits.CHOICES]:
        fits = 0 < text.width(match.key) <= limits.CHOICE_TEXT
        value = match.key if fits and not _BY_ID.fullmatch(match.key) else f"#{match.thread_id}"
        made.append(choice(match.title, value))
    return made


def _not_found(closest: list[Match]) -> Card:
    if not closest:
        said = _("I don't know that thread. Ask it with `/ask`, in your own words.")
        return Card(content=said)
    titles = "\n".join(f"- {text.title(match.title, limits.EMBED_TITLE)}" for match in closest)
    said = _("I don't know that thread. These are the closest:")
    return Card(content=f"{said}\n{titles}")


async def setup(bot: ThreadBot) -> None:
    """Load the cog."""
    await bot.add_cog(ThreadCog(bot))
