"""The simulated server of the demo, and what it needs of SimCord beyond its public interface.

SimCord is made for tests: time passes when a test says so, ids are made up, and a person picks
mentions from a list. Here and in ``page``, and nowhere else, private names of SimCord are used;
its version is pinned for that reason.
"""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
from PIL import Image, ImageDraw, ImageFont
from simcord import ChannelHandle, Env, MemberActor, Preview
from simcord.backend.cdn import CDN_BASE
from simcord.backend.models import User
from simcord.builders import UserHandle
from simcord.results import to_discord_message

from bot.ui import limits, text

WELCOME = """\
👋 **This is the real Threadwise in a simulated Discord.** Things to try:
- Ask what the threads in `seeds/` know: *how do I take back my vote?* Typos are fine.
- Vote with ⬆️ or ⬇️ under an answer, then press **Other answers**.
- Type `/thread` and a few letters of a title, or `/ask`.
- Ask half a question, such as *invites?*: I offer what you may have meant.
- Ask something I can't know: I mark it with 👀, and say so if you mention me: *@Threadwise …*
- Become **Mo (moderator)** under “Viewing as” above: `/setup` shows how I behave, and \
`/answer add` teaches me something. On Discord, *Save as answer* and *Mark as solution* are in the \
menu of each message, under *Apps*."""

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
    bot = create_bot(env, "Threadwise")
    portraits = set_avatar(bot, _png(_bot_portrait()))
    with _long_ago(env):  # so that it isn't greeted: the welcome says more
        guild = env.create_guild("Threadwise demo", id=GUILD_ID)
    channel = guild.create_text_channel("ask", topic=TOPIC)
    moderators = guild.create_role("Moderators", permissions=discord.Permissions(manage_guild=True))
    members = []
    for person in PEOPLE:
        handle, user = create_user(env, person.id, person.name, person.shown)
        portrait = _letter_portrait(person.shown[0], person.colour)
        portraits |= set_avatar(user, _png(portrait))
        members.append(guild.add_member(handle, roles=[moderators] if person.moderates else []))
    post(env, channel, bot, WELCOME)
    await env.settle()
    return World(channel, tuple(members), portraits)


@contextmanager
def _long_ago(env: Env) -> Iterator[None]:
    """Have happen a year ago what happens within the block."""
    clock = env.backend.clock
    now, clock._epoch = clock._epoch, clock._epoch - timedelta(days=365)
    try:
        yield
    finally:
        clock._epoch = now


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


TICK = 1.0
"""Seconds between two looks at what has changed."""

PageAction = Callable[[str | None, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Handles what a person does in the page; gets the page's context and the request's body."""

log = logging.getLogger(__name__)


def set_time(env: Env) -> None:
    """Set the simulated time, which begins in the past, to the real one."""
    env.backend.clock._epoch = datetime.now(UTC)


def create_user(env: Env, user_id: int, name: str, shown: str) -> tuple[UserHandle, User]:
    """Create a user of a given id: SimCord would make another one each time."""
    handle = env.create_user(name, global_name=shown)
    user = env.backend.users.pop(handle.id)
    user.id = env.backend.reserve_id(user_id)
    env.backend.users[user.id] = user
    return handle, user


def create_bot(env: Env, name: str) -> User:
    """Name the user of the bot under test."""
    return env.backend.edit_bot_profile(name)


def set_avatar(user: User, png: bytes) -> dict[str, tuple[str, bytes]]:
    """Give a user a portrait; returns it as an asset of the page, by its URL."""
    user.avatar = user.name.lower()
    url = f"{CDN_BASE}/avatars/{user.id}/{user.avatar}.png"
    return {url: (f"{user.avatar}.png", png)}


def post(env: Env, channel: ChannelHandle, author: User, content: str) -> None:
    """Post a message without waking the bot."""
    env.backend.create_message(channel.id, author.id, content)


def said_since(env: Env, channel: ChannelHandle, message_id: int) -> list[discord.Message]:
    """Return what the bot has posted in a channel after a message, oldest first."""
    bot = env.backend.bot_user
    stored = env.backend.messages.get(channel.id, {})
    return [
        to_discord_message(env, stored[number])
        for number in sorted(n for n in stored if n > message_id)
        if stored[number].author_id == bot.id
    ]


def understand_mentions(env: Env, preview: Preview) -> None:
    """Have the bot's name after an @ mention it; the page has no list of names to pick one from."""
    bot = env.backend.bot_user
    name = re.compile(rf"(?<![\w<@])@{re.escape(bot.name)}(?!\w)", re.IGNORECASE)
    act = preview._action

    async def action(context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        content = body.get("content")
        if isinstance(content, str):
            mentioning = name.sub(f"<@{bot.id}>", content)
            if text.width(mentioning) <= limits.MESSAGE:  # an id is longer than a name
                body = {**body, "content": mentioning}
        return await act(context_id, body)

    _replace_action(preview, action)


def _replace_action(preview: Preview, action: PageAction) -> None:
    preview._action = action  # type: ignore[method-assign,assignment]


class SimulatedClock:
    """Lets the simulated time pass with the real one, and shows what it brought.

    Buttons and menus expire as they do on Discord. The page is published again
    only when the channel has changed: each publication makes the page refuse what
    a person was just sending.
    """

    def __init__(self, env: Env, preview: Preview, channel: ChannelHandle):
        self._env = env
        self._preview = preview
        self._channel_id = channel.id
        self._lock = asyncio.Lock()
        self._published = self._snapshot()
        self._act = preview._action
        _replace_action(preview, self._action)

    async def run(self) -> None:
        """Advance the clock, for ever."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        while True:
            await asyncio.sleep(TICK)
            async with self._lock:
                now = loop.time()
                try:
                    await self._env.advance_time(now - last)
                    if self._snapshot() != self._published:
                        await self._preview.refresh()
                        self._published = self._snapshot()
                except TimeoutError:
                    log.warning("the simulated bot is busy; its clock waits")
                last = now

    async def _action(self, context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        """Do what a person does in the page; never while the clock advances."""
        async with self._lock:
            # Times such as "2 minutes ago" count from here.
            self._preview._advance_presentation_time()
            result = await self._act(context_id, body)
            self._published = self._snapshot()
            return result

    def _snapshot(self) -> list[tuple[Any, ...]]:
        """Return what can be seen of the channel, in a form that can be compared."""
        messages = self._env.backend.messages.get(self._channel_id, {}).values()
        return [
            (m.id, m.edited_timestamp, m.content, [(r.emoji, len(r.user_ids)) for r in m.reactions])
            for m in messages
        ]
