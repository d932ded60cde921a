"""An index by which old questions without an answer are found.

Why: with each new one those that are too old are deleted, and a look at all of them took a
write transaction that grew with the record.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add the index."""
    op.create_index(op.f("ix_unanswered_asked_at"), "unanswered", ["asked_at"])
