"""Types and metadata of all tables, and columns that follow from the fields of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    text,
)

from bot.guild_settings import GuildSettings
from bot.models import FieldKind, StoredField

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up only a column declared INTEGER; elsewhere ids are 64 bits wide.
ROW_ID = BigInteger().with_variant(Integer, "sqlite")

_TYPES = {
    FieldKind.TEXT: Text,
    FieldKind.OPTIONAL_TEXT: Text,
    FieldKind.INTEGER: BigInteger,
    FieldKind.FLAG: Boolean,
    FieldKind.TEXTS: JSON,
    FieldKind.DATE: BigInteger,
}
_NULLABLE = (FieldKind.OPTIONAL_TEXT, FieldKind.DATE)


def indexes(*columns: str) -> list[Index]:
    """Return an index for each of these columns."""
    return [Index(None, column) for column in columns]


def few(*columns: str) -> list[Index]:
    """Return an index for each of these columns, of the rows that have a value there alone."""
    return [
        Index(None, column, sqlite_where=there, postgresql_where=there)
        for column, there in ((column, text(f"{column} IS NOT NULL")) for column in columns)
    ]


def columns_of(stored: Sequence[StoredField]) -> list[Column[Any]]:
    """Return the columns that follow from the fields of a model."""
    return [
        Column(field.name, _TYPES[field.kind], nullable=field.kind in _NULLABLE)
        for field in stored
        if field.is_column
    ]


_SETTING_TYPES: dict[Any, Any] = {
    float: Float,
    int: Integer,
    bool: Boolean,
    str: String(64),
    tuple[int, ...]: JSON,
}
_SETTING_COLUMNS = {"answer_policy": "policy"}
"""Columns that have not the name of their setting."""


def setting_columns() -> list[Column[Any]]:
    """Return the columns that follow from the fields of GuildSettings."""
    return [
        Column(
            _SETTING_COLUMNS.get(name, name),
            _SETTING_TYPES.get(field.annotation, String(16)),  # else it is one of a few words
            key=name,
        )
        for name, field in GuildSettings.model_fields.items()
    ]
