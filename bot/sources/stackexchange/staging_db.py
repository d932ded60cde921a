"""A database in which a dump is put in order: posts in, questions with their answers out.

Answers may stand anywhere relative to their questions, and links anywhere relative to
both. It is a private database that SQLite keeps in the system's folder for
temporary files and removes itself, also when the program is killed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

QUESTION, ANSWER = 1, 2

_TABLES = """
CREATE TABLE posts (id INTEGER PRIMARY KEY, thread INTEGER, kind INTEGER, line INTEGER,
    accepted INTEGER, score INTEGER, created TEXT, closed TEXT, title TEXT,
    tags TEXT, owner INTEGER, name TEXT, license TEXT, body TEXT);
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE links (post INTEGER, target INTEGER, duplicate INTEGER);
CREATE TABLE votes (post INTEGER PRIMARY KEY, value INTEGER);
"""
_INDEXES = "CREATE INDEX posts_of_threads ON posts (thread, kind, id)"

_POSTS = """
SELECT p.line, p.kind, p.id, p.thread, p.accepted, coalesce(p.score, v.value, 0), p.created,
    p.closed, p.title, p.tags, coalesce(u.name, p.name), p.license, p.body
FROM posts p LEFT JOIN users u ON u.id = p.owner LEFT JOIN votes v ON v.post = p.id
ORDER BY p.thread, p.kind, p.id
"""
_DUPLICATES = """
SELECT l.target, d.title FROM links l
JOIN posts d ON d.id = l.post AND d.kind = 1 JOIN posts t ON t.id = l.target AND t.kind = 1
WHERE l.duplicate AND d.id <> t.id
GROUP BY l.target, d.id ORDER BY l.target, d.score DESC, d.id
"""
# Both ways: what points to a thread is worth seeing from there as well.
_RELATED = """
SELECT pair.thread, pair.other FROM (
    SELECT a.thread AS thread, b.thread AS other FROM links l
    JOIN posts a ON a.id = l.post JOIN posts b ON b.id = l.target
    UNION
    SELECT b.thread, a.thread FROM links l
    JOIN posts a ON a.id = l.post JOIN posts b ON b.id = l.target
) pair
JOIN posts q ON q.id = pair.thread AND q.kind = 1 JOIN posts o ON o.id = pair.other AND o.kind = 1
WHERE pair.thread <> pair.other
ORDER BY pair.thread, o.score DESC, pair.other
"""


class StagedPost(NamedTuple):
    """One question or answer as the dump has it; texts are still HTML."""

    line: int
    kind: int
    id: int
    thread: int
    accepted: int | None
    score: int
    created: str | None
    closed: str | None
    title: str | None
    tags: str | None
    author: str | None
    license: str | None
    body: str


class StagedThread(NamedTuple):
    """A thread's posts, question first if it has one, and what links say of it."""

    id: int
    posts: list[StagedPost]
    phrasings: tuple[str, ...]
    related: tuple[int, ...]


class StagingDatabase:
    """The rows of one dump. Raises sqlite3.Error, such as for a full disk."""

    def __init__(self) -> None:
        # Without a name it is a private file that is unlinked at once: no crash leaves it.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("PRAGMA cache_size = -16000")  # kB
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")

    def close(self) -> None:
        """Remove it."""
        self._database.close()

    def add_post(self, row: tuple[Any, ...]) -> bool:
        """Keep a post, its values in the order of the table's columns; False if its id is taken."""
        insert = "INSERT OR IGNORE INTO posts VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        return self._database.execute(insert, row).rowcount > 0

    def add_user(self, row: tuple[int, str]) -> None:
        """Keep a user's name by id."""
        self._database.execute("INSERT OR IGNORE INTO users VALUES (?, ?)", row)

    def add_link(self, row: tuple[int, int, bool]) -> None:
        """Keep a link: from a post, to a post, and whether the first is a duplicate of it."""
        self._database.execute("INSERT INTO links VALUES (?, ?, ?)", row)

    def add_vote(self, row: tuple[int, int]) -> None:
        """Add a vote on a post to those before."""
        add = "INSERT INTO votes VALUES (?, ?) ON CONFLICT DO UPDATE SET value = value + ?2"
        self._database.execute(add, row)

    def questions(self) -> int:
        """Return how many questions there are."""
        return self._number("SELECT count(*) FROM posts WHERE kind = 1")

    def lacks_scores(self) -> bool:
        """Return whether some post came without a score."""
        return self._number("SELECT EXISTS (SELECT 1 FROM posts WHERE score IS NULL)") > 0

    def threads(self) -> Iterator[StagedThread]:
        """Yield every question with its answers, by id; answers without a question on their own."""
        self._database.execute(_INDEXES)
        duplicates = _MergeReader(self._database.execute(_DUPLICATES))
        related = _MergeReader(self._database.execute(_RELATED))
        posts = map(StagedPost._make, self._database.execute(_POSTS))
        for thread, of_thread in groupby(posts, lambda post: post.thread):
            yield StagedThread(thread, [*of_thread], duplicates.of(thread), related.of(thread))

    def _number(self, query: str) -> int:
        return int(self._database.execute(query).fetchone()[0])


class _MergeReader:
    """Pairs of a thread and something of it, ordered by thread, read along with the threads."""

    def __init__(self, pairs: Iterator[tuple[int, Any]]):
        self._groups = groupby(pairs, lambda pair: pair[0])
        self._next: tuple[int, list[Any]] | None = (-(2**63), [])

    def of(self, thread: int) -> tuple[Any, ...]:
        """Return what there is of a thread; threads must be asked for in order."""
        while self._next is not None and self._next[0] < thread:
            group = next(self._groups, None)
            self._next = group and (group[0], [value for _, value in group[1]])
        if self._next is None or self._next[0] != thread:
            return ()
        return tuple(self._next[1])
