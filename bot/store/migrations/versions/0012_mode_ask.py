"""The mode ``ask``, in place of ``all``; questions without an answer; messages that go again.

Why: in a channel made for asking the bot always does something. It marks what it has nothing on
until somebody answers, and takes quiet suggestions away that nobody pressed, after a restart too.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the tables and the setting; what was ``all`` is ``ask`` now."""
    op.add_column("guild_settings", sa.Column("unanswered_emoji", sa.String(64)))
    op.execute("UPDATE channel_modes SET mode = 'ask' WHERE mode = 'all'")
    op.create_table(
        "unanswered",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("asker_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("emoji", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_unanswered")),
    )
    op.create_index(
        op.f("ix_unanswered_channel_id_asked_at"), "unanswered", ["channel_id", "asked_at"]
    )
    op.create_index(op.f("ix_unanswered_asker_id"), "unanswered", ["asker_id"])
    op.create_index(op.f("ix_unanswered_guild_id"), "unanswered", ["guild_id"])
    op.create_table(
        "temporary_messages",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("delete_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_temporary_messages")),
    )
    op.create_index(op.f("ix_temporary_messages_delete_at"), "temporary_messages", ["delete_at"])
    op.create_index(op.f("ix_temporary_messages_guild_id"), "temporary_messages", ["guild_id"])
