"""Alembic's entry point: runs the migrations on the connection it is handed.

A new one is begun with ``make migration NAME="what it does"``.
"""

from alembic import context

import bot.store.curation_tables
import bot.store.tables  # noqa: F401 (both add their tables)
from bot.store.columns import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
