"""A setting: new posts of a followed channel are told how to mark them as solved.

Why: who asks doesn't know the menu by which a solution is kept for others.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Add the column: nobody is told unless a moderator says so."""
    instructs: sa.Column[bool] = sa.Column(
        "instructs", sa.Boolean(), server_default=sa.false(), nullable=False
    )
    op.add_column("followed_channels", instructs)
