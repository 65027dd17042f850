"""Table ``schema_migrations``: which migrations were applied, and as which text."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import MOMENT


class SchemaMigration(SQLModel, table=True):
    """A row of ``schema_migrations``; written by the migrations' runner."""

    __tablename__ = "schema_migrations"

    version: str = Field(primary_key=True, sa_type=Text)
    description: str = Field(sa_type=Text)
    applied_at: datetime = Field(sa_type=MOMENT)
    checksum: str = Field(sa_type=Text)
