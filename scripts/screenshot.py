"""Make docs/demo.png: start the demo, ask, vote, and take a picture of the channel.

Needs the ``screenshots`` extra and Chromium (``CHROMIUM`` says where, if it is not
/usr/bin/chromium). Used by ``make screenshot``.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
QUESTION = "how do i post pythn code so that it looks nice?"


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "demo.png")
    parser.add_argument("--question", default=QUESTION)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1180, "height": 965}, device_scale_factor=1.5)
        page.goto(url)
        _ask(page, options.question)
        _vote(page)
        page.mouse.move(600, 75)  # away from the message, which would show its tools
        page.evaluate("document.activeElement.blur()")
        page.wait_for_timeout(1_000)
        page.screenshot(path=options.out)
        browser.close()
    print(f"wrote {options.out}")


@contextmanager
def demo() -> Iterator[str]:
    """Start the demo with a library of its own; yields its URL."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"DATA_DIR": folder, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "demo", "--no-browser"],
            cwd=ROOT,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield _address(process)
        finally:
            process.terminate()
            process.wait(30)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if match := re.search(r"http://127\.0\.0\.1:\d+/\S+", line):
            return match[0]
    sys.exit("the demo did not start:\n" + "".join(said))


def _ask(page: Page, question: str) -> None:
    composer = page.locator("#channel-composer-input")
    composer.wait_for(timeout=30_000)
    composer.fill(question)
    page.locator("#send-message").click()
    page.locator(".message-reactions").wait_for(timeout=30_000)


def _vote(page: Page) -> None:
    voted = page.locator(".reaction-chip.is-selected")
    for _ in range(20):  # the page passes over clicks while it is busy with itself
        page.wait_for_timeout(1_000)
        if voted.count():
            return
        page.locator(".message-reactions button").first.click()
    sys.exit("the vote did not arrive")


if __name__ == "__main__":
    main()
