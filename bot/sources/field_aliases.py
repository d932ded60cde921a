"""Under which names others keep what a thread consists of: columns of tables, keys of JSON."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from bot.errors import ConfigError

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
    """The field that a column or key of this name holds, if it is a name that we know."""
    return _FIELD_OF.get(plain(name))


def plain(name: str) -> str:
    """A name without what differs from table to table: letter case, accents, spaces."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())  # acceptedAnswer
    letters = unicodedata.normalize("NFKD", spaced.casefold())
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"\W+", "_", unicodedata.normalize("NFC", bare)).strip("_")


class Names:
    """Which name holds which field: as ``chosen`` says (field to name), else as is common."""

    def __init__(self, chosen: Mapping[str, str]):
        self._chosen = {plain(name): field for field, name in chosen.items()}
        self._taken = frozenset(chosen)

    def field(self, name: str) -> str | None:
        """The field that is kept under this name, or ``None``."""
        chosen = self._chosen.get(plain(name))
        if chosen is not None:
            return chosen
        common = field_of(name)
        return None if common in self._taken else common

    def by_field(self, names: Iterable[str]) -> dict[str, str]:
        """For each field the first of the names that holds it."""
        found: dict[str, str] = {}
        for name in names:
            field = self.field(name)
            if field is not None:
                found.setdefault(field, name)
        return found


def chosen_names(text: str) -> dict[str, str]:
    """What ``--map question=Frage,answer=Antwort`` says, by field.

    Raises ConfigError when that is said in another way, of something that is no field, or
    when a field or a column comes twice.
    """
    found: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        field, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals or not field or not name:
            raise ConfigError(
                f"{part.strip()!r} names no column: write --map question=COLUMN,answer=COLUMN"
            )
        if plain(field) not in FIELDS:
            known = ", ".join(FIELDS)
            raise ConfigError(f"a thread has no {field!r} to map a column to; it has {known}")
        if plain(field) in found:
            raise ConfigError(f"--map gives {plain(field)!r} twice; it is one column")
        for other, taken in found.items():
            if (plain(taken) or taken) == (plain(name) or name):
                raise ConfigError(f"column {name!r} can't be both {other} and {plain(field)}")
        found[plain(field)] = name
    return found
