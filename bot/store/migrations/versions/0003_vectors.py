"""Vectors of what threads mean.

Why: a question is found in other words by the vectors of a sentence-embedding model.
They are kept with the model's name and the thread's revision, so that none outlives its
text or its model; the feed says which changes are of vectors alone.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of vectors, and tell changes of text from those of vectors."""
    op.create_table(
        "vectors",
        sa.Column(
            "thread_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread_id"],
            ["threads.id"],
            name=op.f("fk_vectors_thread_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("thread_id", name=op.f("pk_vectors")),
    )
    op.add_column(
        "changes", sa.Column("text", sa.Boolean(), server_default=sa.true(), nullable=False)
    )
    op.create_index(op.f("ix_changes_text_seq"), "changes", ["text", "seq"])
    op.create_index(
        op.f("ix_learned_phrasings_guild_id_model"), "learned_phrasings", ["guild_id", "model"]
    )
