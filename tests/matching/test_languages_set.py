"""The questions written for the matching are complete and fit their threads."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bot.sources import SourceReport, read

HERE = Path(__file__).parent
SEEDS = HERE.parents[1] / "seeds"
LANGUAGES = ("ar", "de", "en", "es", "fi", "fr", "ja", "ko", "pt", "ru", "tr", "zh")


def library(language: str) -> Any:
    return json.loads((HERE / "languages" / f"{language}.json").read_text(encoding="utf-8"))


def plain(text: str) -> str:
    """Return the letters and digits of a text in lower case."""
    return "".join(character for character in text.casefold() if character.isalnum())


def lines(name: str) -> list[str]:
    return (HERE / name).read_text(encoding="utf-8").splitlines()


def seed_titles() -> dict[str, str]:
    """Return the titles of the seeds by the names of their files."""
    return {
        path.stem: path.read_text(encoding="utf-8").partition("\n")[0]
        for path in SEEDS.glob("*.txt")
    }


def test_there_is_a_file_for_each_language_and_no_other() -> None:
    assert {path.stem for path in (HERE / "languages").glob("*.json")} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_library_has_ten_threads_with_ids_of_their_own(language: str) -> None:
    read = library(language)
    assert read["language"] == language
    assert len({thread["id"] for thread in read["threads"]}) == len(read["threads"]) == 10
    assert len({plain(thread["title"]) for thread in read["threads"]}) == 10
    assert all(thread[key].strip() for thread in read["threads"] for key in ("title", "answer"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_thread_is_asked_twice_in_other_words(language: str) -> None:
    read = library(language)
    ids = [thread["id"] for thread in read["threads"]]
    assert [key for key, _ in read["paraphrases"]] == [key for key in ids for _ in range(2)]
    assert len({plain(question) for _, question in read["paraphrases"]}) == 20
    titles = {plain(thread["title"]) for thread in read["threads"]}
    assert titles.isdisjoint(plain(question) for _, question in read["paraphrases"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_twenty_questions_are_about_something_else(language: str) -> None:
    read = library(language)
    unrelated = {plain(question) for question in read["unrelated"]}
    assert len(unrelated) == len(read["unrelated"]) == 20
    asked = [thread["title"] for thread in read["threads"]]
    asked += [question for _, question in read["paraphrases"]]
    assert unrelated.isdisjoint(map(plain, asked))


def test_each_seed_is_asked_ten_times_in_other_words() -> None:
    rows = [line.split("\t") for line in lines("seeds_asked.tsv")]
    titles = seed_titles()
    assert Counter(key for key, _ in rows) == dict.fromkeys(titles, 10)
    questions = {plain(question) for _, question in rows}
    assert len(questions) == len(rows)
    assert questions.isdisjoint(map(plain, titles.values()))


def test_no_wording_that_is_kept_apart_is_a_phrasing_of_a_seed() -> None:
    wordings = [line.split("\t") for line in lines("seeds_asked.tsv")]
    kept_apart = {plain(words) for n, (_, words) in enumerate(wordings) if n % 10 >= 5}
    threads = list(read(SEEDS, SourceReport()))
    phrasings = {plain(phrasing) for thread in threads for phrasing in thread.phrasings}
    assert len(threads) == len(seed_titles())
    assert len(phrasings) >= len(threads)
    assert phrasings.isdisjoint(kept_apart)


def test_sixty_questions_are_none_that_a_seed_answers() -> None:
    unanswered = {plain(line) for line in lines("seeds_unanswered.txt")}
    assert len(unanswered) == len(lines("seeds_unanswered.txt")) == 60
    asked = [line.partition("\t")[2] for line in lines("seeds_asked.tsv")]
    assert unanswered.isdisjoint(map(plain, [*seed_titles().values(), *asked]))
