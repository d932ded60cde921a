"""PostgreSQL as a peer, where a server answers: trigrams, and full text."""

from __future__ import annotations

import os
from typing import Any

from benchmarks.corpus import library
from benchmarks.peers import LIMIT, Peer, Skipped, need, words_of
from benchmarks.timing import MEGABYTE

VARIABLE = "BENCH_POSTGRES"
"""The environment's name for the server's URL."""


class Postgres(Peer):
    """One table of the library, under a name that is nobody else's."""

    name: str
    columns = "id serial PRIMARY KEY, title text NOT NULL, body text NOT NULL"
    indexed: str
    query: str

    def check(self) -> None:
        """A URL, its driver and a server that answers."""
        if not os.environ.get(VARIABLE):
            raise Skipped(f"no server is named (--postgres URL or {VARIABLE})")
        need("psycopg")
        self.open()
        self._connection.close()

    def build(self) -> None:
        """Copy the threads in, then index and analyse them."""
        self.open()
        for statement in (
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            f"DROP TABLE IF EXISTS {self.name}",
            f"CREATE TABLE {self.name} ({self.columns})",
        ):
            self._run(statement)
        copied = f"COPY {self.name} (title, body) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(copied) as copy:
            for doc in library(self.place):
                copy.write_row((doc.title, doc.body))
        self._run(f"CREATE INDEX ON {self.name} USING gin ({self.indexed})")
        self._run(f"VACUUM ANALYZE {self.name}")
        self._connection.close()

    def open(self) -> None:
        """Connect. Raises Skipped when nobody answers."""
        import psycopg

        try:
            self._connection: Any = psycopg.connect(
                os.environ[VARIABLE], autocommit=True, connect_timeout=5
            )
        except psycopg.OperationalError as error:
            why = str(error).splitlines()[0]
            raise Skipped(f"PostgreSQL does not answer: {why}") from None
        # A killed process leaves its statement running, which would slow down who comes next.
        self._run(f"SET statement_timeout = '{self.patience:.0f}s'")

    def ask(self, question: str) -> list[int]:
        """One statement."""
        rows = self._run(self.query, {"asked": self.asked(question), "limit": LIMIT})
        return [number - 1 for number, _ in rows]

    def asked(self, question: str) -> str:
        """The question as the statement takes it."""
        return question

    def close(self) -> None:
        """Drop the table."""
        self._run(f"DROP TABLE IF EXISTS {self.name}")
        self._connection.close()

    def memory_mb(self) -> None:
        """It is the server's, which holds more than this."""
        return

    def disk_mb(self) -> float:
        """The table with its indexes."""
        found = self._run("SELECT pg_total_relation_size(%(name)s)", {"name": self.name})
        return float(found.fetchone()[0]) / MEGABYTE

    def _run(self, statement: str, values: dict[str, object] | None = None) -> Any:
        return self._connection.execute(statement, values)


class Trigrams(Postgres):
    """Titles by the share of three-letter pieces in common, from the default share on."""

    label = "PostgreSQL pg_trgm, title"
    name = "threadwise_bench_trigrams"
    indexed = "title gin_trgm_ops"
    query = (
        f"SELECT id, title FROM {name} WHERE title %% %(asked)s "
        "ORDER BY similarity(title, %(asked)s) DESC LIMIT %(limit)s"
    )


class FullText(Postgres):
    """Titles and bodies, stemmed, any of the words."""

    label = "PostgreSQL full text, ts_rank"
    name = "threadwise_bench_full_text"
    columns = (
        f"{Postgres.columns}, stems tsvector GENERATED ALWAYS AS "
        "(to_tsvector('english', title || ' ' || body)) STORED"
    )
    indexed = "stems"
    query = (
        f"SELECT id, title FROM {name}, to_tsquery('english', %(asked)s) AS wanted "
        "WHERE stems @@ wanted ORDER BY ts_rank(stems, wanted) DESC LIMIT %(limit)s"
    )

    def asked(self, question: str) -> str:
        """Its words with "or" between them."""
        return " | ".join(words_of(question))
