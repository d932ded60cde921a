"""The changes of a forgotten guild are deleted with the rest of it.

Why: the feed named the guild for 30 days more. Those of guilds that were forgotten earlier go
now; an index that had not read them looks which of its threads are no more.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the index by which a guild's changes are found, and delete those of no guild."""
    op.create_index(op.f("ix_changes_scope"), "changes", ["scope"])
    forgotten = (
        "scope <> 0 AND scope NOT IN (SELECT scope FROM threads)"
        " AND scope NOT IN (SELECT guild_id FROM guild_memberships)"
    )
    connection = op.get_bind()
    last = connection.scalar(sa.text(f"SELECT max(seq) FROM changes WHERE {forgotten}"))
    if last is not None:
        connection.execute(sa.text(f"DELETE FROM changes WHERE {forgotten}"))
        fact = sa.text("INSERT INTO facts (name, value) VALUES ('change_feed_dropped', :last)")
        connection.execute(fact, {"last": str(last)})
