"""Questions as pages tell them to search engines: schema.org's types, in JSON-LD or microdata.

Both give rows for ``Gathering``: a question with its answers, by our fields.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from typing import Any

from bot.sources.foreign_fields import Markdown
from bot.sources.group_by_question import FieldValues
from bot.sources.markup.parsing import Element, text_of

_SCRIPT = re.compile(
    r"<script\b[^<>]*\btype\s*=\s*[\"']?application/ld\+json\b[^<>]*>", re.IGNORECASE
)
_END = re.compile("</script", re.IGNORECASE)
_DEEP = 20

_ANSWER = frozenset(
    "text description articleBody upvoteCount author url dateCreated datePublished".split()
)
"""What is read of an answer; ``name`` and ``position`` say nothing more."""

_SAYS_NOTHING = frozenset(("name", "position"))

Inside = Callable[[Element], str]
"""What stands in an element, as Markdown."""


def json_ld(page: str, broken: Callable[[int], None]) -> Iterator[tuple[int, FieldValues]]:
    """The questions in a page's JSON-LD, with their line; ``broken`` is told where it is none."""
    line, counted = 1, 0
    for found in _SCRIPT.finditer(page):
        end = _END.search(page, found.end())
        if end is None:
            return
        line += page.count("\n", counted, found.start())
        counted = found.start()
        try:
            value = _spoken(json.loads(page[found.end() : end.start()].strip(), strict=False), 0)
        except (ValueError, RecursionError):
            broken(line)
            continue
        for question in _questions(value, 0):
            yield line, _row(question)


def microdata(root: Element, inside: Inside) -> Iterator[tuple[int, FieldValues]]:
    """The questions that are marked up as such, with their line."""
    for element in root.iter("*"):
        if "itemscope" in element.attrib and _is_type(element, "Question"):
            yield element.sourceline or 1, _marked_row(element, inside)


def _spoken(value: Any, depth: int) -> Any:
    """The value with its texts as a reader of the page sees them: ``&amp;`` is ``&``."""
    if isinstance(value, str):
        return value if "<" in value else unescape(value)
    if depth <= _DEEP and isinstance(value, list):
        return [_spoken(item, depth + 1) for item in value]
    if depth <= _DEEP and isinstance(value, dict):
        return {key: _spoken(item, depth + 1) for key, item in value.items()}
    return value


def _questions(value: object, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > _DEEP:
        return
    if isinstance(value, list):
        for item in value:
            yield from _questions(item, depth + 1)
    elif isinstance(value, dict):
        types = value.get("@type")
        if "Question" in (types if isinstance(types, list) else [types]):
            yield value
        else:
            for item in value.values():
                yield from _questions(item, depth + 1)


def _row(question: Mapping[str, Any]) -> FieldValues:
    named = question.get("name") or question.get("headline")
    answers = [
        _answer(item, accepted=kind == "acceptedAnswer" and not number)
        for kind in ("acceptedAnswer", "suggestedAnswer")
        for number, item in enumerate(_listed(question.get(kind)))
    ]
    return {
        "question": named or question.get("text"),
        "body": question.get("text") if named else None,
        "answer": answers,
        "question_score": question.get("upvoteCount"),
        "question_author": _name(question.get("author")),
        "tags": question.get("keywords"),
        "url": _link(question),
        "license": _name(question.get("license")),
        "asked_at": question.get("dateCreated") or question.get("datePublished"),
        "dropped": ["comment"] * len(_listed(question.get("comment"))),
    }


def _answer(item: object, *, accepted: bool) -> FieldValues:
    if not isinstance(item, dict):
        return {"answer": item, "accepted": accepted}
    return {
        "answer": item.get("text") or item.get("description") or item.get("articleBody"),
        "accepted": accepted,
        "score": item.get("upvoteCount"),
        "author": _name(item.get("author")),
        "answer_url": _link(item),
        "date": item.get("dateCreated") or item.get("datePublished"),
        "dropped": [key for key in item if not key.startswith("@") and _is_dropped(key)],
    }


def _is_dropped(name: str) -> bool:
    """Whether a property of an answer is one that isn't read, though it says something."""
    return name not in _ANSWER and name not in _SAYS_NOTHING


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _name(value: object) -> object:
    """A person's name, or the name of a thing that has one."""
    value = next(iter(_listed(value)), None)
    if isinstance(value, dict):
        return value.get("name") or value.get("url")
    return value


def _link(thing: Mapping[str, Any]) -> object:
    for key in ("url", "@id"):
        value = thing.get(key)
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return value
    return None


def _marked_row(element: Element, inside: Inside) -> FieldValues:
    properties = _properties(element)
    answers = [
        _marked_answer(item, inside, accepted=kind == "acceptedAnswer" and not number)
        for kind in ("acceptedAnswer", "suggestedAnswer")
        for number, item in enumerate(properties.get(kind, []))
    ]
    text = properties.get("text", [None])[0]
    return {
        "question": _value(properties, "name") or (text_of(text) if text is not None else None),
        "body": Markdown(inside(text)) if text is not None and "name" in properties else None,
        "answer": answers,
        "question_score": _value(properties, "upvoteCount"),
        "question_author": _value(properties, "author"),
        "tags": _value(properties, "keywords"),
        "url": _value(properties, "url"),
        "license": _value(properties, "license"),
        "asked_at": _value(properties, "dateCreated") or _value(properties, "datePublished"),
        "anchor": element.get("id"),
        "dropped": ["comment"] * len(properties.get("comment", [])),
    }


def _marked_answer(element: Element, inside: Inside, *, accepted: bool) -> FieldValues:
    properties = _properties(element) if "itemscope" in element.attrib else {}
    texts = properties.get("text") or [element]
    return {
        "answer": Markdown("\n\n".join(filter(None, map(inside, texts)))),
        "accepted": accepted,
        "score": _value(properties, "upvoteCount"),
        "author": _value(properties, "author"),
        "answer_url": _value(properties, "url"),
        "date": _value(properties, "dateCreated") or _value(properties, "datePublished"),
        "dropped": [name for name in properties if _is_dropped(name)],
    }


def _properties(scope: Element) -> dict[str, list[Element]]:
    """The elements that are properties of a thing, by name; those of things in it are theirs."""
    found: dict[str, list[Element]] = {}
    waiting = list(reversed(scope))
    while waiting:
        element = waiting.pop()
        for name in (element.get("itemprop") or "").split():
            found.setdefault(name, []).append(element)
        if "itemscope" not in element.attrib:
            waiting += reversed(element)
    return found


def _value(properties: Mapping[str, list[Element]], name: str) -> str | None:
    element = next(iter(properties.get(name, [])), None)
    if element is None:
        return None
    if "itemscope" in element.attrib and (inner := _value(_properties(element), "name")):
        return inner
    for attribute in ("content", "datetime", "href", "src"):
        if element.get(attribute):
            return str(element.get(attribute))
    return text_of(element)


def _is_type(element: Element, name: str) -> bool:
    return any(kind.rpartition("/")[2] == name for kind in (element.get("itemtype") or "").split())
