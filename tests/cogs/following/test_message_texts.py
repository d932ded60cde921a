"""What a message says is the same however it is kept: saved by a helper, or marked in its post."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import discord
import pytest

from tests.cogs.following.conftest import Help
from tests.kit.messages import last
from tests.kit.simcord import poll, sticker

EMBED = discord.Embed(title="Clay", description="Water less.").add_field(name="pH", value="7")


def files(help_: Help, post: Any) -> dict[str, Any]:
    return {"attachments": help_.world.env.backend.store_attachments(post.id, [("a.png", b"x")])}


PARTS: dict[str, tuple[Callable[[Help, Any], dict[str, Any]], str]] = {
    "mention": (lambda h, _: {"content": f"Ask {h.world.mo.mention}."}, "Ask @mo."),
    "attachment": (files, "📎 [a.png]({link})"),
    "sticker": (lambda h, _: {"stickers": [sticker(h.world.guild, "rake")]}, "📎 [rake]({link})"),
    "poll": (
        lambda h, _: {"poll": poll("Which one?", "Clay", "Sand")},
        "**Which one?**\n- Clay\n- Sand",
    ),
}


async def kept(help_: Help, post: Any) -> tuple[str, str]:
    """Return what *Save as answer* has in its form of a post's last message, and what is marked."""
    message = last(post)
    opened = await help_.fern.context_menu(post, "Save as answer", message)
    fields = [row["component"] for row in opened.modal["components"]]
    saved = next(field["value"] for field in fields if field["custom_id"] == "answer")
    await help_.mark(help_.fern, message)
    thread = await help_.thread(post)
    return saved, thread.answers[0].body


@pytest.mark.parametrize("kind", PARTS)
async def test_of_a_member(help_: Help, kind: str):
    post = await help_.post()
    parts, said = PARTS[kind]
    backend = help_.world.env.backend
    message = backend.create_message(post.id, help_.world.bob.id, **parts(help_, post))
    await help_.world.env.settle()
    link = f"https://discord.com/channels/{help_.world.guild.id}/{post.id}/{message.id}"
    assert await kept(help_, post) == (said.format(link=link),) * 2


@pytest.mark.parametrize("forwarded", [False, True])
async def test_of_a_bot_that_says_it_in_an_embed(help_: Help, forwarded: bool):
    world = help_.world
    bot = world.guild.add_member(world.env.create_user("answers", bot=True))
    post = await help_.post()
    where = world.general.id if forwarded else post.id
    world.env.backend.create_message(where, bot.id, "Look:", embeds=[{**EMBED.to_dict()}])
    await world.env.settle()
    if forwarded:
        await world.bob.forward(last(world.general), post)
    assert await kept(help_, post) == ("Look:\n\nClay\nWater less.\npH: 7",) * 2


async def test_the_preview_of_a_link_says_nothing(help_: Help):
    post = await help_.post()
    preview = {"title": "Clay", "url": "https://example.org/clay", "type": "article"}
    said = "See https://example.org/clay"
    help_.world.env.backend.create_message(post.id, help_.world.bob.id, said, embeds=[preview])
    await help_.world.env.settle()
    assert await kept(help_, post) == (said, said)
