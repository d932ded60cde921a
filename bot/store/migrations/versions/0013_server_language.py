"""The language in which the bot speaks on a server.

Why: what all members read is in one language, which need not be that of the server in Discord.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column; empty, the host's setting holds."""
    op.add_column("guild_settings", sa.Column("server_language", sa.String(64)))
