"""Make docs/first-day.png: what a server sees on its first day, as the demo shows it.

Each situation is played in the demo's page: typed, chosen, pressed. What it adds to the channel
becomes one picture of the sheet. Needs the ``screenshots`` extra and
Chromium, as ``screenshot.py`` does. Used by ``make situations``.
"""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass
from pathlib import Path

from gallery import sheet
from PIL import Image
from playwright.sync_api import FloatRect, Locator, Page, ViewportSize, sync_playwright
from screenshot import CHROMIUM, FLAGS, ROOT, demo

YOU, MODERATOR = "You", "Mo (moderator)"
VIEWPORT: ViewportSize = {"width": 560, "height": 8_000}
"""Pixels of the page: as high as all the situations together."""

QUIET_MS = 1_500
"""Milliseconds without a change after which the bot is taken to have said all."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What somebody types, with a command's option; or the button that they press, of the last."""

    typed: str = ""
    option: str = ""
    pressed: str = ""
    viewer: str = YOU


SITUATIONS = (
    Situation("@Threadwise hi!"),
    Situation("how do i take bakc my vote?"),
    Situation("invites?"),
    Situation("how do I make a poll? and how do I pin a message?"),
    Situation("how do I vote on an answer?"),
    Situation("how do I write bold text?"),
    Situation("@Threadwise who are you"),
    Situation("how do i boil an egg"),
    Situation("/help"),
    Situation("/thread", "slow mode"),
    Situation("/ask", "how do i delete my data"),
    Situation(pressed="Share"),
    Situation("/setup", viewer=MODERATOR),
)


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "first-day.png")
    options = parser.parse_args()
    with demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport=VIEWPORT, device_scale_factor=1.5)
        page.goto(url)
        _composer(page).wait_for(timeout=60_000)
        pictures = [_picture(page, situation) for situation in SITUATIONS]
        browser.close()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    sheet(pictures).quantize(96, dither=Image.Dither.NONE).save(options.out, optimize=True)
    print(f"wrote {options.out}: {len(pictures)} situations")


def _composer(page: Page) -> Locator:
    return page.locator("#channel-composer-input")


def _messages(page: Page) -> Locator:
    return page.locator("#channel-message-list > *")


def _picture(page: Page, situation: Situation) -> Image.Image:
    """Play a situation; returns a picture of what it added to the channel."""
    page.locator("#viewer-picker").select_option(label=situation.viewer)
    _wait_until_quiet(page)
    before = _messages(page).count()
    if situation.pressed:
        _messages(page).last.get_by_role("button", name=situation.pressed).click()
    elif situation.typed.startswith("/"):
        _run(page, situation)
    else:
        _composer(page).fill(situation.typed)
        page.locator("#send-message").click()
    _messages(page).nth(before).wait_for(timeout=30_000)
    _wait_until_quiet(page)
    page.mouse.move(500, 10)  # away from the messages, which would show their tools
    page.evaluate("document.activeElement.blur()")
    first, last = _messages(page).nth(before).bounding_box(), _messages(page).last.bounding_box()
    assert first
    assert last
    height = last["y"] + last["height"] - first["y"] + 8
    clip: FloatRect = {"x": 0, "y": first["y"] - 4, "width": VIEWPORT["width"], "height": height}
    return Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")


def _run(page: Page, situation: Situation) -> None:
    """Choose a command from the page's list, and type its option."""
    _composer(page).press_sequentially(situation.typed, delay=30)
    _choose(page)
    if situation.option:
        page.keyboard.type(situation.option, delay=30)
        page.wait_for_timeout(QUIET_MS)
        if situation.typed == "/thread":
            _choose(page)
    page.keyboard.press("Enter")


def _choose(page: Page) -> None:
    page.wait_for_timeout(QUIET_MS)
    page.keyboard.press("Enter")
    page.wait_for_timeout(QUIET_MS)


def _wait_until_quiet(page: Page) -> None:
    """Wait until the channel has not changed for a while."""
    shown, same = "", 0
    while same < QUIET_MS:
        page.wait_for_timeout(250)
        now = page.locator("#channel-timeline").inner_html()
        same = same + 250 if now == shown else 0
        shown = now


if __name__ == "__main__":
    main()
