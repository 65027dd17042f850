"""Table ``catalog_blobs``: contents of catalog files by the id that Git gives them."""

from sqlalchemy import LargeBinary, Text
from sqlmodel import Field, SQLModel


class CatalogBlobRow(SQLModel, table=True):
    """A row of ``catalog_blobs``; the content of an id never changes."""

    __tablename__ = "catalog_blobs"

    id: str = Field(primary_key=True, sa_type=Text)
    content: bytes = Field(sa_type=LargeBinary)
