"""Count how often the encoding of a table of two lines is detected: ``encodings.py FOLDER``.

FOLDER holds gettext catalogs (``*.po``) in folders named as their languages are, such as an
unpacked Django: ``pip download --no-deps django && unzip django-*.whl -d FOLDER``. Of each
language's sentences, a question and an answer are drawn many times, written in the encoding
that spreadsheets use for it, and read. Run it before another charset-normalizer is pinned.
"""

from __future__ import annotations

import argparse
import ast
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bot.sources.encodings import CANDIDATES, guess

LANGUAGES = {
    "cp1252": "de fr es pt it nl sv da fi nb ca",
    "cp1250": "pl cs sk hu hr sl",
    "cp1251": "ru bg uk sr",
    "cp932": "ja",
    "gb18030": "zh_Hans",
    "big5": "zh_Hant",
    "euc_kr": "ko",
    # What can't be told, and must be refused.
    "cp1253": "el",
    "cp1254": "tr",
    "cp1255": "he",
    "cp1256": "ar",
    "cp1257": "lt lv",
    "koi8_r": "ru",
    "iso8859_2": "pl cs",
}
_STRING = r'"(?:[^"\\]|\\.)*"'
_SAID = re.compile(rf"^msgstr(?:\[\d\])? ((?:{_STRING}\n?)+)", re.MULTILINE)
_PLACE = re.compile(r"%\(?\w*\)?[sdr]|\{\w*\}|<[^>]*>|\"")


def sentences(folder: Path, language: str, shortest: int) -> list[str]:
    """Return the sentences of a language, without places for values."""
    found: set[str] = set()
    for file in folder.rglob(f"{language}/LC_MESSAGES/*.po"):
        for said in _SAID.finditer(file.read_text(encoding="utf-8")):
            text = "".join(map(ast.literal_eval, re.findall(_STRING, said[1])))
            text = " ".join(_PLACE.sub("", text).split())
            if shortest <= len(text) <= 90 and "Content-Type" not in text:
                found.add(text)
    return sorted(found)


def tables(said: list[str], encoding: str, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield tables of two lines that can be written in an encoding, and aren't ASCII alone."""
    drawn = random.Random(seed)
    for _ in range(count if said else 0):
        text = f"question\tanswer\n{drawn.choice(said)}\t{drawn.choice(said)}\n"
        try:
            data = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        if not data.isascii():
            yield text, data


def main() -> None:
    """Print, for each language, how many tables were read rightly, refused, read wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200, help="tables of each language")
    parser.add_argument("--shortest", type=int, default=4, help="characters of a sentence")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{'encoding':10} {'language':8} {'tables':>6} {'right':>6} {'refused':>7} {'wrong':>6}")
    for encoding, languages in LANGUAGES.items():
        for language in languages.split():
            said = sentences(options.folder, language, options.shortest)
            came: Counter[str] = Counter()
            for text, data in tables(said, encoding, options.count, options.seed):
                told = guess(data).sure
                right = told is not None and data.decode(told) == text
                came["refused" if told is None else "right" if right else "wrong"] += 1
            numbers = f"{came['right']:>6} {came['refused']:>7} {came['wrong']:>6}"
            mark = "" if encoding in CANDIDATES else "  (not to be told)"
            print(f"{encoding:10} {language:8} {came.total():>6} {numbers}{mark}")


if __name__ == "__main__":
    main()
