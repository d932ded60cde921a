"""Learned phrasings count for a server once two members, or a moderator, confirm them.

Why: what one member chose by mistake, or to play a trick, answered everybody. Each member who
taught a wording has a row now. What was learned before goes on counting as it did.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OF_TABLE = "name = 'learned_phrasings'"


def upgrade() -> None:
    """Add the columns, let older phrasings stand, and make wordings unique for each member."""
    bind, last = op.get_bind(), None
    if bind.dialect.name == "sqlite":
        last = bind.scalar(sa.text(f"SELECT seq FROM sqlite_sequence WHERE {_OF_TABLE}"))
    # Copying a table leaves out what SQLite alone knows of it.
    options = {"sqlite_autoincrement": True}
    with op.batch_alter_table("learned_phrasings", table_kwargs=options) as batch:
        batch.add_column(
            sa.Column("counts", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch.add_column(sa.Column("standing", sa.Integer(), server_default="0", nullable=False))
        batch.add_column(
            sa.Column("own_words", sa.Boolean(), server_default=sa.true(), nullable=False)
        )
        batch.drop_constraint(
            op.f("uq_learned_phrasings_guild_id_thread_id_wording"), type_="unique"
        )
        batch.create_unique_constraint(
            op.f("uq_learned_phrasings_guild_id_thread_id_wording_user_id"),
            ["guild_id", "thread_id", "wording", "user_id"],
        )
    op.execute("UPDATE learned_phrasings SET counts = true, standing = 1")
    if last is not None:  # ids of phrasings that are gone are not given again
        op.execute(f"DELETE FROM sqlite_sequence WHERE {_OF_TABLE}")
        again = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('learned_phrasings', :n)")
        bind.execute(again, {"n": last})
