r"""Code and formulas as Discord shows them: inline or as a block, whatever is inside.

MathJax in running text is kept as code, so that Markdown eats no backslash or underscore.
Between dollars there may as well be prices or variables of a shell, so what stands there
must look like a formula. ``$$…$$``, ``\(…\)``, ``\[…\]`` and ``\begin{…}`` leave no doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

BREAK = "\0"
"""A line break inside a paragraph, until its spaces are tidied. (Text holds no NUL.)"""

JOINT = "\u200b"
"""Keeps marks apart that would be read as one."""

_TICKS = re.compile("``+")
_LANGUAGE = re.compile(r"(?:^|\s)lang(?:uage)?-([A-Za-z0-9+#.\-]{1,20})(?=\s|$)")
_ALIASES = {"none": "", "default": "", "plaintext": "", "text": "", "c++": "cpp", "c#": "cs"}


def inline_code(text: str) -> str:
    """Return the text as a code span, whatever backticks are in it."""
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
    """Return the text as a fenced block; nothing if it is blank."""
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
    """Return the language that a ``pre`` or the ``code`` in it names, as Discord spells it."""
    for element in (pre, *pre):
        named = element.get("class") if element is pre or element.tag == "code" else None
        if named and (match := _LANGUAGE.search(named)):
            name = match[1].lower()
            return _ALIASES.get(name, name)
    return ""


_OPENING = re.compile(r"\$\$|\\\$|\$|\\\(|\\\[|\\begin\{([a-zA-Z]+\*?)\}")
_CLOSING = {"$$": "$$", "\\(": "\\)", "\\[": "\\]", "\\$": "\\$"}
_DEFINING = ("\\newcommand", "\\renewcommand", "\\def\\", "\\DeclareMathOperator")
_BRACES = r"\{(?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*\}"
_DEFINITION = re.compile(  # of a macro; readers see nothing of it
    rf"\\(?:(?:re)?newcommand|DeclareMathOperator)\*?\s*(?:\\[a-zA-Z]+|{_BRACES})\s*(?:\[[^\]]*\])*\s*{_BRACES}"
    rf"|\\def\s*\\[a-zA-Z]+[#\d]*\s*{_BRACES}"
)
_LONGEST = 1_000  # of a formula between single dollars
_SURELY_TEX = re.compile(r"\\[a-zA-Z]{2}|[\^_]\{|\^")
_MAYBE_TEX = re.compile(r"\\[a-zA-Z{}|,;!]|[_{}]")
_PROSE = re.compile(r"[a-zA-Z]{3}[,;:.]? |[^\W\d_]{2} [^\W\d_]{2}|[,;:.]$")


def rendered(text: str, escape: Callable[[str], str]) -> str:
    """Return the text with its formulas as code and the rest escaped."""
    out: list[str] = []
    done = 0
    for start, end, formula, display in _formulas(text):
        if start > done:
            out.append(escape(text[done:start]))
        if formula.startswith(_DEFINING):
            formula = _DEFINITION.sub("", formula).strip()
        if display:
            out += [BREAK, _shown(formula), BREAK]
        else:
            add_code(out, inline_code(formula))
        done = end
    out.append(escape(text[done:]))
    return "".join(out)


def _shown(formula: str) -> str:
    """Return a formula that stands alone: a line of code for each of its lines."""
    lines = map(inline_code, formula.split("\n"))
    return BREAK.join(line for line in lines if line)


def _formulas(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Yield where formulas are: start, end, what is inside, and whether it stands alone."""
    hopeless: set[str] = set()  # closings that don't come again: keeps the search linear
    at = 0
    while opening := _OPENING.search(text, at):
        at = opening.end()
        mark = opening[0]
        if mark == "$":
            end = _dollar(text, at)
            if end:
                yield opening.start(), end + 1, text[at:end].strip(), False
                at = end + 1
            continue
        environment = opening[1]
        closing = f"\\end{{{environment}}}" if environment else _CLOSING[mark]
        end = -1 if closing in hopeless else text.find(closing, at)
        if end < 0:
            hopeless.add(closing)
        elif mark == "\\$" and not _SURELY_TEX.search(text, at, end):
            continue
        elif inside := text[opening.start() : end + len(closing)] if environment else text[at:end]:
            at = end + len(closing)
            if inside.strip():
                yield opening.start(), at, inside.strip(), mark not in ("\\(", "\\$")


def _dollar(text: str, at: int) -> int:
    """Return the end of the formula that a single dollar before ``at`` opens, else 0."""
    end = text.find("$", at, at + _LONGEST)
    while end > 0 and text[end - 1] == "\\":
        end = text.find("$", end + 1, at + _LONGEST)
    inside = text[at:end] if end > 0 else ""
    if not inside or "\n\n" in inside:
        return 0
    if _SURELY_TEX.search(inside):
        return end
    before, after = text[at - 2 : at - 1], text[end + 1 : end + 2]
    if before.isalnum() or after.isdigit() or inside[0].isspace() or inside[-1].isspace():
        return 0
    if _MAYBE_TEX.search(inside):
        return end
    return 0 if _PROSE.search(inside) or (after.isalpha() and len(inside) > 2) else end
