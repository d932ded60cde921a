"""Bring the catalogues in bot/locale up to date with the words in the code: make messages.

``make messages LANGUAGE=nl`` begins a new one. What is translated stays; what the code has no
longer goes; what is new stands there untranslated, and is shown in English meanwhile.
"""

from __future__ import annotations

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.core import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from bot.i18n import FOLDER

ROOT = Path(__file__).resolve().parents[1]
CODE = ("bot", "cogs")
MARKS = {"_": 1, "gettext": 1, "N_": 1, "ngettext": 2}
"""Functions that mark texts, with how many forms of one they take."""

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
    for file in sorted(each for folder in CODE for each in (ROOT / folder).rglob("*.py")):
        place = [(file.relative_to(ROOT).as_posix(), 1)]
        for message in marked(ast.parse(file.read_text(encoding="utf-8"))):
            messages.add(message, locations=place)
    return messages


def marked(tree: ast.Module) -> Iterator[str | tuple[str, ...]]:
    """Yield the texts of a module that are marked; the two forms of what is counted in a tuple.

    Babel's own reader passes over what stands in the braces of an f-string.
    """
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        forms = MARKS.get(getattr(call.func, "id", ""), 0)
        texts = [arg.value for arg in call.args[:forms] if isinstance(arg, ast.Constant)]
        if forms and len(texts) == forms:
            yield str(texts[0]) if forms == 1 else tuple(map(str, texts))


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
