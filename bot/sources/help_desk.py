"""Articles of help desks in JSON: the title is the question, the body its answer.

Zendesk, Freshdesk, Intercom and others export them as objects with a title and a body of
HTML, and no key that says "question" or "answer". A title and a body alone may be anything,
a reported problem for example; so one of the keys that only articles have must be there too,
or the list that they stand in must be called so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sources.foreign_fields import FieldNames

ARTICLE_KEYS = frozenset(
    "label_names section_id vote_sum promoted outdated user_segment_id permission_group_id "
    "source_locale hits thumbs_up thumbs_down seo_data folder_id article_id article_type "
    "parent_type".split()
)
"""Keys of articles, as Zendesk, Freshdesk and Intercom name them; other things lack them."""

IN_LIST = "articles"
"""What the list is called whose objects are articles whatever else they say."""

MARK = "\0article"
"""A key that ``marked`` adds to an object of such a list: no JSON object of a file has it."""

GOODS = frozenset("price prices sku currency vendor stock quantity variants".split())
"""Keys of what is for sale, which is called an article in many languages."""

_RENAMED = {
    "html_url": "url",
    "label_names": "tags",
    "vote_sum": "score",
    "description": "answer",
    "content": "answer",
    "body": "answer",
    "title": "question",
    "name": "question",
}
_BODIES = ("body", "description", "content")


def marked(key: str, value: object) -> object:
    """Return a JSON value, its objects marked as articles if its key is ``articles``."""
    if key.casefold() != IN_LIST or not isinstance(value, list):
        return value
    return [{**item, MARK: True} if isinstance(item, dict) else item for item in value]


def is_article(row: Mapping[str, Any], names: FieldNames) -> bool:
    """Return whether an object is a help desk's article, with a title and a text."""
    if not (row.keys() & ARTICLE_KEYS or MARK in row) or row.keys() & GOODS:
        return False
    if "answer" in names.by_field(row) or not _text_of(row):
        return False
    return isinstance(row.get("title", row.get("name")), str)


def is_draft(row: Mapping[str, Any]) -> bool:
    """Return whether an article isn't published yet."""
    return row.get("draft") is True or row.get("state") == "draft"


def as_pair(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an article as a question with its answer."""
    text = _text_of(row)
    left = {MARK, *_BODIES, *(("url",) if row.get("html_url") else ())}
    if "title" in row:
        left.add("name")
    pair = {_RENAMED.get(key, key): value for key, value in row.items() if key not in left}
    return pair | {"answer": row[text]}


def _text_of(row: Mapping[str, Any]) -> str:
    """Return the key under which an article has its text; empty if it has none."""
    keys_with_text = (key for key in _BODIES if isinstance(row.get(key), str) and row[key].strip())
    return next(keys_with_text, "")
