"""Sources of threads, soft deletion, and votes that came with an import.

Why: knowledge is brought from sites and files that go on changing. What a newer copy lacks
is retired, what it has unchanged need not be read again, and who wrote it under which
licence is told for each answer.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the new columns, and the table of carried votes."""
    of_threads: tuple[sa.Column[Any], ...] = (
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("source", sa.Text()),
        sa.Column("related", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("fingerprint", sa.String(length=64)),
        sa.Column("retired_at", sa.BigInteger()),
        sa.Column("removed", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    for column in of_threads:
        op.add_column("threads", column)
    op.create_index(op.f("ix_threads_scope_source"), "threads", ["scope", "source"])
    op.create_index(op.f("ix_threads_retired_at"), "threads", ["retired_at"])
    op.add_column("answers", sa.Column("license", sa.Text()))
    op.create_table(
        "carried_votes",
        sa.Column(
            "answer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"],
            ["answers.id"],
            name=op.f("fk_carried_votes_answer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("answer_id", "guild_id", name=op.f("pk_carried_votes")),
    )
