"""The language of a library, by its titles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.search.language import library_language
from bot.search.unrelated import UNRELATED
from tests.kit.paths import ROOT
from tests.kit.search import GARDEN, KOREAN, SEVENTY

LANGUAGES = sorted((ROOT / "tests" / "matching" / "languages").glob("*.json"))
SWEDISH = (
    "Hur lånar jag en bok på biblioteket?",
    "Vad kostar det att vara försenad?",
    "När har ni öppet på helgen?",
    "Kan jag skriva ut dokument hos er?",
    "Varför fungerar inte mitt kort?",
    "Måste jag betala för ett nytt lånekort?",
)


def seeds() -> list[str]:
    return [file.read_text().split("\n")[0] for file in sorted((ROOT / "seeds").glob("*.txt"))]


@pytest.mark.parametrize("file", LANGUAGES, ids=lambda file: file.stem)
def test_small_libraries_are_taken_for_what_they_are(file: Path) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    titles = [thread["title"] for thread in content["threads"]]
    assert library_language(titles * 20) == content["language"] == file.stem
    assert library_language([*titles, *content["unrelated"]]) in (file.stem, None)


def test_english_libraries_are_english() -> None:
    assert {library_language(titles) for titles in (GARDEN, SEVENTY, SEVENTY[:3], seeds())} == {
        "en"
    }


def test_the_questions_about_other_fields_are_in_their_language() -> None:
    for language, texts in UNRELATED.items():
        assert library_language(texts) == language


@pytest.mark.parametrize("titles", [[], ["", "?"], SWEDISH, ["ยืมหนังสือได้อย่างไร", "Πού είναι;"]])
def test_what_is_in_none_of_them_is_left_open(titles: list[str]) -> None:
    assert library_language(titles) is None


def test_the_greater_part_decides() -> None:
    assert library_language([*KOREAN, *GARDEN[:2]]) == "ko"
    assert library_language([*KOREAN[:2], *SEVENTY]) == "en"
