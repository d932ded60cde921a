"""Comments that our exports write into pages for people, so that reading them loses nothing.

A comment carries what a page has no words for (keys, authors, dates), as JSON under the
names that JSON Lines has; readers of Markdown and HTML don't show it. A text that would
be taken for more than text there stands in a fence, exactly as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import counted
from bot.models import Thread
from bot.sources.fences import is_one_fence
from bot.sources.json_thread import FieldError, thread_to

_COMMENT = re.compile(r"[ \t]*<!-- threadwise (?P<json>\{.*\}) -->[ \t]*")
_VERBATIM = "markdown verbatim"
_FENCED = re.compile(rf"(?P<ticks>`{{3,}}){_VERBATIM}\n(?P<text>(?:.*\n)*?.*)\n(?P=ticks)")


def comment_line(values: Mapping[str, Any]) -> str:
    """Return a line that carries ``values``; nothing in it can end the comment early."""
    text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    # A comment ends at "-->"; some readers take "--" alone, or "<!--", for a mistake.
    for sign in "<>":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    text = text.replace("--", "-\\u002d")
    # What other programs may take for the end of a line.
    text = re.sub("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", lambda m: f"\\u{ord(m[0]):04x}", text)
    return f"<!-- threadwise {text} -->"


def values_of(line: str) -> dict[str, Any] | None:
    """Parse a line that is an export's comment; ``None`` for any other. Raises FieldError."""
    match = _COMMENT.fullmatch(line)
    if not match:
        return None
    try:
        values = json.loads(match["json"])
    except (ValueError, RecursionError):
        raise FieldError("its comment is not JSON: mend it or take it out") from None
    return values if isinstance(values, dict) else None


def split_comment(lines: Sequence[str]) -> tuple[list[str], dict[str, Any] | None]:
    """Return lines without an export's comment at their beginning, and its values."""
    at = next((i for i, line in enumerate(lines) if line.strip()), None)
    values = None if at is None else values_of(lines[at])
    return list(lines if values is None or at is None else lines[at + 1 :]), values


def has_comment(text: str) -> bool:
    """Return whether a line of the text may be a comment of ours."""
    return "<!-- threadwise {" in text


def fence_verbatim(text: str) -> str:
    """Return the text in a fence that nothing in it can close."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{_VERBATIM}\n{text}\n{ticks}"


def is_verbatim(text: str) -> bool:
    """Return whether text as a whole stands in a verbatim fence."""
    return _FENCED.fullmatch(text) is not None and is_one_fence(text.split("\n"))


def unwrap_verbatim(text: str) -> str:
    """Return the content of a verbatim fence; any other text as it is."""
    match = _FENCED.fullmatch(text)
    return match["text"] if match and is_one_fence(text.split("\n")) else text


def joined_text(lines: Sequence[str]) -> str:
    """Join lines without the blank ones at both ends, out of their verbatim fence."""
    said = [i for i, line in enumerate(lines) if line.strip(" \t")]
    text = "\n".join(lines[said[0] : said[-1] + 1]) if said else ""
    return unwrap_verbatim(text)


def values_without_words(thread: Thread) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the values that a page can't show: of the thread, and of each answer.

    Left out are title, bodies, scores, accepted, and what a thread doesn't have.
    """
    values = thread_to(thread)
    answers = values.pop("answers")
    shown = ("title", "body", "score", "accepted")

    def kept(row: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in row.items() if k not in shown and v not in (None, [], {})}

    return kept(values), [kept(answer) for answer in answers]


def merge_comment(row: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return a page's values with those of its comment over them, answers in order."""
    said, about = row["answers"], values.get("answers", [])
    if about and (not isinstance(about, list) or len(about) != len(said)):
        raise FieldError(
            f"it speaks of {counted(len(about), 'answers')}, and the page has {len(said)}; "
            "mend that line or take it out"
        )
    answers = [own | more for own, more in zip(said, about or [{}] * len(said), strict=True)]
    return row | values | {"answers": answers}
