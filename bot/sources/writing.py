"""The forms in which threads are written; importing what was written gives them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from bot.models import Thread
from bot.sources.faq_writer import write_faq
from bot.sources.jsonl import write_thread
from bot.sources.text_page_writer import page_name, write_page

WRITERS: dict[str, Callable[[Thread], str]] = {
    "jsonl": lambda thread: f"{write_thread(thread)}\n",
    "markdown": write_faq,
}
"""Forms that are one file, in which threads stand one after the other."""

PAGES = "pages"
"""The form that is a folder with a text page for each thread."""


class Pages:
    """A folder that is filled with text pages; no two names differ by letter case alone."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._names: set[str] = set()

    def write(self, threads: Iterable[Thread]) -> None:
        """Write a page for each thread. Raises OSError when that can't be."""
        for thread in threads:
            name = self._free(page_name(thread.key))
            page = write_page(thread, name)
            (self._folder / f"{name}.txt").write_text(page, encoding="utf-8", newline="\n")

    def _free(self, wanted: str) -> str:
        name, number = wanted, 1
        while name.casefold() in self._names:
            number += 1
            name = f"{wanted}-{number}"
        self._names.add(name.casefold())
        return name
