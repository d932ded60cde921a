"""Vectors say how far they are made: of a title, of the phrasings too, of the body as well.

Why: the model reads eight titles in the time of one body, and a thread can be found by its
title's meaning while the rest is made.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add the column; what was left unfinished, which lacks phrasings, is made anew."""
    op.add_column("vectors", sa.Column("stage", sa.Integer(), server_default="3", nullable=False))
    connection = op.get_bind()
    fact = connection.scalar(sa.text("SELECT value FROM facts WHERE name = 'vectors'"))
    unfinished = sa.text(
        "DELETE FROM vectors"
        " WHERE thread_id IN (SELECT thread_id FROM changes WHERE text AND seq > :done)"
        " AND thread_id IN (SELECT thread_id FROM phrasings)"
    )
    connection.execute(unfinished, {"done": json.loads(fact or "{}").get("seq", 0)})
