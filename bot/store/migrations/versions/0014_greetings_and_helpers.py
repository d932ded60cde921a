"""The time at which a server was greeted; its helpers, and a flag to ping them.

Why: the bot says hello once to a server that invited it. And where it has nothing on a question,
it names whom to ask.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns; servers that the bot is in already aren't greeted any more."""
    op.add_column("guild_memberships", sa.Column("greeted_at", sa.BigInteger()))
    op.execute("UPDATE guild_memberships SET greeted_at = seen_at")
    op.add_column("guild_settings", sa.Column("helper_role_ids", sa.JSON()))
    op.add_column("guild_settings", sa.Column("ping_helpers", sa.Boolean()))
