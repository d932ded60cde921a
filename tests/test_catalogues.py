"""The catalogues of the bot's words: each fits the code, and says the same as the English."""

from __future__ import annotations

import gettext
import re
from collections.abc import Sequence
from functools import cache
from string import Formatter

import messages
import pytest
from babel.messages.catalog import Catalog, Message

from bot import i18n

LANGUAGES = [language for language in i18n.languages() if language != i18n.ENGLISH]
MARKS = re.compile(r"`[^`]+`|\*\*|(?<!\w)/[a-z][a-z-]*(?: [a-z]+)?|https?://\S+|-# |<[@#:/]")
"""What must stay in a translation: code, bold, commands, addresses, small lines, mentions."""


BEHIND_A_TITLE = re.compile(
    r"\{(?:title|question|phrasing|change|tags?)\}[*_\"»”]*[.!?\u3002\uff01\uff1f]"
)
"""A sign that would come twice: "How?." is no sentence."""


def texts(language: str) -> list[tuple[str, str]]:
    """Return the English and the translated texts of a catalogue, in pairs."""
    pairs = list[tuple[str, str]]()
    for message in messages.read(language):
        if not message.id or not message.string:
            continue
        if isinstance(message.id, str):
            pairs.append((message.id, str(message.string)))
        else:
            pairs += [(message.id[1], form) for form in message.string if form]
    return pairs


def placeholders(text: str) -> list[str]:
    return sorted(field for _, field, _, _ in Formatter().parse(text) if field is not None)


@cache
def extracted() -> Catalog:
    return messages.extracted()


def english() -> list[Message]:
    return [message for message in extracted() if message.id]


def test_there_are_catalogues() -> None:
    assert "de" in LANGUAGES
    assert len(english()) > 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_up_to_date(language: str) -> None:
    there = (i18n.FOLDER / f"{language}.po").read_text(encoding="utf-8")

    assert messages.written(messages.read(language), extracted()) == there, "make messages"


@pytest.mark.parametrize("language", LANGUAGES)
def test_marks_and_placeholders_stay(language: str) -> None:
    wrong = [
        (source, said)
        for source, said in texts(language)
        if sorted(set(MARKS.findall(source))) != sorted(set(MARKS.findall(said)))
        or (placeholders(source) != placeholders(said) and "{count}" not in source)
        or set(placeholders(source)) - {"count"} != set(placeholders(said)) - {"count"}
        or source.count("\n") != said.count("\n")
        or said != said.strip()
    ]
    assert wrong == []


@pytest.mark.parametrize("language", [i18n.ENGLISH, *LANGUAGES])
def test_nothing_stands_behind_a_title_that_may_end_with_a_question_mark(language: str) -> None:
    said = [text for m in english() for text in ([m.id] if isinstance(m.id, str) else m.id)]
    if language != i18n.ENGLISH:
        said = [translated for _, translated in texts(language)]
    assert [text for text in said if BEHIND_A_TITLE.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_is_left_out_where_there_is_but_one(language: str) -> None:
    catalogue = messages.read(language)
    form_of = gettext.c2py(catalogue.plural_expr)
    wrong = list[Sequence[str]]()
    for message in catalogue:
        if not isinstance(message.id, list | tuple) or not any(message.string or ()):
            continue
        forms = list(message.string or ())
        several = {form_of(count) for count in (0, *range(2, 200))} - {form_of(1)}
        several |= {form_of(1)} if any(form_of(n) == form_of(1) for n in range(2, 200)) else set()
        counted = all("{count}" in forms[form] for form in several)
        if len(forms) != catalogue.num_plurals or not all(forms) or not counted:
            wrong.append(forms)
    assert wrong == []


def test_the_english_forms_have_the_same_placeholders() -> None:
    for message in english():
        if isinstance(message.id, list | tuple):
            one, many = map(placeholders, message.id)
            assert set(many) - set(one) <= {"count"}, message.id


def test_a_text_that_is_changed_is_english_until_it_is_translated_anew() -> None:
    catalogue = messages.read("de")
    found = catalogue.get("This works only in a server.")
    assert found is not None
    assert found.string
    text = messages.written(catalogue, extracted())
    assert text.count('msgid "This works only in a server."') == 1
    changed = messages.extracted()
    changed.delete("This works only in a server.")
    changed.add("This works in a server only.")
    text = messages.written(messages.read("de"), changed)
    assert "This works only in a server." not in text
    assert 'msgid "This works in a server only."\nmsgstr ""\n' in text
