"""HTML's way to the reader: real dumps fit into cards, hard posts show no stray markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bot.models import StoredAnswer, StoredThread
from bot.sources.markup import to_markdown
from bot.ui import card_content, cards, items, limits, text
from tests.kit import limits as discord_limits
from tests.kit.paths import ROOT, SHARED
from tests.kit.simcord import shown

DUMPS = SHARED / "dumps"
POSTS = sorted((ROOT / "scripts" / "posts").glob("*.html"))

CODE = re.compile(r"\\.|```.*?```|(`+)(?!`)[^\n]*?(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(
    r"\[(?:[^\[\]\\\n]|\\.)+\]\(https?://[^\s()]+\)|<https?://[^\s>]+>|https?://[^\s<>)]+"
)
STRAY = re.compile(r"\*\*|~~|\|\||```|\]\(|\\|^#+ (?!This is no)|^> |</?[a-z]+>", re.MULTILINE)
KEPT_LINK = limits.PLAIN_TEXT - 100
"""Longer ones may lose their address where a page is not much longer than that."""


def bodies(site: str) -> Iterator[str]:
    """The questions and answers of a dump, as Markdown."""
    path = DUMPS / site / "Posts.xml"
    if not path.exists():
        pytest.skip(f"{path} is not here: the real dumps are not part of the project")
    for _, row in ElementTree.iterparse(path):
        if row.get("PostTypeId") in ("1", "2") and (html := row.get("Body")):
            yield to_markdown(html, base_url=f"https://{site}.example.org/")
        row.clear()


def codes(markdown: str) -> list[str]:
    return [found[0] for found in CODE.finditer(markdown) if found[1]]


def links(markdown: str) -> list[str]:
    found = LINK.findall(CODE.sub("", markdown))
    return [link for link in found if len(link) < KEPT_LINK]


def words(markdown: str) -> str:
    """Return the text that is read: no fences, no marks that a page closes and the next reopens."""
    unlinked = re.sub(r"\(https?://\S{1000,}\)|[\[\]]", "", markdown)
    return re.sub(r"```[\w+#.\-]*\n?|[*~_|\s\u200b]", "", unlinked)


@pytest.mark.untraced
@pytest.mark.parametrize(
    "site", ["quantumcomputing-2018", "conlang-meta", "datascience-meta-posts"]
)
def test_every_post_of_a_dump_becomes_pages_that_are_cut_nowhere_inside(site: str):
    for markdown in bodies(site):
        body = text.body(markdown)
        for limit in (limits.PAGE_TEXT, limits.PLAIN_TEXT):
            pages = text.pages(body, limit)
            for page in [*pages, text.cut(body, limits.CARD_TEXT)]:
                assert text.width(page) <= max(limit, limits.CARD_TEXT)
                assert page.count("```") % 2 == 0
                page.encode()  # no half of a character
            assert [link for page in pages for link in links(page)] == links(body)
            assert [code for page in pages for code in codes(page)] == codes(body)
            assert words("\n".join(pages)) == words(body)


@pytest.mark.untraced
def test_every_thread_of_a_dump_fits_into_its_cards():
    answers = [
        StoredAnswer(id=number, body=markdown)
        for number, markdown in enumerate(bodies("quantumcomputing-2018"), 1)
    ]
    thread = StoredThread(id=1, scope=0, key="1", title="?" * 300, answers=tuple(answers))
    for answer in answers:
        for embeds in (True, False):
            card = cards.answer_card(thread, answer, embeds=embeds)
            assert text.width(card.content or "") <= limits.MESSAGE
            assert card.embed is None or len(card.embed) <= discord_limits.EMBED_TOTAL
    longest = max(answers, key=lambda answer: len(answer.body))
    for part in range(len(card_content.pages(thread, longest))):
        card = cards.page_card(thread, items.Place(1, longest.id, part))
        assert card.embed is not None
        assert text.width(card.embed.description or "") <= limits.EMBED_DESCRIPTION


@pytest.mark.parametrize("post", POSTS, ids=[post.stem for post in POSTS])
def test_hard_post_shows_no_stray_markup(post: Path):
    """Judged by the demo's rendering, and by eye: ``make gallery``."""
    markdown = to_markdown(post.read_text(encoding="utf-8"), base_url="https://e.org/")
    seen = shown(text.body(markdown))
    if "markdown" in post.stem:
        assert r"||not hidden||, `not code`, **not bold**, [not](a-link)" in seen.replace("\n", "")
    else:
        assert not STRAY.search(seen), seen
