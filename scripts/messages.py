"""Bring the catalogues in bot/locale up to date with the words in the code: make messages.

``make messages LANGUAGE=nl`` begins a new one. What is translated stays; what the code has no
longer goes; what is new stands there untranslated, and is shown in English meanwhile.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.core import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from bot.i18n import FOLDER

ROOT = Path(__file__).resolve().parents[1]
CODE = ("bot", "cogs")
KEYWORDS = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2)}

HEADER = """\
# Threadwise in {name}. How to change it: docs/developers/translating.md
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: {plurals}\\n"

"""


def extracted() -> Catalog:
    """Return the messages of the code, in the order in which they stand there."""
    messages = Catalog()
    for folder in CODE:
        found = extract_from_dir(
            ROOT / folder,
            method_map=[("**.py", "python")],
            keywords=KEYWORDS,
            comment_tags=("i18n:",),
        )
        for file, line, message, comments, context in sorted(found, key=lambda each: each[:2]):
            place = [(f"{folder}/{file}", line)]
            messages.add(message, locations=place, auto_comments=comments, context=context)
    return messages


def read(language: str) -> Catalog:
    """Return the catalogue of a language; an empty one if there is none."""
    file = FOLDER / f"{language}.po"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return read_po(io.StringIO(text), locale=language)


def written(catalogue: Catalog, messages: Catalog) -> str:
    """Return a catalogue as a file, with the messages that there are."""
    catalogue.update(messages, no_fuzzy_matching=True)
    out = io.BytesIO()
    write_po(out, catalogue, omit_header=True, include_lineno=False, ignore_obsolete=True, width=96)
    locale = Locale.parse(str(catalogue.locale_identifier))
    header = HEADER.format(
        name=locale.english_name, language=locale, plurals=catalogue.plural_forms
    )
    return header + out.getvalue().decode().strip() + "\n"


def main(new: str = "") -> None:
    """Write all catalogues anew, and say how complete each is."""
    languages = sorted({file.stem for file in FOLDER.glob("*.po")} | ({new} if new else set()))
    messages = extracted()
    for language in languages:
        catalogue = read(language)
        text = written(catalogue, messages)
        (FOLDER / f"{language}.po").write_text(text, encoding="utf-8")
        done = sum(is_translated(message) for message in catalogue if message.id)
        print(f"{language}: {done} of {len(messages)} messages are translated")


def is_translated(message: Message) -> bool:
    """Return whether a message has its text, or all its forms, in the language."""
    forms = message.string if isinstance(message.string, list | tuple) else (message.string,)
    return all(forms)


if __name__ == "__main__":
    main(*sys.argv[1:])
