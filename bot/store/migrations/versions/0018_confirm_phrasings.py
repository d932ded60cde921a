"""A setting: phrasings count for a guild only once a helper kept them.

Why: where many strangers vote, two of them are soon found who teach something wrong.

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the column; empty, the host's setting holds."""
    op.add_column("guild_settings", sa.Column("confirm_phrasings", sa.Boolean()))
