"""Reader of FAQ pages (HTML): questions with their answers, however the page marks them.

The first of these that a page has is taken:

- schema.org's ``Question`` (of an ``FAQPage`` or a ``QAPage``) in JSON-LD, then in microdata;
- ``<details>`` whose ``<summary>`` is a question, and definition lists with questions;
- what is repeated on the page: elements of one kind that are questions, each with its answer
  beside it (``repeated_pairs``), unless more headings are questions;
- headings that are questions, as in Markdown.

A question's key is the file's name, ``#`` and the element's ``id``, else its words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from urllib.parse import urldefrag, urljoin

from lxml import etree

from bot.models import Thread
from bot.sources.decoding import FileHead, read_html
from bot.sources.faq import faq_threads
from bot.sources.file_format import Format
from bot.sources.files import Options
from bot.sources.foreign_fields import Markdown
from bot.sources.group_by_question import FieldValues, QuestionGrouper
from bot.sources.markup import to_markdown
from bot.sources.markup.parsing import Element, one_line, parse
from bot.sources.question_headings import is_question, may_be_question
from bot.sources.repeated_pairs import repeated_pairs
from bot.sources.report import NoThreads, SourceReport
from bot.sources.schema_org import json_ld, microdata

_PAGE = re.compile(
    r"\s*(?:<\?xml[^<>]*>\s*)?(?>\s*<!--.*?-->)*\s*"
    r"<(?:!doctype\s+html|html|head|body|main|section|article|details|dl|div|script)\b",
    re.I | re.S,
)
_OUTSIDE_CONTENT = (
    "nav",
    "header",
    "footer",
    "aside",
    "form",
    "script",
    "style",
    "template",
    "noscript",
)


def looks_like_page(head: FileHead) -> bool:
    """Return whether it begins as pages do."""
    return _PAGE.match(head.text) is not None


def read_page(path: Path, report: SourceReport, options: Options) -> Iterator[Thread]:
    """Yield the threads of a web page; names each question that is refused in the report.

    Raises InputError when there is none at all, OSError when the file can't be read.
    """
    page = _WebPage(read_html(path, report, options))
    grouper = QuestionGrouper(path, report)

    def broken(line: int) -> None:
        report.warn("its JSON-LD is not JSON, and was passed over", path, line)

    for rows in (page.scripts(broken), page.marked(), page.folded(), page.repeated()):
        is_marked = False
        for line, row in rows:
            is_marked = True
            grouper.add(page.placed(row), line)
        if is_marked:
            yield from grouper.threads()
            return
    try:
        yield from faq_threads(page.markdown(), path, report, generated=True)
    except NoThreads:
        raise NoThreads(
            "no question is found in it: neither schema.org's, nor <details>, a definition "
            "list or a heading that ends in a question mark",
            path,
        ) from None


class _WebPage:
    """A page's tree, with the address that completes relative links."""

    def __init__(self, text: str) -> None:
        self._root = parse(text)
        self._url = self._own_url()

    def scripts(self, broken: Callable[[int], None]) -> Iterator[tuple[int, FieldValues]]:
        """Return the questions in JSON-LD; ``broken`` gets the lines of what is no JSON."""
        return json_ld(self._root, broken)

    def marked(self) -> Iterator[tuple[int, FieldValues]]:
        """Return the questions in microdata."""
        return microdata(self._root, self.inside)

    def folded(self) -> Iterator[tuple[int, FieldValues]]:
        """Yield the questions in ``<details>`` and definition lists."""
        asking = [
            element.getparent()
            for element in self._root.iter("details")
            if is_question(one_line(_summary(element)))
        ]
        beside = set(asking)
        for element in self._root.iter("details", "dl"):
            if element.tag == "dl":
                yield from self._defined(element)
            elif (row := self._detail(element, element.getparent() in beside)) is not None:
                yield element.sourceline or 1, row

    def repeated(self) -> Iterator[tuple[int, FieldValues]]:
        """Yield the questions of a list of equal elements, if there are more than in headings."""
        pairs = repeated_pairs(self._root)
        asking = {question for question, _ in pairs}
        headings = self._root.iter("h1", "h2", "h3", "h4", "h5", "h6")
        others = [h for h in headings if is_question(one_line(h)) and asking.isdisjoint(h.iter())]
        for question, answer in pairs if len(pairs) > len(others) else ():
            body = "\n\n".join(filter(None, map(self.inside, answer)))
            anchor = question.get("id") or None
            row = {"question": one_line(question), "answer": Markdown(body), "anchor": anchor}
            yield question.sourceline or 1, row

    def markdown(self) -> str:
        """Return the page's text as Markdown, without what stands around it."""
        main = next(self._root.iter("main", "article"), self._root)
        etree.strip_elements(main, *_OUTSIDE_CONTENT, with_tail=False)
        for name in ("h4", "h5", "h6"):
            headings = [(element, one_line(element)) for element in main.iter(name)]
            asking = any(is_question(words) for _, words in headings)
            for element, words in headings if asking else ():
                if is_question(words) or may_be_question(words):
                    element.tag = "h3"  # below that, Markdown here has no headings
        return self.inside(main)

    def placed(self, row: FieldValues) -> FieldValues:
        """Return the values with a link to the question's place, if that is known."""
        url = row.get("url")
        anchor = row.get("anchor")
        if isinstance(url, str):
            url = urljoin(self._url, url) if self._url else url
        elif self._url:
            url = f"{self._url}#{anchor}" if anchor else self._url
        return {**row, "url": url}

    def inside(self, element: Element, but: Element = None) -> str:
        """Return what stands in an element, ``but`` one of its children, as Markdown."""
        parts = [escape(element.text or "")]
        for child in element:
            parts.append(
                escape(child.tail or "")
                if child is but
                else etree.tostring(child, encoding="unicode", method="html")
            )
        return to_markdown("".join(parts), base_url=self._url)

    def _own_url(self) -> str | None:
        for element in self._root.iter("link", "meta"):
            is_canonical = (element.get("rel") or "").lower() == "canonical"
            if is_canonical or element.get("property") == "og:url":
                url = (element.get("href") or element.get("content") or "").strip()
                if url.startswith(("http://", "https://")):
                    return urldefrag(url).url
        return None

    def _detail(self, element: Element, beside_questions: bool) -> FieldValues | None:
        summary = _summary(element)
        title = one_line(summary)
        # Beside questions, what only says "Shipping" is one too, but for a group of them.
        is_group = next(element.iterdescendants("details"), None) is not None
        if not is_question(title) and (is_group or not beside_questions):
            return None
        anchor = element.get("id") or summary.get("id")
        body = self.inside(element, but=summary)
        return {"question": title, "answer": Markdown(body), "anchor": anchor}

    def _defined(self, element: Element) -> Iterator[tuple[int, FieldValues]]:
        groups: list[tuple[list[Element], list[str]]] = [([], [])]
        _lift(element)
        for item in _items(element):
            if item.tag == "dt" and groups[-1][1]:
                groups.append(([], []))
            if item.tag == "dt":
                groups[-1][0].append(item)
            elif body := self.inside(item):
                groups[-1][1].append(Markdown(body))
        titles = [[one_line(term) for term in terms] for terms, _ in groups]
        if not any(is_question(title) for of_group in titles for title in of_group):
            return
        for title, (terms, answers) in zip(titles, groups, strict=True):
            if terms:
                row = {"question": title, "answer": answers, "anchor": terms[0].get("id")}
                yield terms[0].sourceline or 1, row


def _summary(element: Element) -> Element:
    """Return the ``<summary>`` of ``<details>``; a new, empty one if there is none."""
    summary = next((child for child in element if child.tag == "summary"), None)
    return etree.SubElement(element, "summary") if summary is None else summary


def _items(element: Element) -> Iterator[Element]:
    """Yield the terms and descriptions of a list, of its own and not of lists in it."""
    for child in element:
        if child.tag in ("dt", "dd"):
            yield child
        elif child.tag == "div":
            yield from _items(child)


def _lift(element: Element) -> None:
    """Put terms and descriptions beside each other where one isn't closed before the next."""
    while nested := [
        item for item in element.iter("dt", "dd") if item.getparent().tag in ("dt", "dd")
    ]:
        for item in reversed(nested):
            item.getparent().addnext(item)


FORMAT = Format(
    name="html",
    suffixes=(".html", ".htm", ".xhtml"),
    looks_like=looks_like_page,
    read=read_page,
    defers=True,
)
