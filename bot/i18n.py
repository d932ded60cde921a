"""Translation of all that people read in Discord: gettext catalogues, read with Babel.

The words in the code are English. ``bot/locale`` has a catalogue for each other language, named
by its locale (``de.po``, ``pt_BR.po``). A catalogue may be incomplete: what it lacks is shown in
English. Mark texts so that ``make messages`` finds them::

    _("The answer stands at {tally}.").format(tally=tally)
    ngettext("{count} answer", "{count} answers", count).format(count=count)
    HINT = N_("Ask me something.")  # a constant is marked here, and translated where it is used
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from babel.core import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

FOLDER = Path(__file__).with_name("locale")

ENGLISH = "en"

_current: ContextVar[str] = ContextVar("language", default=ENGLISH)


def gettext(message: str) -> str:
    """Return a text in the current language, with its placeholders."""
    # A catalogue's own description stands there under the empty text.
    return _catalogue(_current.get()).gettext(message) if message else ""


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a text for a count in the current language, with its placeholders."""
    return _catalogue(_current.get()).ngettext(one, many, count)


def number(count: int) -> str:
    """Return a whole number as people write it in the current language."""
    return format_decimal(count, locale=_current.get())


def N_(message: str) -> str:  # gettext's own name
    """Mark a text that is translated later, and return it as it is."""
    return message


def current() -> str:
    """Return the current language."""
    return _current.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Have the texts that are made within the block be in a language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def speak(language: str) -> None:
    """Have the texts that the current task makes from here on be in a language."""
    _current.set(language)


def named(language: str) -> str:
    """Return what the speakers of a language call it."""
    return Locale.parse(language).get_display_name(language) or language


@lru_cache(1)
def languages() -> tuple[str, ...]:
    """Return the languages to be had, by locale: English and those with a catalogue."""
    return (ENGLISH, *sorted(file.stem for file in FOLDER.glob("*.po")))


def load() -> None:
    """Read all catalogues, some 20 ms each, so that none is read while somebody waits."""
    for language in languages():
        _catalogue(language)


@lru_cache(256)
def language_of(locale: str | None) -> str:
    """Return the language to be had that is nearest to a locale of Discord's ("pt-BR", "de").

    Where there is none for the country, one of the same language and script; else English.
    """
    try:
        wanted = Locale.parse(locale or ENGLISH, sep="-")
    except (ValueError, UnknownLocaleError):
        return ENGLISH
    known = {name: Locale.parse(name) for name in languages()}
    same = [
        name
        for name, other in known.items()
        if (other.language, other.script) == (wanted.language, wanted.script)
    ]
    exact = [name for name in same if known[name].territory == wanted.territory]
    return next(iter([*exact, *same]), ENGLISH)


@lru_cache
def _catalogue(language: str) -> NullTranslations:
    """Return the texts of a language; those of English are the keys."""
    file = FOLDER / f"{language}.po"
    if language == ENGLISH or not file.is_file():
        return NullTranslations()
    with file.open(encoding="utf-8") as source:
        catalogue = read_po(source, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)
