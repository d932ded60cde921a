"""The words of the bot in other languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import i18n

GERMAN = r"""
msgid ""
msgstr ""
"Language: de\n"
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

msgid "You voted for it."
msgstr "Du hast dafür gestimmt."

msgid "{count} answer"
msgid_plural "{count} answers"
msgstr[0] "{count} Antwort"
msgstr[1] "{count} Antworten"
"""


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "de.po").write_text(GERMAN, encoding="utf-8")
    (tmp_path / "pt_BR.po").write_text(GERMAN, encoding="utf-8")
    monkeypatch.setattr(i18n, "FOLDER", tmp_path)
    caches = (i18n.languages, i18n.language_of, i18n._catalogue)
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


@pytest.mark.usefixtures("german")
class TestCatalogues:
    def test_a_text_is_in_the_language_that_is_spoken(self) -> None:
        with i18n.speaking("de"):
            assert i18n.gettext("You voted for it.") == "Du hast dafür gestimmt."
        assert i18n.gettext("You voted for it.") == "You voted for it."

    @pytest.mark.parametrize(("count", "said"), [(1, "{count} Antwort"), (0, "{count} Antworten")])
    def test_a_count_has_its_form(self, count: int, said: str) -> None:
        with i18n.speaking("de"):
            assert i18n.ngettext("{count} answer", "{count} answers", count) == said

    def test_what_a_catalogue_lacks_is_english(self) -> None:
        with i18n.speaking("de"):
            assert i18n.gettext("Nobody has answered.") == "Nobody has answered."

    @pytest.mark.parametrize(
        ("locale", "language"),
        [
            ("de", "de"),
            ("de-AT", "de"),
            ("pt-BR", "pt_BR"),
            ("pt-PT", "pt_BR"),
            ("en-GB", "en"),
            ("xx", "en"),
            ("not a locale", "en"),
            (None, "en"),
        ],
    )
    def test_the_nearest_language_is_taken(self, locale: str | None, language: str) -> None:
        assert i18n.language_of(locale) == language
