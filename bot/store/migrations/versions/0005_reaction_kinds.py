"""The kind of a reaction, the emoji of a posting, and postings whose votes must be compared.

Why: a member's normal and super reaction of one emoji are two, and the vote stands while
either stands; what counts on a card is the emoji it was posted with; a card whose events
could not be written is compared with what Discord shows as soon as it can be.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_KEY = ["answer_id", "guild_id", "user_id", "posting_id", "value", "kind"]


def upgrade() -> None:
    """Add the columns; the kind becomes part of a reaction's key."""
    # Copying a table leaves its checks out, unless they are named.
    check = sa.CheckConstraint("value IN (-1, 1)", name=op.f("ck_reactions_value"))
    with op.batch_alter_table("reactions", table_args=(check,)) as batch:
        batch.add_column(sa.Column("kind", sa.Integer(), server_default="0", nullable=False))
        batch.drop_constraint(op.f("pk_reactions"), type_="primary")
        batch.create_primary_key(op.f("pk_reactions"), _KEY)
    op.add_column("postings", sa.Column("up_emoji", sa.String(length=64)))
    op.add_column("postings", sa.Column("down_emoji", sa.String(length=64)))
    op.add_column("postings", sa.Column("due_at", sa.BigInteger()))
    op.create_index(op.f("ix_postings_due_at"), "postings", ["due_at"])
