"""Code as Discord shows it: inline or as a block, whatever is inside."""

from __future__ import annotations

import re
from typing import Any

BREAK = "\0"
"""A line break inside a paragraph, until its spaces are tidied. (Text holds no NUL.)"""

JOINT = "\u200b"
"""Keeps marks apart that would be read as one."""

_TICKS = re.compile("``+")
_LANGUAGE = re.compile(r"(?:^|\s)lang(?:uage)?-([A-Za-z0-9+#.\-]{1,20})(?=\s|$)")
_ALIASES = {"none": "", "default": "", "plaintext": "", "text": "", "c++": "cpp", "c#": "cs"}


def inline_code(text: str) -> str:
    """The text as a code span, whatever backticks are in it."""
    text = " ".join(text.split())
    if "`" not in text:
        return f"`{text}`" if text else ""
    text = _TICKS.sub(lambda run: JOINT.join(run[0]), text)
    left = " " if text[0] == "`" else ""
    right = " " if text[-1] == "`" else ""
    return f"``{left}{text}{right}``"


def add_code(pieces: list[str], code: str) -> None:
    """Append a code span; two side by side become one."""
    if not code:
        return
    before = pieces[-1][-2:] if pieces else ""
    if before[-1:] == "`":
        if before in ("``", "\\`") or code[:2] == "``":
            pieces.append(JOINT)
        else:
            pieces[-1] = pieces[-1][:-1]
            code = code[1:]
    pieces.append(code)


def code_block(text: str, language: str = "") -> str:
    """The text as a fenced block; nothing if it is blank."""
    lines = text.rstrip().split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    if not lines:
        return ""
    inside = "\n".join(map(str.rstrip, lines))
    if "```" in inside:  # which would end the block
        inside = _TICKS.sub(lambda run: JOINT.join(run[0]), inside)
    return f"```{language}\n{inside}\n```"


def language_of(pre: Any) -> str:
    """The language that a ``pre`` or the ``code`` in it names, as Discord spells it."""
    for element in (pre, *pre):
        named = element.get("class") if element is pre or element.tag == "code" else None
        if named and (found := _LANGUAGE.search(named)):
            name = found[1].lower()
            return _ALIASES.get(name, name)
    return ""
