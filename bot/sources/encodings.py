"""Detection of the encoding of bytes that are not UTF-8, and names of encodings.

charset-normalizer says which of a few encodings give no mess; of a short text those may be
several, so that how likely the letters are decides (``letter_model``). Where that leaves a doubt
nothing is guessed: wrong letters would go into keys as well.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from bot.errors import ConfigError
from bot.sources.letter_model import languages, likelihood

CANDIDATES = ("cp1252", "cp1250", "cp1251", "cp932", "gb18030", "euc_kr", "big5")
"""What may be detected; the first of those that give the same text is named."""

LABELS = {
    "cp1252": "Windows-1252",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "cp932": "Shift JIS (cp932)",
    "gb18030": "GB18030",
    "euc_kr": "EUC-KR",
    "big5": "Big5",
}
"""What an encoding is called for people; any other by its own name."""

NO_TEXT = frozenset(
    "punycode idna undefined unicode-escape raw-unicode-escape utf-7 charmap mbcs oem".split()
)
"""Python knows them as encodings of text; no file is in one, and some take for ever."""

_SAMPLE = 8 * 1024
"""Bytes that are looked at, of what is beyond ASCII: enough to be sure, and quickly read."""

_AROUND = 150
"""Bytes of ASCII on either side of what is beyond it, of the same line."""

_PIECE = 1024 * 1024
_BEYOND = re.compile(rb"[\x80-\xff](?:[^\x80-\xff\r\n]{0,150}[\x80-\xff])*")
_LINE_BEFORE = re.compile(rb"[^\r\n]*\Z")
_LINE_AFTER = re.compile(rb"[^\r\n]*")
_TAG = re.compile(rb"<[^<>]*>")

_MESS = 0.5
"""How much of a text charset-normalizer may find odd; with its own 0.2, Chinese with words of
English in it is left out."""

_MARGIN = 4.0
"""How much likelier the best must be than any other text, as a logarithm: 1 in 50 at most."""

_HANDICAPS = {"cp1254": 2.0, "cp1257": 2.0, "iso8859_2": 2.0, "mac_roman": 6.0, "cp874": 8.0}
"""How much likelier than a candidate an encoding must be that is none, to be taken for more than
chance: in these, short words are often words of Windows' encodings too."""

_OTHER_LETTERS = -2.0
"""The same for encodings of other letters, where it needs less."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A guessed encoding: ``sure`` if there is no doubt, else those that are ``possible``."""

    sure: str | None
    possible: tuple[str, ...] = ()


def label(encoding: str) -> str:
    """Return the name that people know an encoding by."""
    return LABELS.get(encoding, encoding)


def named_encoding(name: str) -> str:
    """Return Python's name of a text encoding. Raises ConfigError when there is no such one."""
    try:
        encoding = codecs.lookup(name).name
    except (LookupError, ValueError):
        raise ConfigError(
            f"there is no encoding {name[:40]!r}; among others there are utf-8, utf-16, "
            f"{', '.join(CANDIDATES)}"
        ) from None
    if encoding in NO_TEXT or not _is_text(encoding):
        raise ConfigError(f"{name[:40]!r} is no encoding that text files are in")
    return encoding


def guess(data: bytes) -> Guess:
    """Guess the encoding of bytes that are not UTF-8."""
    sample = _sample(data)
    likely: dict[str, float] = {}
    names: dict[str, str] = {}
    for encoding in languages():
        text = _decoded(data, sample, encoding)
        if text is None:
            continue
        chance = likelihood(text, encoding) - _handicap(encoding)
        if text not in likely or chance > likely[text]:
            likely[text] = chance
        names.setdefault(text, encoding)
    ranked = sorted(likely, key=lambda text: -likely[text])
    if not ranked:
        return Guess(None)
    best = ranked[0]
    close = [text for text in ranked if likely[text] > likely[best] - _MARGIN]
    close = [text for text in close if text == best or names[text] in CANDIDATES]
    possible = tuple(names[text] for text in close)
    sure = len(close) == 1 and names[best] in CANDIDATES and best in _without_mess(sample)
    return Guess(names[best] if sure else None, possible)


def _sample(data: bytes) -> bytes:
    """Return the bytes beyond ASCII with the words around them, without HTML tags."""
    parts: list[bytes] = []
    left = _SAMPLE
    for match in _BEYOND.finditer(data):
        # All before it is ASCII, so that no letter is cut there.
        before = _LINE_BEFORE.search(data, max(match.start() - _AROUND, 0), match.start())
        begin = before.start() if before else match.start()
        after = _LINE_AFTER.match(data, match.end(), match.end() + _AROUND)
        end = min(after.end() if after else match.end(), begin + left + _AROUND)
        parts.append(_TAG.sub(b" ", data[begin:end]))
        left -= len(parts[-1]) + 1
        if left <= 0:
            break
    return b"\n".join(parts)


def _decoded(data: bytes, sample: bytes, encoding: str) -> str | None:
    """Decode the sample; ``None`` if not all of the data is valid in this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), _PIECE):
            decoder.decode(data[start : start + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return sample.decode(encoding, errors="ignore")  # its last letter may be cut


def _handicap(encoding: str) -> float:
    return 0 if encoding in CANDIDATES else _HANDICAPS.get(encoding, _OTHER_LETTERS)


def _without_mess(sample: bytes) -> set[str]:
    """Return the decoded texts that charset-normalizer finds plausible."""
    from charset_normalizer import from_bytes  # takes a tenth of a second

    matches = from_bytes(
        sample, cp_isolation=[*CANDIDATES], threshold=_MESS, preemptive_behaviour=False
    )
    return {str(match) for match in matches}


def _is_text(encoding: str) -> bool:
    try:
        b"text".decode(encoding)
    except LookupError:
        return False
    except UnicodeError:
        pass
    return True
