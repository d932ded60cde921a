"""A new public message in the place of one of ours, or beside a private one."""

from __future__ import annotations

import discord

from bot.client import Interaction
from bot.models import SHARED
from bot.ui.cards import Card
from cogs.channel_context import ChannelContext, interaction_context, missing_send_permission


async def post_anew(
    message: discord.Message, interaction: Interaction, card: Card
) -> discord.Message:
    """Post a card where a message of ours is or was, as a reply to the same question."""
    context = interaction_context(interaction)
    if not _may_post(interaction, context):
        # The one post that has no nonce: it is not repeated, or it might come twice.
        return await interaction.followup.send(**card.send_kwargs(), wait=True)
    parts = card.send_kwargs()
    question = _question_of(message, context)
    if question is not None:
        parts |= {"reference": question, "mention_author": False}
    where = f"channel {context.channel_id}"
    return await interaction.client.post(message.channel, where, **parts)


def _may_post(interaction: Interaction, context: ChannelContext) -> bool:
    """Return whether the bot may post in the channel of an interaction, not only reply to it."""
    if interaction.guild_id is None:
        return interaction.context.dm_channel
    channel = interaction.channel
    if context.scope == SHARED or channel is None:
        return False
    return missing_send_permission(channel, context.may) is None


def _question_of(
    message: discord.Message, context: ChannelContext
) -> discord.MessageReference | None:
    """Return the question that a message of ours replies to, if another may reply to it.

    What answers a command refers to other messages of ours at most.
    """
    known = message.reference
    if known is None or message.interaction_metadata is not None:
        return None
    may = context.may
    if not may.read_message_history or missing_send_permission(message.channel, may):
        return None
    return discord.MessageReference(
        message_id=known.message_id or 0,
        channel_id=known.channel_id,
        guild_id=known.guild_id,
        fail_if_not_exists=False,
    )
