"""Counting different words in a few kilobytes: how near it comes, and what it can't be told."""

from __future__ import annotations

import pytest

from bot.models import Answer, Thread
from bot.search.documents import MAX_TEXT
from bot.services.upload_check import WordCount, texts_of


def counted(*texts: str, key: str = "library") -> WordCount:
    found = WordCount(key)
    found.add(texts)
    return found


def made(numbers: range) -> str:
    return " ".join(f"word{n}x" for n in numbers)


@pytest.mark.parametrize("many", [0, 1, 40, 3_000, 12_000, 120_000])
def test_it_comes_near(many: int) -> None:
    found = counted(made(range(many)), made(range(many // 2)))
    assert found.words == pytest.approx(many, rel=0.06, abs=1)


def test_the_same_words_count_once_however_they_are_written() -> None:
    assert counted("How do I vote?", "how DO i vóte", "VOTE! how?").words == 4


def test_counts_are_joined() -> None:
    both = counted(made(range(6_000))).with_(counted(made(range(4_000, 10_000))))
    assert both.words == pytest.approx(10_000, rel=0.06)
    assert both.with_(counted(made(range(3_000)))).kept == both.kept


def test_a_count_is_kept() -> None:
    before = counted(made(range(500)))
    again = WordCount("library", before.kept)
    again.add([made(range(500))])
    assert again.kept == before.kept


def test_which_words_look_alike_depends_on_a_key() -> None:
    # Of words that all fall into one register of one library, another counts each.
    alone = counted("word0x").kept
    alike = [w for w in made(range(60_000)).split() if counted(w).kept[:8] == alone[:8]][:50]
    assert counted(*alike, key="other").words > 10


def test_all_that_is_indexed_of_a_thread_is_counted_and_no_more() -> None:
    thread = Thread(
        key="key", title="title", body="body " * MAX_TEXT + "far", tags=("tag",),
        phrasings=("phrasing",), answers=(Answer(body="answer"), Answer(body="other")),
    )  # fmt: skip
    count = WordCount("library")
    count.add(texts_of(thread))
    assert WordCount("library", count.kept).words == 6
    assert "far" not in "".join(texts_of(thread))
