"""Code fences: one notion for all readers, and no question that one swallows in silence."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.models import Answer, Thread
from bot.sources import SourceReport, read, roundtrip_comments
from bot.sources.fences import CLOSES, INSIDE, OPENS, OUTSIDE, find_fences
from bot.sources.writers import write_faq, write_page
from tests.kit.growth import cpu_seconds

relaxed = settings(deadline=None, suppress_health_check=list(HealthCheck))

COMMONMARK = MarkdownIt("commonmark").disable(["inline", "html_block", "reference"])


def drawn(text: str) -> str:
    """Mark each line: ``.`` outside, ``<`` opens, ``=`` inside, ``>`` closes."""
    signs = {OUTSIDE: ".", OPENS: "<", INSIDE: "=", CLOSES: ">"}
    return "".join(signs[place] for place in find_fences(text.split("\n")).places)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a\n```\nb\n```\nc", ".<=>."),
        ("```\n~~~\n```\nc", "<=>."),
        ("~~~\n```\n~~~\nc", "<=>."),
        ("````\n```\n````\nc", "<=>."),
        ("```\nb\n`````\nc", "<=>."),
        ("```\n``` py\n```\nc", "<=>."),
        ("``` py\nb\n``` \t\nc", "<=>."),
        ("```a`b\nc", ".."),
        ("~~~a`b\nc\n~~~", "<=>"),
        ("   ```\nb\n   ```\nc", "<=>."),
        ("    ```\nc", ".."),
        ("\t```\nc", ".."),
        ("```\nb\n    ```\n```\nc", "<==>."),
        ("```\nb", "<="),
        ("``\nb", ".."),
        ("- ```\n  b\n  ```\nc", "<=>."),
        ("1. a\n\n   ```\n   b\n   ```\nc", "..<=>."),
        ("10. a\n\n    ```\n    b\n    ```\nc", "..<=>."),
        ("- ```\n  b\nc", "<=."),
        ("- - ~~~\n    b\n\n    ~~~\nc", "<==>."),
        ("```\r\nb\r\n```\r\nc", "<=>."),
    ],
)
def test_a_fence_is_what_commonmark_says(text: str, places: str) -> None:
    assert drawn(text) == places


pieces = st.sampled_from(
    [
        *(
            "```",
            "````",
            "~~~",
            "~~~~",
            "```py",
            "``` a`b",
            "~~~ a`b",
            "  ```",
            "   ~~~",
            "    ```",
        ),
        *(
            "x",
            "",
            "   x",
            "- a",
            "- ```",
            "  - ~~~ q",
            "1. b",
            "1. ```",
            "# h",
            "\t```",
            "-   ```",
        ),
        *("```  ", "~~~\t", "-\ty", " - c", "      ```", "  ~~~~", "* ````"),
    ]
)


@relaxed
@given(st.lists(pieces, max_size=8))
def test_what_is_in_a_fence_is_what_the_parser_of_markdown_says(lines: list[str]) -> None:
    # Blank lines between: what may interrupt a paragraph is another matter.
    lines = [line for piece in lines for line in (piece, "")]
    theirs = bytearray(len(lines))
    for token in COMMONMARK.parse("\n".join(lines)):
        if token.type == "fence" and token.map:
            theirs[slice(*token.map)] = b"\1" * (token.map[1] - token.map[0])
    ours = find_fences(lines).places
    written = [index for index, line in enumerate(lines) if line]
    assert [bool(ours[index]) for index in written] == [bool(theirs[index]) for index in written]


inner = st.sampled_from(
    [
        *(
            "~~~",
            "~~~~~",
            "```",
            "``",
            "  ~~~",
            "    ```",
            "```py",
            "# a comment",
            "Q: no?",
            "A: no",
        ),
        *("## Is it not?", "Upvote:3", "score:x", "<details>", "", "x = 1", "- ~~~", "1. ```"),
    ]
)


@st.composite
def closed_fences(draw: st.DrawFn) -> str:
    """A fence with anything in it that doesn't close it, and its end."""
    sign, size = draw(st.sampled_from("`~")), draw(st.integers(3, 5))
    indent = " " * draw(st.integers(0, 3))
    lines = [
        line
        for line in draw(st.lists(inner, max_size=6))
        if not (line.strip().startswith(sign * size) and line.strip().strip(sign) == "")
    ]
    end = indent + sign * (size + draw(st.integers(0, 2)))
    return "\n".join([f"{indent}{sign * size}{draw(st.sampled_from(['', 'py']))}", *lines, end])


READERS = {
    "faq.txt": "Q: Is it first?\nA: See:\n{}\nQ: Is it second?\nA: Yes.\n",
    "label.txt": "Q: Is it first?\nA: {}\nQ: Is it second?\nA: Yes.\n",
    "faq.md": "## Is it first?\n\n{}\n\n## Is it second?\n\nYes.\n",
    "folded.md": "<details>\n<summary>Is it first?</summary>\n\n{}\n\n</details>\n\n"
    "<details>\n<summary>Is it second?</summary>\n\nYes.\n\n</details>\n",
}


@relaxed
@given(closed_fences(), st.sampled_from(sorted(READERS)))
def test_a_second_question_after_any_fence_is_found(
    tmp_path_factory: pytest.TempPathFactory, fence: str, name: str
) -> None:
    path = tmp_path_factory.mktemp("fences") / name
    path.write_text(READERS[name].format(fence), encoding="utf-8")
    report = SourceReport()
    assert [t.title for t in read(path, report)] == ["Is it first?", "Is it second?"]
    assert report.rejected == []


@relaxed
@given(closed_fences())
def test_a_second_answer_after_any_fence_is_found(
    tmp_path_factory: pytest.TempPathFactory, fence: str
) -> None:
    path = tmp_path_factory.mktemp("fences") / "page.txt"
    path.write_text(f"Is it first?\n\nUpvote:1\n{fence}\nUpvote:2\nYes.\n", encoding="utf-8")
    report = SourceReport()
    (thread,) = read(path, report)
    assert [answer.score for answer in thread.answers] == [1, 2]
    assert thread.answers[0].body == fence.rstrip()


@relaxed
@given(closed_fences(), closed_fences())
def test_texts_with_fences_come_back_from_pages_and_markdown(
    tmp_path_factory: pytest.TempPathFactory, one: str, two: str
) -> None:
    folder = tmp_path_factory.mktemp("fences")
    thread = Thread(key="k", title="How?", body=one, answers=(Answer(body=two), Answer(body="x")))
    (folder / "k.txt").write_text(write_page(thread, "k"), encoding="utf-8")
    (folder / "k.md").write_text(write_faq(thread), encoding="utf-8")
    for name in ("k.txt", "k.md"):
        (back,) = read(folder / name, SourceReport())
        assert (back.body, [a.body for a in back.answers]) == (one, [two, "x"])


def test_a_fence_in_an_item_of_a_list_swallows_nothing(tmp_path: Path) -> None:
    file = tmp_path / "faq.txt"
    file.write_text("Q: One?\nA: So:\n- ```\n  Q: no\n  ```\nQ: Two?\nA: Yes.\n", encoding="utf-8")
    report = SourceReport()
    assert [thread.title for thread in read(file, report)] == ["One?", "Two?"]
    assert report.warned == []


def test_of_labels_a_fence_that_is_never_closed_swallows_none(tmp_path: Path) -> None:
    file = tmp_path / "faq.txt"
    file.write_text("Q: One?\nA: So:\n```\nx\n\nQ: Two?\nA: Yes.\n", encoding="utf-8")
    report = SourceReport()
    one, two = read(file, report)
    assert (one.answers[0].body, two.title) == ("So:\n```\nx", "Two?")
    (warning,) = report.warned
    assert warning.line == 3
    assert "opened here and never closed" in warning.reason


@pytest.mark.parametrize(
    ("name", "text", "line", "question"),
    [
        ("faq.txt", "Q: One?\nA: ```py\nx\nQ: Two?\nA: ```py\ny\n```\nQ: Three?\nA: z", 2, 4),
        ("faq.md", "---\ntags: [a]\n---\n## One?\n\n```\nx\n\n## Two?\n\ny\n", 6, 9),
        ("faq.md", "## One?\n\n```py\nx\n\n## Two?\n\n```py\ny\n```\n", 3, 6),
        ("faq.md", "## One?\n\n~~~\nx\n\n<details><summary>Two?</summary>\ny\n</details>", 3, 6),
    ],
)
def test_a_question_in_a_fence_that_seems_to_lack_its_end_is_reported(
    tmp_path: Path, name: str, text: str, line: int, question: int
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    report = SourceReport()
    assert next(iter(read(tmp_path / name, report))).title == "One?"
    list(read(tmp_path / name, report := SourceReport()))
    (warning,) = report.warned
    assert warning.line == line
    assert f"holds line {question}, which may be a question" in warning.reason


@pytest.mark.parametrize(
    "text",
    [
        "## One?\n\n```\n# is it code?\n```\n\n```py\nx\n```\n\n## Two?\n\ny\n",
        "## One?\n\n<!--\n```\n-->\n\n## Two?\n\ny\n",
    ],
)
def test_of_fences_that_end_nothing_is_reported(tmp_path: Path, text: str) -> None:
    (tmp_path / "faq.md").write_text(text, encoding="utf-8")
    report = SourceReport()
    assert [thread.title for thread in read(tmp_path / "faq.md", report)] == ["One?", "Two?"]
    assert report == SourceReport()


def test_of_what_we_wrote_ourselves_nothing_is_reported(tmp_path: Path) -> None:
    thread = Thread(key="k", title="How?", body="```\n# Why?\n```py\n```", source="faq")
    (tmp_path / "faq.md").write_text(write_faq(thread), encoding="utf-8")
    report = SourceReport()
    assert list(read(tmp_path / "faq.md", report)) == [thread]
    assert report == SourceReport()


def test_a_marker_in_a_fence_makes_no_text_page(tmp_path: Path) -> None:
    text = "Q: How does a page look?\nA: So:\n```\nUpvote:3\n```\n\nQ: Is that all?\nA: Yes.\n"
    (tmp_path / "faq.txt").write_text(text, encoding="utf-8")
    found = [thread.title for thread in read(tmp_path / "faq.txt", SourceReport())]
    assert found == ["How does a page look?", "Is that all?"]


def test_only_one_fence_is_taken_for_a_text_as_it_stands() -> None:
    two = "```markdown verbatim\na\n```\n\nb\n\n```\nc\n```"
    assert not roundtrip_comments.is_verbatim(two)
    assert roundtrip_comments.unwrap_verbatim(two) == two
    assert roundtrip_comments.unwrap_verbatim(roundtrip_comments.fence_verbatim(two)) == two


@pytest.mark.untraced
@pytest.mark.parametrize("line", ["```", "~~~x", "- ```", "- ", "`" * 200, "1. - * ~~~", "\t"])
def test_many_fences_take_no_more_than_moments(line: str) -> None:
    lines = [line] * 50_000
    for to_end in (True, False):
        assert cpu_seconds(partial(find_fences, lines, to_end=to_end)) < 15
