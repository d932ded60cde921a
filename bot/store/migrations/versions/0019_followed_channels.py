"""Channels that are followed, and their posts.

Why: a post that is solved in a followed channel becomes a thread of its guild's own.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables, and the emoji that marks a solution: empty, the host's setting holds."""
    op.add_column("guild_settings", sa.Column("solution_emoji", sa.String(64)))
    op.create_table(
        "followed_channels",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("is_forum", sa.Boolean(), nullable=False),
        sa.Column("followed_by", sa.BigInteger(), nullable=False),
        sa.Column("followed_at", sa.BigInteger(), nullable=False),
        sa.Column("solved_tag", sa.String(length=100), nullable=True),
        sa.Column("take_by_reactions", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=True),
        sa.Column("backfill_state", sa.String(length=16), nullable=True),
        sa.Column("backfill_before", sa.BigInteger(), nullable=True),
        sa.Column("backfill_post", sa.BigInteger(), nullable=True),
        sa.Column("backfill_counts", sa.JSON(), nullable=True),
        sa.Column("backfill_by", sa.BigInteger(), nullable=True),
        sa.Column("backfill_shown_in", sa.BigInteger(), nullable=True),
        sa.Column("backfill_shown", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("guild_id", "channel_id", name=op.f("pk_followed_channels")),
    )
    _create_index_of_few("followed_channels", "backfill_state")
    op.create_table(
        "followed_posts",
        sa.Column("post_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("asker_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.SmallInteger(), nullable=True),
        sa.Column("solution_id", sa.BigInteger(), nullable=True),
        sa.Column("proposed_id", sa.BigInteger(), nullable=True),
        sa.Column("rejected", sa.JSON(), nullable=False),
        sa.Column("thread_id", _ROW_ID, nullable=True),
        sa.Column("note_id", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thread_id"],
            ["threads.id"],
            name=op.f("fk_followed_posts_thread_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("post_id", name=op.f("pk_followed_posts")),
    )
    for columns in (["asker_id"], ["guild_id", "channel_id", "state"]):
        op.create_index(op.f(f"ix_followed_posts_{'_'.join(columns)}"), "followed_posts", columns)
    _create_index_of_few("followed_posts", "thread_id")


def _create_index_of_few(table: str, column: str) -> None:
    there = sa.text(f"{column} IS NOT NULL")
    name = op.f(f"ix_{table}_{column}")
    op.create_index(name, table, [column], sqlite_where=there, postgresql_where=there)
