"""The simulated server: a channel, three people and the bot, and what they look like."""

from __future__ import annotations

import io
from dataclasses import dataclass

import discord
from PIL import Image, ImageDraw, ImageFont
from simcord import ChannelHandle, Env, MemberActor
from simcord.backend.cdn import CDN_BASE
from simcord.backend.models import User

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

    The id is always the same: whoever voted yesterday is the same person today.
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
    """What the page shows: the channel, the people to look through, their portraits."""

    channel: ChannelHandle
    people: tuple[MemberActor, ...]
    portraits: dict[str, tuple[str, bytes]]


async def build(env: Env) -> World:
    """Make the server and greet whoever comes."""
    bot = env.backend.edit_bot_profile("Threadwise")
    portraits = dict([_portray(bot, _bot_portrait())])
    guild = env.create_guild("Threadwise demo", id=GUILD_ID)
    channel = guild.create_text_channel("ask", topic=TOPIC)
    moderators = guild.create_role("Moderators", permissions=discord.Permissions(manage_guild=True))
    members = []
    for person in PEOPLE:
        handle = env.create_user(person.name, global_name=person.shown)
        user = env.backend.users.pop(handle.id)
        user.id = env.backend.reserve_id(person.id)
        env.backend.users[user.id] = user
        portraits |= [_portray(user, _letter_portrait(person.shown[0], person.colour))]
        members.append(guild.add_member(handle, roles=[moderators] if person.moderates else []))
    env.backend.create_message(channel.id, bot.id, WELCOME)
    await env.settle()
    return World(channel, tuple(members), portraits)


def _portray(user: User, image: Image.Image) -> tuple[str, tuple[str, bytes]]:
    """Give a user a portrait; returns the address it has and what lies there."""
    user.avatar = user.name.lower()
    picture = io.BytesIO()
    image.save(picture, "PNG")
    url = f"{CDN_BASE}/avatars/{user.id}/{user.avatar}.png"
    return url, (f"{user.avatar}.png", picture.getvalue())


def _letter_portrait(letter: str, colour: str) -> Image.Image:
    image = Image.new("RGB", (SIDE, SIDE), colour)
    font = ImageFont.load_default(SIDE // 2)
    ImageDraw.Draw(image).text((SIDE / 2, SIDE / 2), letter, "white", font, anchor="mm")
    return image


def _bot_portrait() -> Image.Image:
    """A speech bubble with a thread in it: three lines, the best one marked."""
    image = Image.new("RGB", (SIDE, SIDE), BLURPLE)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((24, 28, 104, 88), 16, "white")
    draw.polygon([(40, 84), (40, 106), (64, 84)], "white")
    for row, (end, colour) in enumerate([(90, GREEN), (78, BLURPLE), (66, BLURPLE)]):
        top = 42 + 14 * row
        draw.rounded_rectangle((38, top, end, top + 6), 3, colour)
    return image
