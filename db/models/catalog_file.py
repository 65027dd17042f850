"""Table ``catalog_files``: what was found in each file of the catalog, and by which rules."""

from typing import Any

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import DOCUMENT


class CatalogFileRow(SQLModel, table=True):
    """A row of ``catalog_files``; ``facts`` is null where the file was refused."""

    __tablename__ = "catalog_files"

    path: str = Field(primary_key=True, sa_type=Text)
    sha: str = Field(sa_type=Text)
    judged_by: str = Field(sa_type=Text)
    facts: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
    findings: list[dict[str, Any]] = Field(sa_type=DOCUMENT)
    mode: str = Field(default="100644", sa_type=Text)
    problem: str | None = Field(default=None, sa_type=Text)
