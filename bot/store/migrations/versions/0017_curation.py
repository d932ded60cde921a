"""Histories of a guild's own threads, and the messages that these come from.

Why: helpers save, add, edit and merge threads from Discord, and undo what they changed; members
may have their name or their messages taken out.

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns and the tables."""
    _alter()
    op.create_table(
        "revisions",
        sa.Column("id", _ROW_ID, autoincrement=True, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("thread_id", _ROW_ID, nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("proposed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread_id"], ["threads.id"], name=op.f("fk_revisions_thread_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
        sqlite_autoincrement=True,
    )
    for column in ("change", "guild_id", "user_id"):
        op.create_index(op.f(f"ix_revisions_{column}"), "revisions", [column])
    op.create_index(op.f("ix_revisions_thread_id_id"), "revisions", ["thread_id", "id"])
    _create_messages("thread")
    _create_messages("answer", sa.Column("checked_at", sa.BigInteger(), nullable=False))
    op.create_table(
        "author_choices",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("choice", sa.String(length=16), nullable=False),
        sa.Column("chosen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_author_choices")),
    )


def _alter() -> None:
    op.add_column(
        "threads", sa.Column("curated", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    for table, column in (
        ("threads", "overrides"),
        ("threads", "merged_into"),
        ("answers", "overrides"),
    ):
        op.add_column(table, sa.Column(column, sa.BigInteger(), nullable=True))
        there = sa.text(f"{column} IS NOT NULL")
        name = op.f(f"ix_{table}_{column}")
        op.create_index(name, table, [column], sqlite_where=there, postgresql_where=there)


def _create_messages(kind: str, *more: sa.Column[int]) -> None:
    name, key = f"{kind}_messages", f"{kind}_id"
    op.create_table(
        name,
        sa.Column(key, _ROW_ID, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        *more,
        sa.ForeignKeyConstraint(
            [key], [f"{kind}s.id"], name=op.f(f"fk_{name}_{key}"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{name}")),
    )
    for column in ("author_id", "guild_id", "message_id"):
        op.create_index(op.f(f"ix_{name}_{column}"), name, [column])
