"""Questions that a page marks up for search engines: schema.org's types, in JSON-LD or microdata.

Both become the same mappings of property names to values, and these the field values that
``QuestionGrouper`` takes: a question with its answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from typing import Any

from bot.sources.foreign_fields import Markdown
from bot.sources.group_by_question import FieldValues
from bot.sources.markup.parsing import Element, text_of

_MAX_DEPTH = 20
"""Levels of JSON in which questions are looked for; pages have up to four."""

_ANSWER_PROPERTIES = frozenset(
    "text description articleBody upvoteCount author url dateCreated datePublished".split()
)
"""Properties of an answer that are read."""

_UNINFORMATIVE = frozenset(("name", "position"))
"""Properties of an answer that say nothing more, so that they aren't counted as left out."""

_ANSWER_KINDS = ("acceptedAnswer", "suggestedAnswer")

Inside = Callable[[Element], str]
"""Returns what stands in an element, as Markdown."""


def json_ld(root: Element, broken: Callable[[int], None]) -> Iterator[tuple[int, FieldValues]]:
    """Yield the questions in a page's JSON-LD with their lines.

    ``broken`` gets the line of each script that is no JSON.
    """
    for script in root.iter("script"):
        if not (script.get("type") or "").strip().lower().startswith("application/ld+json"):
            continue
        line = script.sourceline or 1
        try:
            value = _without_entities(json.loads(script.text or "", strict=False), 0)
        except (ValueError, RecursionError):
            broken(line)
            continue
        for question in _questions(value, 0):
            yield line, _field_values(question)


def microdata(root: Element, inside: Inside) -> Iterator[tuple[int, FieldValues]]:
    """Yield the questions that elements are marked as, with their lines."""
    for element in root.iter("*"):
        if "itemscope" in element.attrib and _is_type(element, "Question"):
            question = _question_of(element, inside)
            place = {"url": question.get("url"), "anchor": element.get("id")}  # may be relative
            yield element.sourceline or 1, {**_field_values(question), **place}


def _field_values(question: Mapping[str, Any]) -> FieldValues:
    named = question.get("name") or question.get("headline")
    answers = [
        _answer_values(item, accepted=kind == "acceptedAnswer" and not number)
        for kind in _ANSWER_KINDS
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


def _answer_values(item: object, *, accepted: bool) -> FieldValues:
    if not isinstance(item, dict):
        return {"answer": item, "accepted": accepted}
    known = _ANSWER_PROPERTIES | _UNINFORMATIVE
    return {
        "answer": item.get("text") or item.get("description") or item.get("articleBody"),
        "accepted": accepted,
        "score": item.get("upvoteCount"),
        "author": _name(item.get("author")),
        "answer_url": _link(item),
        "date": item.get("dateCreated") or item.get("datePublished"),
        "dropped": [key for key in item if not key.startswith("@") and key not in known],
    }


def _without_entities(value: Any, depth: int) -> Any:
    """Return the value with its texts as a reader of the page sees them: ``&amp;`` is ``&``."""
    if isinstance(value, str):
        return value if "<" in value else unescape(value)
    if depth <= _MAX_DEPTH and isinstance(value, list):
        return [_without_entities(item, depth + 1) for item in value]
    if depth <= _MAX_DEPTH and isinstance(value, dict):
        return {key: _without_entities(item, depth + 1) for key, item in value.items()}
    return value


def _questions(value: object, depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value:
            yield from _questions(item, depth + 1)
    elif isinstance(value, dict):
        if "Question" in _listed(value.get("@type")):
            yield value
        else:
            for item in value.values():
                yield from _questions(item, depth + 1)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _name(value: object) -> object:
    """Return a person's name, or the name of a thing that has one."""
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


def _question_of(element: Element, inside: Inside) -> dict[str, Any]:
    """Return a question in microdata as JSON-LD would have it, its texts as Markdown."""
    properties = _properties(element)
    question: dict[str, Any] = {name: _value(items) for name, items in properties.items()}
    for kind in _ANSWER_KINDS:
        question[kind] = [_answer_of(item, inside) for item in properties.get(kind, [])]
    if question.get("name") and "text" in properties:
        question["text"] = Markdown(inside(properties["text"][0]))
    question["comment"] = properties.get("comment")
    return question


def _answer_of(element: Element, inside: Inside) -> dict[str, Any]:
    properties = _properties(element) if "itemscope" in element.attrib else {}
    texts = properties.get("text") or [element]
    answer: dict[str, Any] = {name: _value(items) for name, items in properties.items()}
    return answer | {"text": Markdown("\n\n".join(filter(None, map(inside, texts))))}


def _properties(scope: Element) -> dict[str, list[Element]]:
    """Return the elements that are properties of a thing, by name, but for things within it."""
    properties: dict[str, list[Element]] = {}
    waiting = list(reversed(scope))
    while waiting:
        element = waiting.pop()
        for name in (element.get("itemprop") or "").split():
            properties.setdefault(name, []).append(element)
        if "itemscope" not in element.attrib:
            waiting += reversed(element)
    return properties


def _value(elements: list[Element]) -> str:
    """Return what the first of a property's elements says."""
    element = elements[0]
    if "itemscope" in element.attrib:
        names = _properties(element).get("name")
        if names and (name := _value(names)):
            return name
    for attribute in ("content", "datetime", "href", "src"):
        if element.get(attribute):
            return str(element.get(attribute))
    return text_of(element)


def _is_type(element: Element, name: str) -> bool:
    return any(kind.rpartition("/")[2] == name for kind in (element.get("itemtype") or "").split())
