"""Expressions that SQLite and PostgreSQL write differently."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Insert, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class greatest(GenericFunction[Any]):
    """The greater of two values."""

    inherit_cache = True


@compiles(greatest, "sqlite")
def _greatest(element: greatest, compiler: Any, **options: Any) -> str:
    return f"max{compiler.process(element.clause_expr, **options)}"


class not_printable_ascii(GenericFunction[bool]):
    """A condition: a text holds a space, or anything but ASCII's letters, digits and signs."""

    type = Boolean()
    inherit_cache = True


@compiles(not_printable_ascii, "sqlite")
def _glob(element: not_printable_ascii, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} GLOB '*[^!-~]*'"


@compiles(not_printable_ascii, "postgresql")
def _regex(element: not_printable_ascii, compiler: Any, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} COLLATE \"C\" ~ '[^!-~]'"


class by_code(GenericFunction[str]):
    """A text to order by, letters by their numbers in Unicode and NULL first."""

    inherit_cache = True


@compiles(by_code, "sqlite")
def _as_it_is(element: by_code, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(by_code, "postgresql")
def _collated(element: by_code, compiler: Any, **options: Any) -> str:
    return f'{compiler.process(element.clauses, **options)} COLLATE "C" NULLS FIRST'


_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@cache
def upsert(
    dialect: str, table: Table, names: tuple[str, ...], **computed: ColumnElement[Any]
) -> Insert:
    """Return the statement that inserts a row, or writes it over the one with its key.

    It takes the values of the columns ``names``; others are ``computed``. To build it takes longer
    than to run it: it is built once.
    """
    values = {name: bindparam(name, type_=table.c[name].type) for name in names} | computed
    made = _INSERT[dialect](table).values(values)
    key = [column.name for column in table.primary_key]
    others = {name: made.excluded[name] for name in values if name not in key}
    statement: Insert = made.on_conflict_do_update(index_elements=key, set_=others)
    return statement
