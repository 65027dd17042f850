"""SQL for columns that are filled from dataclass fields of the same name.

Nothing is listed twice: a field that is added to the dataclass and as a column to the table is
written from then on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Column, String
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlmodel import SQLModel

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy gives it no type.


def copied_columns(kind: type[Any], table: type[SQLModel]) -> dict[str, str]:
    """Return the columns named like a field, each with its SQL type."""
    names = {one.name for one in fields(kind)}
    return columns_named(table, [one.name for one in _columns(table) if one.name in names])


def columns_named(table: type[SQLModel], names: Iterable[str]) -> dict[str, str]:
    """Return these columns of a table, each with its SQL type; raises ``LookupError``."""
    columns, names = _columns(table), list(names)
    missing = ", ".join(name for name in names if name not in columns)
    if missing:
        raise LookupError(
            f"{table.__tablename__} has no column for {missing}: add it to {table.__module__} and "
            "to a migration (docs/contributing/adding-a-request-field.md)"
        )
    return {
        # States are checked by the table, not by the length of their names.
        name: "text"
        if isinstance(columns[name].type, String)
        else columns[name].type.compile(_DIALECT)
        for name in names
    }


def _columns(table: type[SQLModel]) -> ReadOnlyColumnCollection[str, Column[Any]]:
    return SQLModel.metadata.tables[str(table.__tablename__)].columns


def record_definition(columns: Mapping[str, str]) -> str:
    """Return the columns as ``jsonb_to_record`` declares them."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


def assignments(source: str, columns: Iterable[str]) -> str:
    """Return the assignments that copy the columns from a source with the same names."""
    return ", ".join(f"{name} = {source}.{name}" for name in columns)
