"""Make docs/gallery.png: the posts in scripts/posts as cards, in the demo's own rendering.

Each post is HTML as a question-and-answer site has it. What a reader sees of it goes the
whole way: to Markdown, into a card, into a message in the simulated Discord, into its page.
Needs the ``screenshots`` extra and Chromium, as ``screenshot.py`` does. Used by ``make gallery``.
"""

from __future__ import annotations

import argparse
import asyncio
import io
from pathlib import Path

import discord
import simcord
from discord.ext import commands
from PIL import Image
from playwright.async_api import async_playwright
from screenshot import CHROMIUM, FLAGS, ROOT

from bot.demo.simcord_adapter import build
from bot.models import StoredAnswer, StoredThread
from bot.sources.markup import to_markdown
from bot.ui import cards

POSTS = Path(__file__).parent / "posts"
SITE = "https://garden.example.org/"
COLUMNS = 3
GAP = 16
GROUND = "#1e1f22"


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "gallery.png")
    parser.add_argument("posts", nargs="*", type=Path, help="HTML files (default: scripts/posts)")
    options = parser.parse_args()
    posts = options.posts or sorted(POSTS.glob("*.html"))
    shown = sheet(asyncio.run(_pictures([_card(post) for post in posts])))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    shown.quantize(96, dither=Image.Dither.NONE).save(options.out, optimize=True)
    print(f"wrote {options.out}: {len(posts)} posts")


def _card(post: Path) -> cards.Card:
    """Return a card that shows the post as somebody's answer."""
    body = to_markdown(post.read_text(encoding="utf-8"), base_url=SITE)
    answer = StoredAnswer(id=1, body=body, score=1)
    title = post.stem.replace("-", " ")
    return cards.answer_card(
        StoredThread(id=1, scope=0, key="", title=title, answers=(answer,)), answer
    )


async def _pictures(shown: list[cards.Card]) -> list[Image.Image]:
    """Return a picture of each card, as the page of the simulated Discord shows it."""
    bot = commands.Bot("!", intents=discord.Intents.default())
    async with simcord.run(bot) as env:
        world = await build(env)
        channel = bot.get_channel(world.channel.id)
        assert isinstance(channel, discord.TextChannel)
        for card in shown:
            assert card.embed is not None
            await channel.send(embed=card.embed)
        await env.settle()
        preview = env.preview(
            world.channel, viewers=world.people, layout="channel", assets=world.portraits
        )
        async with preview:
            return await _shots(preview.url, len(shown))


async def _shots(url: str, count: int) -> list[Image.Image]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(
            viewport={"width": 1000, "height": 1400}, device_scale_factor=1.5
        )
        await page.goto(url)
        await page.locator("#messages-toggle").click()
        embeds = page.locator(".embed-card")
        await embeds.nth(count - 1).wait_for(timeout=30_000)
        await page.wait_for_timeout(1_000)
        shots = [await embed.screenshot() for embed in await embeds.all()]
        await browser.close()
    return [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]


def sheet(pictures: list[Image.Image]) -> Image.Image:
    """Return all pictures in columns, each where the shortest column ends."""
    width = max(picture.width for picture in pictures)
    ends = [GAP] * COLUMNS
    places = []
    for picture in pictures:
        column = ends.index(min(ends))
        places.append((GAP + column * (width + GAP), ends[column]))
        ends[column] += picture.height + GAP
    whole = Image.new("RGB", (GAP + COLUMNS * (width + GAP), max(ends)), GROUND)
    for picture, place in zip(pictures, places, strict=True):
        whole.paste(picture, place)
    return whole


if __name__ == "__main__":
    main()
