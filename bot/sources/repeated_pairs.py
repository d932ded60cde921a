"""Questions on a web page that only their layout marks: equal elements, one after the other.

Accordions and cards are lists of elements of one kind (the same tag, class and parent's
class), each with a question and its answer in what follows it. At least half of the page's
elements of that kind must be questions: paragraphs are of one kind as well, and some of them
ask the reader something. What is asked below a heading that asks is a part of its answer, unless
that is the only one, the title for example, and the elements have a class of their own.
"""

from __future__ import annotations

from collections import defaultdict

from bot.sources.markup.parsing import Element, one_line
from bot.sources.question_headings import is_question

LEAST = 2
"""Elements of one kind that make a list; a single question may be anything, an advert too."""

_ASKING = frozenset("div button span p a strong b h2 h3 h4 h5 h6 li label".split())
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_OUTSIDE = frozenset("nav header footer aside form script style template noscript".split())
_LONGEST = 300  # characters of a question; beyond it, it is a text that ends in one

Pair = tuple[Element, list[Element]]
"""The element that asks, and those that answer it."""


def repeated_pairs(root: Element) -> list[Pair]:
    """Return the questions and answers of the page's largest list of equal elements, in order."""
    kinds: defaultdict[tuple[str, ...], list[Pair]] = defaultdict(list)
    asking = set(_innermost(root))
    below, headings = _below_headings(root)
    for element in filter(asking.__contains__, root.iter()):
        is_below = element in below or not below.isdisjoint(element.iterancestors())
        if is_below and (headings > 1 or not element.get("class")):
            continue
        answer = _answer_to(element, asking)
        if answer:
            kinds[_kind(element)].append((element, answer))
    best = max(kinds, key=lambda kind: len(kinds[kind]), default=())
    pairs = kinds[best] if best else []
    alike = sum(_kind(element) == best for element in root.iter(*_ASKING)) if pairs else 0
    return pairs if len(pairs) >= LEAST and 2 * len(pairs) >= alike else []


def _below_headings(root: Element) -> tuple[set[Element], int]:
    """Return the siblings that follow headings with questions, and the number of such headings."""
    siblings: set[Element] = set()
    asking = [heading for heading in root.iter(*_HEADINGS) if is_question(one_line(heading))]
    for heading in asking:
        beside = heading.getnext()
        while beside is not None and beside not in siblings:
            if beside.tag not in _HEADINGS:
                siblings.add(beside)
            beside = beside.getnext()
    return siblings, len(asking)


def _innermost(root: Element) -> list[Element]:
    """Return the innermost elements whose whole text is a question."""
    questions: list[Element] = []
    for element in root.iter(*_ASKING):
        if any(parent.tag in _OUTSIDE for parent in element.iterancestors()):
            continue
        words = one_line(element)
        if len(words) <= _LONGEST and is_question(words):
            questions.append(element)
    inside = {parent for element in questions for parent in element.iterancestors()}
    return [element for element in questions if element not in inside]


def _answer_to(element: Element, asking: set[Element]) -> list[Element]:
    """Return what follows a question up to the next, beside it or what it alone fills."""
    words = one_line(element)
    while True:
        answer: list[Element] = []
        for beside in element.itersiblings():
            if not isinstance(beside.tag, str):
                continue
            if not asking.isdisjoint(beside.iter()):
                return answer
            if one_line(beside):
                answer.append(beside)
        parent = element.getparent()
        if answer or parent is None or one_line(parent) != words:
            return answer
        element = parent


def _kind(element: Element) -> tuple[str, ...]:
    parent = element.getparent()
    classes = "" if parent is None else parent.get("class") or parent.tag
    first = (element.get("class") or "").split()[:1]
    return element.tag, *first, classes
