"""A made-up dump: as large as one likes, with posts as long and as marked up as real ones.

Words are made of syllables and used as often as Zipf's law says; nothing is anybody's. The
same size gives the same dump.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import quoteattr

from benchmarks.corpus import Words, zipf

QUESTIONS = 0.4
"""Which share of the posts are questions: 1.5 answers to each."""

MEDIAN, SPREAD = 700, 0.8
"""Characters of a body: the median, and the deviation of their logarithm; the mean is 960."""

RECENT = 2_000
"""An answer is to one of so many latest questions."""

USERS, TAGS = 10_000, 500
LINKS, DUPLICATES = 0.05, 0.2
"""How many links there are for each post, and how many of them are to a duplicate's target."""

_BOM = "\ufeff"
_SOME = ("p", "p", "p", "p", "p", "p", "code", "list", "quote", "link", "strong", "inline")

Progress = Callable[[int], None]


def write(folder: Path, posts: int, progress: Progress | None = None) -> None:
    """Write a dump of so many posts into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    made = _Made(posts)
    _write(folder / "Posts.xml", "posts", made.posts(progress))
    _write(folder / "Users.xml", "users", made.users())
    _write(folder / "PostLinks.xml", "postlinks", made.links())


def _write(file: Path, root: str, rows: Iterator[dict[str, object]]) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as out:
        out.write(f'{_BOM}<?xml version="1.0" encoding="utf-8"?>\n<{root}>\n')
        for row in rows:
            values = " ".join(f"{name}={_quoted(str(value))}" for name, value in row.items())
            out.write(f"  <row {values} />\n")
        out.write(f"</{root}>\n")


def _quoted(text: str) -> str:
    return quoteattr(text, {"\n": "&#xA;", '"': "&quot;"})


class _Made:
    """One dump while it is made."""

    def __init__(self, posts: int):
        self._count = posts
        self._rng = random.Random(11)
        uses = zipf()
        self._titles, self._words = Words(uses, 12), Words(uses, 13)
        self._questions: list[int] = []

    def posts(self, progress: Progress | None) -> Iterator[dict[str, object]]:
        """The posts by id, answers after their questions as on a site."""
        rng, moment = self._rng, datetime(2012, 1, 1)
        for number in range(1, self._count + 1):
            moment += timedelta(minutes=rng.randint(1, 9))
            if not self._questions or rng.random() < QUESTIONS:
                row = self._question(number)
            else:
                row = {"PostTypeId": 2, "ParentId": rng.choice(self._questions[-RECENT:])}
            row |= {
                "CreationDate": moment.isoformat(timespec="milliseconds"),
                "Score": int(rng.lognormvariate(0.8, 1)) - 1,
                "Body": self._body(),
                "OwnerUserId": rng.randint(1, USERS),
                "ContentLicense": "CC BY-SA 4.0",
            }
            yield {"Id": number} | row
            if progress is not None and number % 1_000 == 0:
                progress(1_000)

    def users(self) -> Iterator[dict[str, object]]:
        """Who wrote them."""
        for number in range(1, USERS + 1):
            yield {"Id": number, "Reputation": 1, "DisplayName": self._titles.draw(1).title()}

    def links(self) -> Iterator[dict[str, object]]:
        """Links between questions, some of them to what a question is a duplicate of."""
        for number in range(1, int(self._count * LINKS) + 1):
            post, target = self._rng.choices(self._questions, k=2)
            kind = 3 if self._rng.random() < DUPLICATES else 1
            yield {"Id": number, "PostId": post, "RelatedPostId": target, "LinkTypeId": kind}

    def _question(self, number: int) -> dict[str, object]:
        self._questions.append(number)
        tags = self._rng.sample(range(TAGS), self._rng.randint(1, 5))
        return {
            "PostTypeId": 1,
            "Title": self._titles.title().capitalize() + "?",
            "Tags": "".join(f"<tag-{tag}>" for tag in tags),
        }

    def _body(self) -> str:
        left = self._rng.lognormvariate(math.log(MEDIAN), SPREAD)
        parts: list[str] = []
        while left > 0:
            parts.append(self._part(self._rng.choice(_SOME)))
            left -= len(parts[-1]) + 1
        return "\n\n".join(parts) + "\n"

    def _part(self, kind: str) -> str:
        said = self._words.draw(self._rng.randint(8, 60)).capitalize() + "."
        few = self._words.draw(self._rng.randint(1, 3))
        if kind == "code":
            lines = (f"{w} = {w}({n})" for n, w in enumerate(said.split()[:12]))
            return "<pre><code>" + "\n".join(lines) + "\n</code></pre>"
        if kind == "list":
            return "<ul>\n" + "\n".join(f"<li>{w}</li>" for w in said.split(" ")[:6]) + "\n</ul>"
        if kind == "quote":
            return f"<blockquote>\n  <p>{said}</p>\n</blockquote>"
        place = few.replace(" ", "/")
        inside = {
            "link": f'<a href="https://example.org/{place}" rel="nofollow">{few}</a>',
            "strong": f"<strong>{few}</strong> &amp; <em>{few}</em>",
            "inline": f"<code>{few}()</code>",
        }
        return f"<p>{said} {inside.get(kind, few)} {few}.</p>"
