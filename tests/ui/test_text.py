"""Text that fits: cut at good places, inert, and never longer than allowed."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ui import limits, text

LINK = "[label](https://example.org/page?x=1)"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
THUMB = "\U0001f44d\U0001f3fd"
ACCENTED = "e\u0301"
MARKS = ["```", "```py\n", "`", "``", "**bold** ", "(", ")", "[", "]", "- ", "> ", "||", "\\"]
WORDS = ["word ", "A sentence. ", "漢字。", "@everyone", "<@123>", "x" * 50, " ", "\n", "\n\n"]
LINKS = [LINK, "https://a.example/b?c=d "]
PIECES = st.sampled_from([*MARKS, *WORDS, *LINKS, FAMILY, THUMB, ACCENTED])
MARKDOWN = st.lists(PIECES, max_size=100).map("".join) | st.text(max_size=500)


@settings(max_examples=400)
@given(MARKDOWN, st.integers(100, 400))
def test_pages_fit_and_never_divide_a_fence_or_character(raw: str, limit: int):
    body = text.body(raw)
    pages = text.pages(body, limit)
    for page in [*pages, text.cut(body, limit)]:
        assert text.width(page) <= limit
        assert page.count("```") % 2 == 0
        page.encode("utf-16-le")  # no lone surrogate
    for page in pages[1:]:
        assert not page.startswith(("\u200d", "\ufe0f", "\U0001f3fd", "\u0301"))


@settings(max_examples=400)
@given(MARKDOWN, st.integers(150, 400))
def test_pages_never_divide_a_link(raw: str, limit: int):
    body = text.body(raw.replace("`", "").replace("[", "").replace("]", "").replace("\\", ""))
    body = body.replace("word", LINK)
    assert "".join(text.pages(body, limit)).count(LINK) == body.count(LINK)


@settings(max_examples=200)
@given(MARKDOWN, st.integers(100, 400))
def test_pages_lose_nothing_but_space(raw: str, limit: int):
    # Without spoilers, which a page ends and the next one begins again.
    body = text.body(raw.replace("`", "").replace("http", "").replace("|", ""))

    def squeezed(what: str) -> str:
        return re.sub(r"\s+", "", what)

    assert squeezed("".join(text.pages(body, limit))) == squeezed(body)


@given(st.text(max_size=600) | MARKDOWN, st.integers(10, 300))
def test_titles_and_labels_fit(raw: str, limit: int):
    for made in (text.title(raw, limit), text.label(raw, limit)):
        assert 1 <= text.width(made) <= limit
        assert "\n" not in made


def test_short_text_is_left_alone():
    assert text.cut("A short answer.", 100) == "A short answer."
    assert text.pages("A short answer.", 100) == ["A short answer."]
    assert text.pages("", 100) == [""]


def test_cut_at_a_sentence():
    said = "This is one sentence of an answer. " * 10
    cut = text.cut(text.body(said), 150)
    assert cut.endswith("answer.…")


@pytest.mark.parametrize(
    ("said", "heading"),
    [
        ("Where is it?\n", "Where is it?"),
        ("Where is the old red key? " + "I looked for it. " * 20, "Where is the old red key?"),
        ("Hm. " + "where is it " * 20, "Hm. " + "where is it " * 7 + "where is…"),
        (
            "\u9375\u306f\u3069\u3053\u3067\u3059\u304b\u3002" * 30,
            "\u9375\u306f\u3069\u3053\u3067\u3059\u304b\u3002" * 12,
        ),
        ("x" * 200, "x" * 99 + "…"),
    ],
)
def test_a_heading_ends_with_a_sentence_or_a_word(said: str, heading: str):
    assert text.heading(said, 100).startswith(heading)
    assert text.width(text.heading(said, 100)) <= 100


def test_cut_at_a_paragraph_when_one_ends_late_enough():
    cut = text.cut("First paragraph. " * 5 + "\n\n" + "Second paragraph. " * 5, 150)
    assert cut.endswith("First paragraph.…")


def test_cut_before_a_fence():
    said = "Some words first. " * 5 + "\n```py\n" + "print(1)\n" * 20 + "```"
    cut = text.cut(said, 150)
    assert "```" not in cut
    assert cut.endswith("first.…")


def test_long_fence_is_closed_and_opened_again():
    lines = "\n".join(f"line {n}" for n in range(60))
    pages = text.pages(f"```py\n{lines}\n```\nafter", 200)
    assert len(pages) > 2
    assert all(p.startswith("```py\n") and p.endswith("\n```") for p in pages[:-1])
    assert pages[-1].endswith("```\nafter")
    inside = "\n".join(p.removeprefix("```py\n").removesuffix("\n```") for p in pages[:-1])
    assert inside.startswith("line 0\nline 1")


def test_fence_that_ends_where_the_page_ends_is_not_opened_again():
    pages = text.pages("```\n" + "x" * 92 + "\n```\n" + "y" * 50, 100)
    assert pages == ["```\n" + "x" * 92 + "\n```", "y" * 50]


def test_unclosed_fence_is_defused():
    assert text.body("see ```py\ncode") == "see \\`\\`\\`py\ncode"


def test_endless_link_keeps_its_words():
    pages = text.pages("word " * 50 + f"[here](https://e.org/{'x' * 500}) it is", 200)
    assert "https" not in "".join(pages)
    assert "here it is" in "".join(pages)


@pytest.mark.parametrize("mark", ["**", "||", "~~", "__", "*"])
def test_marked_text_that_is_cut_is_closed_and_opened_again(mark: str):
    secret = "This is a sentence that a reader must ask for. " * 8
    pages = text.pages(f"Before. {mark}{secret.strip()}{mark} After.", 150)
    assert len(pages) > 2
    assert all(page.count(mark) % 2 == 0 for page in pages)
    assert all(page.startswith(mark) and page.endswith(mark) for page in pages[1:-1])
    assert "".join(pages).count("ask for.") == 8


def test_marks_in_code_and_addresses_mark_nothing():
    body = "Use `**` here. " * 8 + "See https://e.org/a**b for it. " * 8
    assert " ".join(text.pages(body, 150)).split() == body.split()


@pytest.mark.parametrize(
    "whole",
    [
        r"[see \[1\] there](https://example.org/)",
        "[`code` and words](https://example.org/)",
        "`" + "a long formula + " * 15 + "x`",
        f"[words](https://example.org/{'x' * 200})",
        r"\*\*\*\*\*\*\*\*\*\*\*\*\*\*\*\*\*\*\*\*\*\*\*\*",
    ],
)
def test_what_belongs_together_stays_on_one_page(whole: str):
    for before in range(250, 300):
        assert any(whole in page for page in text.pages("w" * before + " " + whole + " w", 300))


def test_an_escaped_character_keeps_its_backslash():
    for page in text.pages(r"\*" * 200, 101):
        assert page == r"\*" * (len(page) // 2)


def test_mentions_are_inert():
    for mention in ("@everyone", "@here", "<@1>", "<@!1>", "<@&1>", "<#1>", "</x:1>", "<id:home>"):
        assert mention not in text.neutralise_mentions(f"a {mention} b")
        assert mention not in text.title(f"a {mention} b", 100)
    assert text.neutralise_mentions("me@example.org costs 3 < 4") == "me@example.org costs 3 < 4"


def test_titles_hold_no_markdown():
    assert text.title("**a** [b](https://c.d) `e` C#", 100) == (
        r"\*\*a\*\* \[b\]\(https\://c.d\) \`e\` C\#"
    )
    assert text.title("1. first", 100) == r"1\. first"
    assert text.title("\u200b \n", 100) == "(no title)"
    assert text.title("a\u202eb\x00c\ud800d", 100) == "abc\ufffdd"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.org/a?b=c", True),
        ("http://example.org", True),
        ("javascript:alert(1)", False),
        ("https://", False),
        ("https://[broken", False),
        ("https://e.org/a b", False),
        ("https://e.org/>", False),
        ("https://e.org/" + "x" * limits.LINK, False),
        ("", False),
        (None, False),
        ("https://e.org:8443/a#b", True),
        ("https://ru.wikipedia.org/wiki/Вики", True),
        ("https://fa.wikipedia.org/wiki/\u0645\u06cc\u200c\u062e", True),  # a joiner, in a word
        ("https://bank.example@evil.example/", False),
        ("https://bank.example:secret@evil.example/", False),
        ("https://@evil.example/", False),
        ("https://bank.example%2f@evil.example/", False),
        ("https://bank.example%40evil.example/", False),
        *((f"https://e.org/a{mark}b", False) for mark in "\u200e\u200f\u061c\u202e\u2067\u2069"),
        ("https://ba\u200bnk.example/", False),
        ("https://e.org/\x85", False),
    ],
)
def test_safe_url(url: str | None, safe: bool):
    assert text.safe_url(url) == (url if safe else None)


EVIL = "https://evil.example/"


@pytest.mark.parametrize(
    ("label", "url", "host"),
    [
        ("bank.com", EVIL, "evil.example"),
        ("https://bank.example/login", EVIL, "evil.example"),
        ("log in at www.bank.example", "http://evil.example/", "evil.example"),
        ("go to bank.com now", EVIL, "evil.example"),
        ("bank.de", EVIL, "evil.example"),
        ("bank\u200b.com", EVIL, "evil.example"),
        ("bank。com", EVIL, "evil.example"),
        ("bank\uff0ecom", EVIL, "evil.example"),
        ("user@bank.com", EVIL, "evil.example"),
        ("evil.example@bank.com", EVIL, "evil.example"),
        ("bank.com", "https://a_b.example", "a_b.example"),
        ("example.org", "https://www.example.org/page", None),
        ("www.example.org", "https://docs.example.org/page", None),
        ("docs.example.org/page", "https://example.org", None),
        ("bücher.example", "https://xn--bcher-kva.example/", None),
        ("Node.js", "https://nodejs.org/", None),
        ("the file setup.py", "https://example.org/", None),
        ("version 3.11", "https://example.org/", None),
        ("see e.g. this", "https://example.org/", None),
        ("an ordinary label", "https://example.org/", None),
        ("bank.com (evil.example)", EVIL, None),
    ],
)
def test_a_label_that_looks_like_another_address_shows_its_own(
    label: str, url: str, host: str | None
) -> None:
    more = f" ({text.escape(host)})" if host else ""
    link = text.neutralise_mentions(f"[{label}]({url})")
    told = text.neutralise_mentions(f"[{label}{more}]({url})")
    assert text.body(f"See [{label}]({url}) here.") == f"See {told} here."
    assert text.body(f"`[{label}]({url})`") == f"`{link}`"
    assert text.body(f"```\n[{label}]({url})\n```") == f"```\n{link}\n```"
    credited = text.linked(label, url, 80)
    assert ("(" in credited.partition("](")[0]) == ("(" in label + more)
    assert text.width(credited) <= 80 + len(f"[]({url})")


def test_user_information_does_not_hide_the_host() -> None:
    shown = text.body("[bank.com](https://bank.com:443@evil.example/)")
    assert shown.startswith("[bank.com (evil.example)](")
    assert text.linked("bank.com", "https://bank.com@evil.example/", 80) == "bank.com"


@pytest.mark.parametrize("blank", ["", " \n", "\u200b\u200d", "\ufe0f", "\u00ad"])
def test_what_nobody_sees_is_blank(blank: str):
    assert text.is_blank(blank)
    assert not text.is_blank(blank + "?")


@pytest.mark.parametrize(
    "piece",
    [
        "[a](https://x",
        "[a",
        "](",
        "`",
        "``` ",
        "<",
        "https://",
        "\n ",
        ". ",
        "!)",
        "@everyone",
        "\\",
        "[a\\",
        "[a](",
        "[https://x\\",
        "https://x\\[",
        "[a.com](https://b.com) ",
        "**",
        "*a ",
        "~~a ",
        "||",
        "```",
        "|",
        "</",
        "</a:",
        "\u0301",
        "\u200d",
        "\x00",
        "\ud800",
        "😀",
        "1. ",
    ],
)
def test_any_text_takes_linear_time(piece: str) -> None:
    """Bodies, titles and labels; a page's worth of brackets once took a tenth of a second."""

    def seconds(size: int) -> float:
        raw = (piece * size)[:size]
        started = time.thread_time()
        body = text.body(raw)
        text.cut(body, limits.CARD_TEXT)
        text.pages(body, limits.PLAIN_TEXT)
        text.title(raw, limits.EMBED_TITLE)
        text.label(raw, limits.FACT)
        return time.thread_time() - started

    # Ten times as much takes about ten times as long; 1.2 s are six times what the slowest
    # needs. A busy machine may be that much slower for a moment, but not each time.
    size = limits.READABLE
    assert any(seconds(size) < max(0.05, min(2.5, 40 * seconds(size // 10))) for _ in range(3))


@pytest.mark.parametrize("piece", ["[a\\", "\x00", "* ", "<", "\u0301"])
def test_a_title_costs_no_more_for_what_is_not_shown(piece: str) -> None:
    def seconds(size: int) -> float:
        raw = "A title " + piece * size
        started = time.thread_time()
        text.title(raw, limits.EMBED_TITLE)
        return time.thread_time() - started

    assert any(seconds(200_000) < 0.02 + 20 * seconds(1_000) for _ in range(3))


def test_nothing_more_is_no_line() -> None:
    assert [text.and_more(left) for left in (0, -3)] == [[], []]
