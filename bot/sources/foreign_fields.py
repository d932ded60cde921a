"""Fields of threads as other programs have them: their names, and their values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from html import unescape
from typing import Any

from bot.errors import ConfigError
from bot.models import FieldKind
from bot.sources.files import MAX_TEXT, SCORES
from bot.sources.json_thread import FieldError, is_far, parse_date, storable
from bot.sources.markup import to_markdown
from bot.sources.markup.parsing import one_line, parse
from bot.sources.report import quoted

# The first name of each is our own, which --map takes; the others are what we have met.
FIELDS: Mapping[str, tuple[str, ...]] = {
    field: tuple(names.split())
    for field, names in {
        "question": "question questions q title prompt query ask instruction patterns "
        "frage pergunta pregunta domanda vraag pytanie otazka soru fraga spørsmal вопрос 質問 问题",
        "answer": "answer answers a response responses reply replies completion output "
        "antwort resposta respuesta risposta reponse antwoord odpowiedz odpoved cevap svar "
        "ответ 回答 答案",
        "body": "body details detail description context input question_body",
        "id": "id key question_id questionid qna_id qnaid faq_id slug uid uuid",
        "answer_id": "answer_id answerid",
        "tags": "tags tag category categories topic topics label labels keywords section kategorie",
        "score": "score votes vote upvotes upvote_count points punkte stimmen",
        "question_score": "question_score question_votes",
        "accepted": "accepted is_accepted best is_best correct is_correct akzeptiert",
        "url": "url link href permalink source_url question_url",
        "answer_url": "answer_url",
        "author": "author answer_author answered_by by user username autor",
        "question_author": "question_author asked_by",
        "license": "license licence lizenz",
        "date": "date answered_at answer_date created created_at creation_date timestamp "
        "published datum",
        "asked_at": "asked_at question_date",
        "phrasings": "phrasings phrasing alternatives alternative alternate_questions "
        "alternative_questions variations variants similar_questions aliases synonyms utterances "
        "training_phrases paraphrases",
    }.items()
}
_FIELD_OF = {name: field for field, names in FIELDS.items() for name in names}


def field_of(name: str) -> str | None:
    """Return the field that a column or key of this name commonly holds, or ``None``."""
    return _FIELD_OF.get(plain_name(name))


def plain_name(name: str) -> str:
    """Normalise a name: without letter case, accents, spaces, which differ from table to table."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())  # acceptedAnswer
    letters = unicodedata.normalize("NFKD", spaced.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"\W+", "_", unicodedata.normalize("NFC", bare)).strip("_")


class FieldNames:
    """The fields that names stand for: as ``chosen`` says (field to name), else as is common."""

    def __init__(self, chosen: Mapping[str, str]):
        self._chosen = {plain_name(name): field for field, name in chosen.items()}
        self._taken = frozenset(chosen)

    def field(self, name: str) -> str | None:
        """Return the field that this name stands for, or ``None``."""
        chosen = self._chosen.get(plain_name(name))
        if chosen is not None:
            return chosen
        common = field_of(name)
        return None if common in self._taken else common

    def by_field(self, names: Iterable[str]) -> dict[str, str]:
        """Return for each field the first of the names that stand for it."""
        name_of: dict[str, str] = {}
        for name in names:
            field = self.field(name)
            if field is not None:
                name_of.setdefault(field, name)
        return name_of


def chosen_names(text: str) -> dict[str, str]:
    """Parse ``--map question=Frage,answer=Antwort`` into names by field.

    Raises ConfigError when that is said in another way, of something that is no field, or
    when a field or a column comes twice.
    """
    name_of: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        field, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals or not field or not name:
            raise ConfigError(
                f"{part.strip()!r} names no column: write --map question=COLUMN,answer=COLUMN"
            )
        if plain_name(field) not in FIELDS:
            known = ", ".join(FIELDS)
            raise ConfigError(f"a thread has no {field!r} to map a column to; it has {known}")
        if plain_name(field) in name_of:
            raise ConfigError(f"--map gives {plain_name(field)!r} twice; it is one column")
        for other, taken in name_of.items():
            if (plain_name(taken) or taken) == (plain_name(name) or name):
                raise ConfigError(f"column {name!r} can't be both {other} and {plain_name(field)}")
        name_of[plain_name(field)] = name
    return name_of


_YES = frozenset("true yes y x 1 ✓ ✔ ✅ ja oui si sí sim tak да accepted best correct".split())
_NO = frozenset(["", *"false no n 0 - ✗ ✘ ❌ nein non nao não nie нет none null".split()])
_NUMBER = re.compile(r"[+\-\u2212]?[0-9]{1,19}(\.0+)?")
# What a browser would show as text: it begins with a tag, or one is closed in it.
_HTML = re.compile(
    r"\s*<(p|div|ul|ol|h[1-6]|span|strong|em|b|i|a|pre|br|table|blockquote)\b[^>]*>"
    r"|[^`]*</(p|a|li|ul|ol|div|strong|em|b|i|span|pre|h[1-6])>",
    re.IGNORECASE,
)
_BREAK = re.compile(r"<br[ \t]{0,3}/?>[ \t]*\n?", re.IGNORECASE)
_CODE = re.compile(r"((?<!`)`+[^`]+`+)")
_TABLE = re.compile(r"^[ \t]*\|", re.MULTILINE)


class Markdown(str):
    """Text that is Markdown already."""

    __slots__ = ()


class DateError(ValueError):
    """A date that is left out: the text says why."""


def listed(value: object) -> list[Any]:
    """Return a list as it is, anything else as a list of it alone."""
    return value if isinstance(value, list) else [value]


def _words(html: str) -> str:
    return one_line(parse(html))


def text_of(value: object, name: str, convert: Callable[[str], str] = to_markdown) -> str:
    """Convert to text, stripped; HTML becomes Markdown. Raises FieldError with the field's name."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise FieldError(f"{name} must be text, it is {quoted(value)}")
    text = str(value)
    if len(text) > MAX_TEXT:
        raise FieldError(
            f"{name} is {len(text):,} characters long; up to {MAX_TEXT:,} are read, "
            "and a whole file in one text is most likely a quote that is never closed"
        )
    if "\r" in text:  # other ends of lines would be kept as a part of the text
        text = re.sub(r"\r\n?", "\n", text)
    is_html = not isinstance(value, Markdown) and _HTML.match(text)
    if not is_html and not isinstance(value, Markdown) and _BREAK.search(text):
        text = _with_lines(text)
    return storable(convert(text) if is_html else text.strip(), name)


def _with_lines(text: str) -> str:
    """Return text with line breaks for ``<br>`` and its entities replaced."""
    if _TABLE.search(text):  # of Markdown, whose rows are lines
        return text
    parts = _CODE.split(text)
    parts[::2] = [unescape(_broken(part)).replace("\xa0", " ") for part in parts[::2]]
    return "".join(parts)


def _broken(text: str) -> str:
    """Replace each ``<br>`` and the spaces around it by a line break."""
    *lines, last = _BREAK.split(text)
    return "\n".join([*(line.rstrip(" \t") for line in lines), last])


def line_of(value: object, name: str) -> str:
    """Convert to text on one line, such as a title; of HTML only the words stay."""
    return " ".join(text_of(value, name, _words).split())


def texts_of(value: object, name: str) -> tuple[str, ...]:
    """Return several texts, each on one line, from a list or from text with separators."""
    if isinstance(value, str):
        value = re.split(r"[,;|\n]|(?<=>)(?=<)", value)
    lines = (line_of(item, name).strip("<>") for item in listed(value))
    return tuple(dict.fromkeys(filter(None, lines)))


def number_of(value: object, name: str) -> int:
    """Convert to a whole number; nothing is 0. Raises FieldError with the field's name."""
    text = "" if value is None or isinstance(value, bool) else str(value).strip()
    if not text and not isinstance(value, bool):
        return 0
    number = int(text.replace("\u2212", "-").split(".")[0]) if _NUMBER.fullmatch(text) else None
    if number is None or number not in SCORES:
        raise FieldError(f"{name} must be a whole number, it is {quoted(value)}")
    return number


def flag_of(value: object, name: str) -> bool:
    """Convert to true or false; nothing is false. Raises FieldError with the field's name."""
    word = "" if value is None else str(value).strip().casefold()
    if word in _YES or word in _NO:
        return word in _YES
    raise FieldError(f"{name} must be yes or no, it is {quoted(value)}")


def date_of(value: object, name: str) -> datetime | None:
    """Convert ISO 8601 or seconds or milliseconds since 1970 to a date; nothing is ``None``.

    Raises DateError when it is neither, or further ahead than any clock is wrong.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        date = _moment(value)
    except (ValueError, OverflowError, OSError):
        raise DateError(
            f"{name} {quoted(value)} is no date like 2024-05-31, and was left out"
        ) from None
    if is_far(date):
        raise DateError(f"{name} {quoted(value)} is far in the future, and was left out")
    return date


def _moment(value: object) -> datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Milliseconds, as JavaScript counts, are beyond any year that seconds could mean.
        return datetime.fromtimestamp(value / 1000 if abs(value) > 1e11 else value, UTC)
    if not isinstance(value, str):
        raise ValueError
    text = value.strip()
    if re.fullmatch(r"[0-9]{9,13}", text):
        return _moment(int(text))
    return parse_date(text.replace("/", "-"))


CONVERTERS: Mapping[FieldKind, Callable[[object, str], Any]] = {
    FieldKind.TEXT: text_of,
    FieldKind.OPTIONAL_TEXT: lambda value, name: line_of(value, name) or None,
    FieldKind.INTEGER: number_of,
    FieldKind.FLAG: flag_of,
    FieldKind.TEXTS: texts_of,
    FieldKind.DATE: date_of,
}
"""How a value becomes one of a model's field, by the kind of field."""
