"""Sizes of the states that histories keep, where votes were moved from, and indexes.

Why: histories are bounded by their size, and undoing a merge gives votes back; deleted messages
are looked for by guild and message, and a guild's proposals among all that was changed.

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Add the columns, fill the sizes in, and change the indexes."""
    for table in ("reactions", "postings"):
        op.add_column(table, sa.Column("moved_from", sa.Text(), nullable=True))
    size = sa.Column("size", sa.Integer(), server_default="0", nullable=False)
    op.add_column("revisions", size)
    revisions = sa.table("revisions", sa.column("size"), sa.column("state"))
    length = sa.func.length(sa.cast(revisions.c.state, sa.Text))
    op.execute(revisions.update().values(size=length))
    op.create_index(
        "ix_revisions_proposed",
        "revisions",
        ["guild_id", "id"],
        sqlite_where=sa.text("proposed IS 1"),
        postgresql_where=sa.text("proposed IS true"),
    )
    for table in ("thread_messages", "answer_messages"):
        for column in ("guild_id", "message_id"):
            op.drop_index(op.f(f"ix_{table}_{column}"), table)
        columns = ["guild_id", "message_id"]
        op.create_index(op.f(f"ix_{table}_guild_id_message_id"), table, columns)
