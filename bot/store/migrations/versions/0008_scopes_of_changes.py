"""The feed of changes tells the scope of each thread.

Why: of a thread that was deleted for good, nothing else says in whose index it was, and it was
looked for in all of them. Earlier deletions, whose scope isn't known, leave the feed: an index
that had not read them yet is made anew.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the column, fill it from the threads, and delete the changes of those that are gone."""
    column = sa.Column("scope", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("changes", column)
    op.execute(
        "UPDATE changes SET scope = (SELECT scope FROM threads WHERE threads.id = thread_id)"
        " WHERE thread_id IN (SELECT id FROM threads WHERE scope <> 0)"
    )
    gone = "thread_id NOT IN (SELECT id FROM threads)"
    last = op.get_bind().scalar(sa.text(f"SELECT max(seq) FROM changes WHERE {gone}"))
    if last is not None:
        op.execute(f"DELETE FROM changes WHERE {gone}")
        op.execute("DELETE FROM facts WHERE name = 'change_feed_floor'")
        fact = sa.text("INSERT INTO facts (name, value) VALUES ('change_feed_floor', :last)")
        op.get_bind().execute(fact, {"last": str(last)})
