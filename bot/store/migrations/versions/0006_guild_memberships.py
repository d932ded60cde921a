"""In which guilds an application was seen, and when it was removed; indexes by guild.

Why: what belongs to a guild that removed the bot is deleted after a while. The indexes let
that be done in small steps, none of which reads a whole table.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_BY_GUILD = ("votes", "carried_votes", "reactions", "postings")


def upgrade() -> None:
    """Make the table and the indexes."""
    op.create_table(
        "guild_memberships",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("application_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("guild_id", "application_id", name=op.f("pk_guild_memberships")),
    )
    op.create_index(op.f("ix_guild_memberships_removed_at"), "guild_memberships", ["removed_at"])
    for table in _BY_GUILD:
        op.create_index(op.f(f"ix_{table}_guild_id"), table, ["guild_id"])
