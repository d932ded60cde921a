"""Alembic migrations; applied by ``bot.store.database`` when a database is opened."""
