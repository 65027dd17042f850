"""Table ``installation``: which installation of PAO the database belongs to; one row."""

from uuid import UUID

from sqlmodel import Field, SQLModel


class InstallationRow(SQLModel, table=True):
    """The only row of ``installation``."""

    __tablename__ = "installation"

    single: bool = Field(default=True, primary_key=True)
    id: UUID
