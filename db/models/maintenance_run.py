"""Table ``upkeep``: the last result of each kind of maintenance, and its totals."""

from datetime import datetime
from typing import Any

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from db.models.columns import DOCUMENT, MOMENT


class MaintenanceRun(SQLModel, table=True):
    """A row of ``upkeep``: the last run of one kind of maintenance, and the totals of all its runs.

    The table's name is older than the term *maintenance*. It stays, because processes of other
    versions of the service use the same database. ``position`` is where the next run continues.
    """

    __tablename__ = "upkeep"

    name: str = Field(primary_key=True, sa_type=Text)
    finished_at: datetime = Field(sa_type=MOMENT)
    result: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    totals: dict[str, Any] = Field(default_factory=dict, sa_type=DOCUMENT)
    position: dict[str, Any] | None = Field(default=None, sa_type=DOCUMENT)
