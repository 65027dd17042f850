"""Column types that the tables share; no table is defined here."""

from enum import StrEnum

from sqlalchemy import DateTime, Enum, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

MOMENT = DateTime(timezone=True)
DOCUMENT = JSONB(none_as_null=True)
WORDS = ARRAY(Text)


def one_of(kind: type[StrEnum]) -> Enum:
    """Return the type of a text column that holds the values of ``kind``; the table checks them."""
    return Enum(
        kind,
        native_enum=False,
        values_callable=lambda members: [member.value for member in members],
    )
