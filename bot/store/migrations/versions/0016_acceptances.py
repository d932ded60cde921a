"""The answers that guilds accepted.

Why: helpers of a guild accept an answer over what its source accepts, for their guild alone.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "acceptances",
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", _ROW_ID, nullable=False),
        sa.Column("answer_id", _ROW_ID, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name=op.f("fk_acceptances_answer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name=op.f("fk_acceptances_thread_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("guild_id", "thread_id", name=op.f("pk_acceptances")),
    )
    op.create_index(op.f("ix_acceptances_answer_id"), "acceptances", ["answer_id"])
    op.create_index(op.f("ix_acceptances_thread_id"), "acceptances", ["thread_id"])
    op.create_index(op.f("ix_acceptances_user_id"), "acceptances", ["user_id"])
