"""Tables of Markdown, which Discord doesn't draw, on cards and pages."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.models import StoredAnswer, StoredThread
from bot.ui import cards, items, tables, text

SIZES = """\
Sizes:

| Key | What it *does* | Count |
|-----|:--------------:|------:|
| `__a__` | **bold** and snake_case | 1 |
| 投票 | a\\|b | 1,000 |
| é | x |

That | is all."""

DRAWN = """\
Sizes:

```
Key   │    What it does     │ Count
──────┼─────────────────────┼──────
__a__ │ bold and snake_case │     1
投票  │         a|b         │ 1,000
é     │          x          │
```

That | is all."""


def test_a_table_is_an_aligned_code_block():
    assert text.body(SIZES) == DRAWN


@pytest.mark.parametrize("embeds", [True, False])
async def test_tables_are_drawn_wherever_an_answer_is_shown(embeds: bool):
    answer = StoredAnswer(id=2, body=SIZES)
    thread = StoredThread(id=1, scope=0, key="k", title="t", body=SIZES, answers=(answer,))
    for card in (
        cards.answer_card(thread, answer, embeds=embeds),
        cards.page_card(thread, items.Place(1, 2), embeds=embeds),
        cards.page_card(thread, items.Place(1, items.QUESTION), embeds=embeds),
    ):
        shown = card.embed.description if card.embed else card.content
        assert DRAWN in (shown or "")


def test_a_table_without_bars_at_its_ends():
    assert tables.aligned("a | b\n--- | ---\nc | d") == "```\na │ b\n──┼──\nc │ d\n```"


@pytest.mark.parametrize(
    "said",
    [
        "```\n| a | b |\n|---|---|\n| c | d |\n```",
        "```| a | b |\n|---|---|",
        "this | that",
        "a | b\n---",
        "| a | b |\n|---|\n| c | d |",
        "| a | b |\n| c | d |",
    ],
)
def test_what_is_no_table_stays(said: str):
    assert tables.aligned(said) == said


def test_a_table_that_is_too_wide_is_a_list():
    wide = "word " * 9
    table = f"| Name | What | Why |\n|---|---|---|\n| x | {wide}| {wide}|\n| y | | z |"
    shown = tables.aligned(table)
    assert shown == f"- Name: x · What: {wide.strip()} · Why: {wide.strip()}\n- Name: y · Why: z"


def test_links_of_a_table_can_be_followed():
    table = "| Site | Page |\n|---|---|\n| one | [home](https://example.org) |"
    assert tables.aligned(table) == "Site: Page\n- one: [home](https://example.org)"


def test_the_names_of_two_columns_are_said_once_unless_a_cell_is_empty():
    wide = "word " * 11
    table = f"| Permission | What for |\n|---|---|\n| See | {wide}|\n| Write | to answer |"
    names, see, write = tables.aligned(table).split("\n")
    assert (names, see) == ("Permission: What for", f"- See: {wide.strip()}")
    assert write == "- Write: to answer"
    assert tables.aligned(f"{table}\n| | x |").endswith("\n- What for: x")


def test_a_cell_does_not_end_the_code_block():
    shown = text.body("| a | b |\n|---|---|\n| \\`\\`\\` | @everyone |")
    assert shown.count("```") == 2
    assert "@everyone" not in shown


def test_alignment_is_by_the_room_that_letters_take():
    room = {"abc": 3, "投票": 4, "é": 1, "e\u0301": 1, "\u200b": 0, "👨‍👩‍👧": 2}
    table = "\n".join(["| what | x |", "|---|---|", *(f"| _{said}_ | 1 |" for said in room)])
    rows = tables.aligned(table).splitlines()[3:-1]
    for row, (said, columns) in zip(rows, room.items(), strict=True):
        assert row == f"_{said}_" + " " * (4 - columns) + " │ 1"


HOSTILE = [
    "|" * 100_000,
    "| a | b |\n|---|---|\n" * 5_000,
    "|---|\n" * 20_000,
    "\\|" * 50_000 + "\n|---",
    "|a\n|-|\n" + "|é\n" * 30_000 + "| " + "x" * 50,
    "|" + "h" * 4_000 + "|\n|-|\n" + "|x|\n" * 30_000,
    "|a\n|-|\n|" + "`a" * 50_000,
    "|".join("a" * 10_000) + "\n" + "|".join("-" * 10_000) + "\n" + "|\n" * 10_000,
]


@pytest.mark.parametrize("said", HOSTILE, ids=range(len(HOSTILE)))
def test_no_table_takes_long_or_much(said: str):
    begun = time.process_time()
    shown = tables.aligned(said)
    assert time.process_time() - begun < 2
    assert len(shown) <= len(said) + tables.MAX_GROWTH


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["|", "-", ":", "\n", "a", "`", "*", "\\", "投", " "]), max_size=60)
)
def test_no_word_of_a_table_is_lost(parts: list[str]):
    said = "".join(parts)
    shown = text.body(said)
    for letter in "a投":
        assert shown.count(letter) >= said.count(letter)
