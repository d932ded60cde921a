"""Phrasings that members taught.

Why: when an asker confirms an answer, the question's words become another way of
asking its thread, in that server only; and servers may decide against it. The
vector is for finding phrasings by their meaning.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of learned phrasings and the setting that switches them off."""
    op.create_table(
        "learned_phrasings",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "thread_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("learned_at", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=True),
        sa.Column("vector", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["thread_id"],
            ["threads.id"],
            name=op.f("fk_learned_phrasings_thread_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learned_phrasings")),
        sa.UniqueConstraint(
            "guild_id",
            "thread_id",
            "wording",
            name=op.f("uq_learned_phrasings_guild_id_thread_id_wording"),
        ),
        sqlite_autoincrement=True,
    )
    for column in ("thread_id", "user_id", "message_id"):
        name = op.f(f"ix_learned_phrasings_{column}")
        op.create_index(name, "learned_phrasings", [column], unique=False)
    op.add_column("guild_settings", sa.Column("learn_phrasings", sa.Boolean(), nullable=True))
