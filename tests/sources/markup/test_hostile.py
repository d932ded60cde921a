"""HTML that nobody would write: whatever comes, Markdown that is safe, and soon."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.sources.markup import to_markdown
from bot.ui import text
from tests.kit.growth import check_linear, cpu_seconds

UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0\uffff]"
)
MENTION = re.compile(r"@(?:everyone|here)|<(?:@[!&]?|#)\d+>|</\w+:\d+>|<id:\w+>")
TIMESTAMP = re.compile(r"<t:\d+>")
CODE = re.compile(r"```.*?```|(?<!\\)(``?).*?\1", re.DOTALL)
TAGS = (
    "a abbr b blockquote body br code dd del details div dl dt em figure form h1 h4 head hr html i "
    "iframe img ins kbd li math noscript ol p pre q s script select span strong style sub summary "
    "sup svg table tbody td template textarea th title tr u ul video x-y"
).split()
ATTRIBUTES = (
    "",
    ' href="https://e.org/a_(b)"',
    ' href="javascript:x"',
    ' href="/x y"',
    ' src="//e.org/i.png" alt="a [b] `c`"',
    ' class="spoiler lang-py"',
    ' start="7"',
    " broken='",
)
WORDS = (
    "word ", "* ", "*a*", "_", "__", "`", "```", "||", "~~", "\\", "$x_1$", "$$a$$", "$", "\\(a\\)",
    "\\begin{align}", "[x](y)", "](", "\n", "\n\n", "# ", "- ", "1. ", "> ", ":smile:", "@everyone",
    "&lt;@123&gt;", "&lt;#1&gt;", "&lt;/x:1&gt;", "&lt;id:home&gt;", "&lt;t:123&gt;", "&#0;",
    "&#8238;", "&#x1;", "&#xD800;", "\0", "\u202e", "\ud800", "漢字", "👩\u200d🌾",
    "https://e.org/a_b*c ", "&amp;", "&nbsp;", "<", ">", "</", "<!--", "-->", "<![CDATA[", '"',
)  # fmt: skip
OPENING = st.builds("<{}{}>".format, st.sampled_from(TAGS), st.sampled_from(ATTRIBUTES))
PIECES = st.one_of(OPENING, st.sampled_from(TAGS).map("</{}>".format), st.sampled_from(WORDS))
RUBBISH = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=200)


@settings(max_examples=300, deadline=None)
@given(RUBBISH, st.sampled_from([None, "https://q.example/a", "no address"]))
@example('](<textarea><a href="javascript:x"><a href="https://e.org/a_(b)">', None)
def test_any_string_becomes_markdown_without_unseen_characters(html: str, base_url: str | None):
    markdown = to_markdown(html, base_url=base_url)
    assert not UNSEEN.search(markdown)
    assert markdown == markdown.strip("\n")
    assert markdown.count("```") % 2 == 0
    targets = "".join(re.findall(r"(?<!\\)\]\(.*?\)", markdown))
    assert "javascript:" not in re.sub(r"[^:\w]", "", targets)


@settings(max_examples=200, deadline=None)
@given(RUBBISH)
@example("<pre>&lt;t:123&gt;")
@example("<&lt;t:123&gt;")
def test_no_mention_or_timestamp_lives_on_when_it_is_shown(html: str):
    shown = text.body(to_markdown(html))
    for page in text.pages(shown, 300):
        assert text.width(page) <= 300
        literal = page.replace(r"\<", "\0")
        assert not MENTION.search(literal)
        assert not TIMESTAMP.search(CODE.sub("", literal))  # code shows it as is


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab *_~|`\\#>-1.[]()<:&$\n", max_size=60))
def test_nothing_of_plain_text_is_lost(words: str):
    html = words.replace("&", "&amp;").replace("<", "&lt;")
    kept = re.sub(r"[\s\\`$\u200b]", "", to_markdown(f"<p>{html}</p>"))
    assert kept == re.sub(r"[\s\\`$]", "", words)


@pytest.mark.parametrize("tag", ["div", "blockquote", "ul><li", "b", "span", "table><tr><td", "x"])
def test_deep_nesting_is_flattened_and_loses_no_text(tag: str):
    closing = "".join(f"</{name}>" for name in reversed(re.findall(r"\w+", tag)))
    html = f"<p>before</p>{f'<{tag}>' * 10_000}deep{closing * 10_000}<p>after</p>"
    made: list[str] = []
    assert cpu_seconds(lambda: made.append(to_markdown(html))) < 2
    (markdown,) = made
    assert [markdown.count(word) for word in ("before", "deep", "after")] == [1, 1, 1]


@pytest.mark.parametrize(
    "piece",
    [
        "word ", "<", "&", "$", "$a ", "$$a", "\\(", "\\begin{a}", "`a", "*a", "_", "\\", ":a", "[",
        "](", "||", "#\n", "1. a<br>", "<br>", "<p>a", "<a href=x>", "<li>x", "<td>x", "<h1>a</h1>",
        "<!--", "<script>", "</b>", "<sup>", "http://", "&#1;", "@everyone", "<pre>`",
        "<table><tr><td>", "<blockquote class=spoiler>x", "<code>`",
        '<img src="http://e.org">', "<dl><dt>a<dd>b",
    ],
)  # fmt: skip
def test_much_of_anything_takes_linear_time(piece: str):
    to_markdown(piece)
    check_linear(lambda size: to_markdown(piece * (size // len(piece))), 125_000)


def test_texts_and_addresses_too_long_for_the_parser_are_kept():
    assert to_markdown("<p>" + "x" * 11_000_000).count("x") == 11_000_000
    assert to_markdown(f'<p><a href="{"x" * 11_000_000}">words</a> after') == "words after"


def test_several_threads_convert_at_once():
    htmls = [f"<p>{'<b>' * depth}{depth}" for depth in range(200, 320)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(to_markdown, htmls))
    assert made == [f"**{depth}**" for depth in range(200, 320)]
