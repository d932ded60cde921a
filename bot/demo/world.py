"""The simulated server: a channel, three people and the bot, with their portraits."""

from __future__ import annotations

import io
from dataclasses import dataclass

import discord
from PIL import Image, ImageDraw, ImageFont
from simcord import ChannelHandle, Env, MemberActor

from bot.demo import simcord_adapter

WELCOME = """\
👋 **This is the real Threadwise in a simulated Discord.** Things to try:
- Ask what the threads in `seeds/` know: *how do I take back my vote?* Typos are fine.
- Vote with ⬆️ or ⬇️ under an answer, then press **Other answers**.
- Type `/thread` and a few letters of a title, or `/ask`.
- Ask half a question, such as *permissions?*: I offer what you may have meant.
- Ask something I can't know. I stay silent, unless you mention me: *@Threadwise …*
- Become **Mo (moderator)** under “Viewing as” above, and `/settings` shows how I behave."""

TOPIC = "Ask away. The bot knows what people have answered before."

GUILD_ID = 1_000_000_000_000_000_001

SIDE = 128
"""Pixels of a portrait's side."""

BLURPLE, GREEN, ORANGE, PINK = "#5865f2", "#2d9d5f", "#d9822b", "#c8559b"


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the simulated server.

    The id is always the same, so that yesterday's votes are those of the same person today.
    """

    id: int
    name: str
    shown: str
    colour: str
    moderates: bool = False


PEOPLE = (
    Person(1_000_000_000_000_000_011, "you", "You", GREEN),
    Person(1_000_000_000_000_000_012, "sam", "Sam", ORANGE),
    Person(1_000_000_000_000_000_013, "mo", "Mo (moderator)", PINK, moderates=True),
)


@dataclass(frozen=True, slots=True)
class World:
    """The channel that the page shows, the people it can be seen as, and their portraits."""

    channel: ChannelHandle
    people: tuple[MemberActor, ...]
    portraits: dict[str, tuple[str, bytes]]


async def build(env: Env) -> World:
    """Make the server and post the welcome."""
    bot = simcord_adapter.create_bot(env, "Threadwise")
    portraits = simcord_adapter.set_avatar(bot, _png(_bot_portrait()))
    guild = env.create_guild("Threadwise demo", id=GUILD_ID)
    channel = guild.create_text_channel("ask", topic=TOPIC)
    moderators = guild.create_role("Moderators", permissions=discord.Permissions(manage_guild=True))
    members = []
    for person in PEOPLE:
        handle, user = simcord_adapter.create_user(env, person.id, person.name, person.shown)
        portrait = _letter_portrait(person.shown[0], person.colour)
        portraits |= simcord_adapter.set_avatar(user, _png(portrait))
        members.append(guild.add_member(handle, roles=[moderators] if person.moderates else []))
    simcord_adapter.post(env, channel, bot, WELCOME)
    await env.settle()
    return World(channel, tuple(members), portraits)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _letter_portrait(letter: str, colour: str) -> Image.Image:
    image = Image.new("RGB", (SIDE, SIDE), colour)
    font = ImageFont.load_default(SIDE // 2)
    ImageDraw.Draw(image).text((SIDE / 2, SIDE / 2), letter, "white", font, anchor="mm")
    return image


def _bot_portrait() -> Image.Image:
    """Draw a speech bubble with a thread in it: three lines, the best one marked."""
    image = Image.new("RGB", (SIDE, SIDE), BLURPLE)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((24, 28, 104, 88), 16, "white")
    draw.polygon([(40, 84), (40, 106), (64, 84)], "white")
    for row, (end, colour) in enumerate([(90, GREEN), (78, BLURPLE), (66, BLURPLE)]):
        top = 42 + 14 * row
        draw.rounded_rectangle((38, top, end, top + 6), 3, colour)
    return image
